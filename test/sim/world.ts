/**
 * One world from one seed: the real controller, scheduler and domain, one or two workers on one store, against simulated
 * routers, providers, receivers and clocks. First things go wrong; then everything heals, and all of it has to come to
 * rest. The answer is what was seen, and the first invariant that was broken.
 */
import { steadyClock } from '../../src/adapters/system/clock.ts';
import { calls } from '../../src/controller/calls.ts';
import { commands } from '../../src/controller/commands.ts';
import type { Commands } from '../../src/controller/commands.ts';
import type { Context } from '../../src/controller/context.ts';
import { Instant, TargetId } from '../../src/domain/ids.ts';
import type { Release } from '../../src/domain/release.ts';
import type { Slots } from '../../src/domain/target.ts';
import { canarySlot } from '../../src/domain/target.ts';
import { keyedMutex } from '../../src/lib/keyed-mutex.ts';
import { hash32 } from '../../src/lib/prng.ts';
import type { Log } from '../../src/ports/log.ts';
import { noScope } from '../../src/ports/log.ts';
import { noTracer } from '../../src/ports/tracer.ts';
import type { Recorder } from '../../src/ports/recorder.ts';
import type { Store } from '../../src/ports/store.ts';
import { scheduler } from '../../src/scheduler/scheduler.ts';
import { checkLiveness, checkRest, drainOutbox, tellAgain, unended } from './at-rest.ts';
import type { RestWorld } from './at-rest.ts';
import { chance } from './chance.ts';
import type { Coverage } from './coverage.ts';
import { exposure } from './exposure.ts';
import { faults } from './faults.ts';
import { hand } from './hand.ts';
import { incarnation, throughIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { nemesis } from './nemesis.ts';
import { faultyStore, observedStore } from './observed-store.ts';
import { oracle } from './oracle.ts';
import { people } from './people.ts';
import { receiptBook, simHooks, simNotifier } from './receivers.ts';
import { simRouter } from './router.ts';
import type { SimRouter } from './router.ts';
import { NOTIFIERS, POISON, PROVIDERS, worldSpec } from './spec.ts';
import type { Truth, WorldSpec } from './spec.ts';
import { simProvider, traffic } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import { virtualClock } from './virtual-clock.ts';

export type Violation = { readonly invariant: string; readonly detail: string; readonly atMs: number };

export type WorldResult = {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly coverage: Coverage;
  readonly releases: number;
  readonly releaseHours: number;
  readonly worldHours: number;
  readonly faults: number;
  readonly events: number;
  /** The same seed gives the same one. */
  readonly traceHash: number;
  readonly lastLines: readonly string[];
};

export type WorldOptions = {
  readonly seed: number;
  readonly openStore: (now: () => Instant) => Promise<Store>;
  /** Ends the time of faults sooner than the seed says, where a world would take too long. */
  readonly mostMs?: number;
  /** Every line, for replaying one seed. */
  readonly onLine?: (line: string) => void;
};

const START_MS = Date.UTC(2026, 10, 20);
const SLOTS: Slots = ['blue', 'green'];
const LAST_LINES = 60;

export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  const world = await build(options);
  try {
    await world.run();
    return world.result();
  } finally {
    await world.store.close();
  }
}

async function build({ seed, openStore, mostMs = Number.POSITIVE_INFINITY, onLine }: WorldOptions) {
  const spec: WorldSpec = worldSpec(seed);
  const { settings } = spec;
  const faultsForMs = Math.min(spec.faultsForMs, mostMs);
  const clock = virtualClock();
  const coverage: Coverage = new Map();
  const lines: string[] = [];
  let traceHash = 0;
  let violation: Violation | null = null;
  let faultCount = 0;
  const trace = (line: () => string): void => {
    const text = `${(clock.nowMs() / 1000).toFixed(3)} ${line()}`;
    traceHash = (Math.imul(traceHash, 31) + hash32(text)) >>> 0;
    lines.push(text);
    if (lines.length > 2 * LAST_LINES) lines.splice(0, LAST_LINES);
    onLine?.(text);
  };
  const sometimes = (name: string): void => void coverage.set(name, (coverage.get(name) ?? 0) + 1);
  const report = (invariant: string, detail: string): void => {
    if (violation !== null) return;
    violation = { invariant, detail, atMs: clock.nowMs() };
    trace(() => `VIOLATION ${invariant}: ${detail}`);
  };
  const trouble = faults(seed, spec.isCalm, (kind) => {
    faultCount++;
    sometimes(`fault ${kind}`);
    trace(() => `fault ${kind}`);
  });

  let wallStepMs = 0;
  const steady = steadyClock({
    wallMs: () => START_MS + clock.nowMs() + wallStepMs,
    monotonicMs: clock.nowMs,
    sleep: async () => {},
  });
  const storeNow = (): Instant => steady.now();

  const targetIds = new Map<string, TargetId[]>();
  const adopting = new Set<TargetId>();
  /** Targets with one node that tells its restarts. */
  const clear = new Set<TargetId>();
  const routers = new Map<TargetId, SimRouter>();
  const traffics = new Map<string, Traffic>();
  const truths = new Map<string, Truth>();
  const receipts = receiptBook();
  const unhealthySlots = new Set<string>();
  const released = { hours: 0 };

  const eye = oracle({
    report,
    sometimes,
    storeNow,
    onIntent: (target) => watch.look(target),
    onRoles: (service) => (targetIds.get(service) ?? []).forEach((target) => watch.look(target)),
    onStarted: (release) =>
      traffics.get(release.service)?.deploy(canarySlot(SLOTS, eye.stableOf(release.service)), release.version),
    onVerified: (release) => checkVerified(release),
    onEnded: (release) => {
      released.hours += (storeNow() - release.createdAt) / 3_600_000;
      const isGood = (truths.get(release.version)?.kind ?? 'good') === 'good';
      if (isGood && release.phase.kind === 'promoted') sometimes('good version promoted');
      if (!isGood && release.rollback?.cause.kind === 'check') sometimes('bad version rolled back');
      if (!isGood && release.phase.kind === 'promoted') sometimes('bad version promoted');
      if (isGood && release.rollback?.cause.kind === 'check') sometimes('good version rolled back');
    },
  });
  const checkVerified = (release: Release): void => {
    for (const id of release.targets) {
      for (const node of routers.get(id)?.nodes ?? []) {
        const isRight = node.isUp && node.share === eye.wantedOf(id);
        if (!isRight && node.disturbedAtMs < clock.nowMs() - VERIFY_SLACK_MS)
          report(
            'I11',
            `${release.id} counts ${release.wanted} as verified, and ${node.name} serves ${node.isUp ? node.share : 'nothing'}`,
          );
      }
    }
  };
  const byHand = hand({
    oracle: eye,
    report,
    isClear: (target) => clear.has(target),
    reactionMs: settings.readTimeoutMs + HAND_SLACK_MS,
  });
  const watch = exposure({
    clock,
    routers,
    wantedOf: (target) => ({ second: eye.wantedOf(target), stableSlot: eye.stableOf(eye.targets.get(target)!.service) }),
    isAnybodyRunning: () => lives.some(({ life }) => life.isRunning()),
    boundMs: settings.applyTimeoutMs + settings.reconcileEveryMs + 1_000 + settings.readTimeoutMs + BOUND_SLACK_MS,
    onTooLong: (detail) => report('I16', detail),
  });

  for (const service of spec.services) {
    const { name } = service.settings;
    const ids = service.targets.map((_, index) => TargetId(`${name}/router-${name}-${index}/route`));
    targetIds.set(name, ids);
    service.targets.forEach((target, index) => {
      const id = ids[index]!;
      eye.manage(id, name, SLOTS);
      if (target.management === 'adopt') adopting.add(id);
      if (target.nodes === 1 && target.isMarked) clear.add(id);
      const router = simRouter(
        { target: id, name: `router-${name}-${index}`, slots: SLOTS, spec: target },
        {
          clock,
          faults: trouble,
          draw: chance(seed, id),
          onOrder: eye.ordered,
          onChanging: () => traffics.get(name)?.advance(),
          isNewest: (_, seq) => seq === eye.newestSeq(id),
          onLate: eye.landed,
          onChanged: (_, change) => {
            byHand.changed(router, change);
            const { node, cause, seq } = change;
            trace(() => `${node.name} serves ${node.share} (${cause}${seq === null ? '' : ` ${seq}`})`);
            // A call of a worker that was overtaken, or anything that was nobody's call.
            const isStray = cause !== 'write' || (seq !== null && seq < eye.newestSeq(id));
            if (isStray) node.disturbedAtMs = clock.nowMs();
            if (isStray) watch.disturbed(id);
            watch.look(id);
          },
          onDisturbed: (target_) => watch.disturbed(target_),
          isHealthy: (slot) => !unhealthySlots.has(slot),
          applyTimeoutMs: settings.applyTimeoutMs,
          settleMs: Math.max(settings.settleMinMs, 2 * settings.applyTimeoutMs),
        },
      );
      routers.set(id, router);
    });
    eye.stableIs(name, SLOTS[0]);
    traffics.set(
      name,
      traffic({
        clock,
        draw: chance(seed, `traffic ${name}`),
        storeNow,
        routers: () => ids.map((id) => routers.get(id)!),
        truths,
        requestsPerSecond: service.requestsPerSecond,
      }),
    );
    if (service.stableVersion) traffics.get(name)?.deploy(SLOTS[0], service.stableVersion);
  }

  const store = await openStore(storeNow);
  await store.configure(
    spec.services.map(({ settings: { name } }) => ({ name, slots: SLOTS })),
    [...routers.values()].map((router) => {
      const [service = '', routerName = '', route = ''] = router.target.split('/');
      const index = (targetIds.get(service) ?? []).indexOf(router.target);
      const management = spec.services.find((one) => one.settings.name === service)?.targets[index]?.management ?? 'enforce';
      return { id: router.target, service, router: routerName, route, cell: 'one', slots: SLOTS, management };
    }),
  );
  for (const {
    settings: { name },
    stableVersion,
  } of spec.services)
    if (stableVersion)
      await store.setStable(
        name,
        { slot: null, version: stableVersion },
        { actor: 'sim', action: 'stable', subject: name, reason: null, data: {} },
      );

  const holders = new Map<string, string>();
  const seenStore = observedStore(store, eye, (worker, ids) => {
    for (const id of ids) {
      const before = holders.get(id);
      if (before !== undefined && before !== worker) sometimes('lease taken over');
      holders.set(id, worker);
    }
  });
  const draw = chance(seed, 'workers');
  const remote = faultyStore(
    {
      ...seenStore,
      async commit(commit) {
        const committed = await seenStore.commit(commit);
        if (committed.ok) {
          if (commit.lease) holders.set(commit.id, commit.lease.worker);
          else holders.delete(commit.id);
          for (const event of commit.events)
            trace(() => `${commit.id} ${event.seq} ${event.type} by ${event.by.name}: ${event.sentence}`);
        }
        return committed;
      },
      async yieldLease(yielded) {
        if (holders.get(yielded.id) === yielded.worker) holders.delete(yielded.id);
        return seenStore.yieldLease(yielded);
      },
      async recordCrash(crash) {
        if (holders.get(crash.id) === crash.worker) holders.delete(crash.id);
        return seenStore.recordCrash(crash);
      },
      async updateTarget(update) {
        const updated = await seenStore.updateTarget(update);
        if (updated.ok) for (const event of update.events) trace(() => `${update.id} ${event.type}: ${event.sentence}`);
        return updated;
      },
    },
    {
      clock,
      draw: chance(seed, 'store'),
      faults: trouble,
      hops: draw.pick([0, 0.05, 0.3]),
      sometimes,
      onDisturbed: () => watch.disturbed(null),
    },
  );

  const providers = PROVIDERS.map((name) =>
    simProvider(name, {
      clock,
      draw: chance(seed, name),
      faults: trouble,
      storeNow,
      trafficOf: (service) => traffics.get(service)!,
      onEvidence: eye.evidence,
    }),
  );
  const notifiers = NOTIFIERS.map((name) =>
    simNotifier(
      name,
      { clock, draw: chance(seed, name), faults: trouble },
      (notice) => {
        if (receipts.add(name, notice) === 'again') sometimes('event delivered twice');
      },
      () => void tellAgain(store, name),
    ),
  );
  const hooks = simHooks(spec.services, { clock, draw: chance(seed, 'hooks'), faults: trouble }, (service, version) =>
    traffics.get(service)?.deploy(eye.stableOf(service), version),
  );

  let idCount = 0;
  const log: Log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (fields, message) => {
      trace(() => `error: ${message} ${String(fields['error']).split('\n')[0]}`);
      const text = String(fields['error']);
      // A poisoned plan fails its own handler; anything else that asserts is a bug.
      if (BUG.test(text) && !text.includes(POISON)) report('I15', `${message}: ${text}`);
    },
  };
  const nothing = (): void => {};
  const recorder: Recorder = {
    tick: nothing,
    lag: nothing,
    routerCall: nothing,
    providerCall: nothing,
    delivery: nothing,
    event: nothing,
    weight: nothing,
    drift: nothing,
    breaker: nothing,
    verdict: nothing,
    timeToSafe: nothing,
    ended: nothing,
    webhook: nothing,
    flagRead: nothing,
    storeFailed: nothing,
    stock: nothing,
  };

  type Life = { readonly life: Incarnation; readonly commands: Commands };
  const lives: Life[] = [];
  const isOver = { value: false };
  const storeMethods = (Object.keys(remote) as (keyof Store)[]).filter((method) => method !== 'close');
  const start = (index: number, generation: number): void => {
    const name = `worker-${index}.${generation}`;
    const life = incarnation({
      name,
      clock,
      onCrash: () => {
        trace(() => `${name} died`);
        watch.disturbed(null);
        clock.after(trouble.isHealed() ? 1_000 : draw.int(1, 60) * 1_000, () => {
          if (!isOver.value) start(index, generation + 1);
        });
      },
    });
    const random = chance(seed, name);
    const ctx: Context = {
      store: throughIncarnation(life, remote, storeMethods),
      clock: { now: storeNow, monotonicMs: clock.nowMs, sleep: life.sleep },
      random: { next: random.next, id: () => `r${String(++idCount).padStart(3, '0')}` },
      log: { ...log, error: (fields, message) => void (life.isAlive() && log.error(fields, `${name}: ${message}`)) },
      scope: noScope,
      recorder,
      tracer: noTracer,
      hooks: throughIncarnation(life, hooks, ['call']),
      routers: new Map(
        [...routers.values()].map(({ port }) => [
          port.name,
          throughIncarnation(life, port, ['preflight', 'apply', 'read', 'cutOff']),
        ]),
      ),
      providers: new Map(providers.map(({ port }) => [port.name, throughIncarnation(life, port, ['measure'])])),
      notifiers: new Map(notifiers.map(({ port }) => [port.name, throughIncarnation(life, port, ['deliver'])])),
      webhooks: new Map(),
      services: new Map(spec.services.map((service) => [service.settings.name, service.settings])),
      settings,
      calls: calls({ now: storeNow, monotonicMs: clock.nowMs, sleep: life.sleep }, recorder),
      targetLocks: keyedMutex(),
      tries: new Map(),
      looks: new Map(),
      worker: name,
    };
    const running = scheduler(ctx);
    lives[index] = { life, commands: commands(ctx, (claimed) => running.work(claimed)) };
    watch.disturbed(null);
    trace(() => `${name} started`);
  };
  for (let index = 0; index < spec.workers; index++) start(index, 0);

  people({
    clock,
    draw: chance(seed, 'people'),
    flags: chance(seed, 'flags'),
    faults: trouble,
    oracle: eye,
    services: spec.services,
    releases: spec.releases,
    truths,
    faultsForMs,
    pace: spec.pace,
    commands: () => {
      const up = lives.filter(({ life }) => life.isAlive());
      return up.length === 0 ? null : draw.pick(up).commands;
    },
    stableVersionOf: async (service) => (await store.service(service))?.stableVersion ?? null,
    onReplaced: (release) => traffics.get(release.service)?.deploy(eye.stableOf(release.service), release.version),
    sometimes,
    trace,
    onBug: (detail) => report('I15', detail),
  });
  nemesis({
    clock,
    draw: chance(seed, 'nemesis'),
    faults: trouble,
    routers: [...routers.values()],
    providers,
    notifiers,
    workers: () => lives.map(({ life }) => life),
    unhealthySlots,
    stableSlotOf: (router) => eye.stableOf(eye.targets.get(router.target)!.service),
    pace: spec.pace.world,
    stepWallClock: (ms) => void (wallStepMs += ms),
    onDisturbed: () => {
      byHand.frozen(clock.nowMs());
      watch.disturbed(null);
    },
  });

  const heal = (): void => {
    trouble.heal();
    trace(() => 'everything heals');
    for (const router of routers.values()) for (const node of router.nodes) router.setUp(node, true);
    for (const provider of providers) provider.setFault(null);
    for (const notifier of notifiers) notifier.setDown(false);
    unhealthySlots.clear();
    for (const { life } of lives) life.resume();
    watch.disturbed(null);
  };

  const rest: RestWorld = {
    clock,
    oracle: eye,
    store,
    storeNow,
    routers,
    adopting,
    receipts,
    report,
    sometimes,
    patienceMs: spec.releases * spec.pace.plans * 30 * 60_000 + 3 * 3_600_000,
  };
  const run = async (): Promise<void> => {
    const broken = (): boolean => violation !== null;
    await clock.run(faultsForMs, broken);
    if (broken()) return;
    heal();
    const healedMs = clock.nowMs();
    while (!broken() && unended(eye).length > 0) {
      await clock.run(clock.nowMs() + 10_000, broken);
      checkLiveness(rest, healedMs);
    }
    if (!broken()) await clock.run(clock.nowMs() + REST_MS, broken);
    if (!broken()) await drainOutbox(rest, broken);
    // What was given up is not lost: it can be heard after all.
    for (const name of NOTIFIERS) if (!broken()) await tellAgain(store, name);
    if (!broken()) await drainOutbox(rest, broken);
    if (!broken()) await checkRest(rest);
    isOver.value = true;
  };

  const result = (): WorldResult => ({
    seed,
    violation,
    coverage,
    releases: eye.releases.size,
    releaseHours: released.hours,
    worldHours: clock.nowMs() / 3_600_000,
    faults: faultCount,
    events: clock.eventCount,
    traceHash,
    lastLines: lines.slice(-LAST_LINES),
  });
  return { store, run, result };
}

/** A node that something touched so recently may differ from what was read back in good faith. */
const VERIFY_SLACK_MS = 20_000;
/** What a healthy round costs on top of its deadlines: latencies, and a loop that is a second away. */
const BOUND_SLACK_MS = 2_000;
/** A dead worker comes back, and what differs when all releases have ended is put right. */
const REST_MS = 90_000;
/** A write that answers to what was read before somebody laid hand on the router is sent by then. */
const HAND_SLACK_MS = 1_000;
const BUG = /AssertionFailed|TypeError|RangeError|ReferenceError/;
