/**
 * A small world for tests of the controller and the scheduler: the real store in memory, a router whose nodes can be
 * cut off, restarted or made to lie, a provider that says what it is told to, and a clock that only the test moves.
 */
import { calls } from '../src/controller/calls.ts';
import { commands } from '../src/controller/commands.ts';
import type { Commands } from '../src/controller/commands.ts';
import { DEFAULT_SETTINGS } from '../src/controller/context.ts';
import type { Context, ServiceSettings, Settings } from '../src/controller/context.ts';
import { tick } from '../src/controller/tick.ts';
import type { Ticked } from '../src/controller/tick.ts';
import { Instant, TargetId, Weight } from '../src/domain/ids.ts';
import type { ReleaseId } from '../src/domain/ids.ts';
import type { Plan } from '../src/domain/plan.ts';
import type { Release } from '../src/domain/release.ts';
import type { Target } from '../src/domain/target.ts';
import { keyedMutex } from '../src/lib/keyed-mutex.ts';
import { err, ok } from '../src/lib/result.ts';
import type { Result } from '../src/lib/result.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { HookCall, HookName } from '../src/ports/hook.ts';
import type { MetricProvider, Question } from '../src/ports/metric-provider.ts';
import type { Notice, Notifier, NotifyError } from '../src/ports/notifier.ts';
import { noScope } from '../src/ports/log.ts';
import { noTracer } from '../src/ports/tracer.ts';
import type { Claimed, Store } from '../src/ports/store.ts';
import type { NodeReading, RouterError, TrafficRouter, WeightWrite } from '../src/ports/traffic-router.ts';
import { openSqlite } from '../src/store/sqlite/store.ts';
import { aPlan, ci, NOON, SECOND, threshold, weightStep } from './story.ts';

// --- time ------------------------------------------------------------------------------------------------------------

export type HandClock = Clock & { advance(ms: number): void; readonly sleepers: number };

export function handClock(): HandClock {
  let nowMs: number = NOON;
  const sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  return {
    now: () => Instant(nowMs),
    monotonicMs: () => nowMs - NOON,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = {
          atMs: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    advance(ms) {
      nowMs += ms;
      for (const sleeper of [...sleepers]) if (sleeper.atMs <= nowMs) sleeper.wake();
    },
    get sleepers() {
      return sleepers.size;
    },
  };
}

/** Lets everything that can go on without time passing go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

// --- the router ------------------------------------------------------------------------------------------------------

export type FakeNode = { share: number; boot: string; up: boolean };

export type FakeRouter = TrafficRouter & {
  readonly nodes: Map<string, FakeNode>;
  readonly writes: {
    readonly operation: 'apply' | 'cut_off';
    readonly share: number;
    readonly seq: number;
    readonly direction: string;
  }[];
  /** What happens to a write: done, refused, hanging until it is cancelled or for ever, or acknowledged and not done. */
  mode: 'works' | 'rejects' | 'hangs' | 'lies' | 'throws';
  healthy: boolean;
  /** The number of the last write, where it keeps it: an older one is refused. */
  kept: number | null;
  /** Runs inside every call, before it has an effect. */
  during: (operation: string) => void | Promise<void>;
};

export function fakeRouter(name = 'edge', nodeNames: readonly string[] = ['n1']): FakeRouter {
  const nodes = new Map(nodeNames.map((node): [string, FakeNode] => [node, { share: 0, boot: 'boot-1', up: true }]));
  const writes: FakeRouter['writes'] = [];
  const readings = (): NodeReading[] =>
    [...nodes].map(([node, { share, boot, up }]) => ({
      node,
      reachable: up,
      secondShare: up ? Weight(share) : null,
      seq: fake.kept,
      boot: up ? boot : null,
      detail: up ? null : 'connection refused',
    }));
  const down = (): RouterError => ({ kind: 'unreachable', detail: `${name}: connection refused`, nodes: readings() });

  async function write(
    operation: 'apply' | 'cut_off',
    { secondShare, seq, direction }: Omit<WeightWrite, 'route'>,
  ): Promise<Result<{ changed: boolean; nodes: NodeReading[] }, RouterError>> {
    writes.push({ operation, share: secondShare, seq, direction });
    await fake.during(operation);
    if (fake.mode === 'throws') throw new Error('a bug in the adapter');
    if (fake.mode === 'hangs') return new Promise(() => {});
    if (fake.mode === 'rejects') return err({ kind: 'rejected', detail: `${name}: 403`, nodes: readings() });
    if (fake.kept !== null && seq < fake.kept)
      return err({ kind: 'stale', detail: `${name} has seen ${fake.kept}`, nodes: readings() });
    const dark = [...nodes.values()].some(({ up }) => !up);
    if (dark && direction === 'raise') return err(down());
    if (fake.mode === 'works') for (const node of nodes.values()) if (node.up) node.share = secondShare;
    if (fake.kept !== null) fake.kept = seq;
    return dark ? err(down()) : ok({ changed: true, nodes: readings() });
  }

  const fake: FakeRouter = {
    name,
    type: 'fake',
    nodes,
    writes,
    mode: 'works',
    healthy: true,
    kept: null,
    during: () => {},
    capabilities: {
      minStepBp: 1,
      minNonZeroBp: 1,
      tooLittle: 'least',
      distribution: 'random',
      atomic: 'single-op',
      hitless: true,
      seq: 'none',
      readBack: 'authoritative',
      persistence: 'none',
      sticky: 'none',
      zeroEvictsSticky: true,
      headerOverride: false,
      independent: true,
      applyTimeoutMs: 5 * SECOND,
    },
    quantize: (_, share) => share,
    async preflight({ slots }) {
      await fake.during('preflight');
      return ok({
        nodes: readings(),
        slots: slots.map((slot) => ({ slot, healthy: fake.healthy, detail: fake.healthy ? '' : 'connection refused' })),
      });
    },
    apply: ({ secondShare, seq, direction }) => write('apply', { secondShare, seq, direction }),
    async read() {
      await fake.during('read');
      return ok(readings());
    },
    cutOff: ({ slots }, slot, seq) =>
      write('cut_off', { secondShare: Weight(slot === slots[1] ? 0 : 10_000), seq, direction: 'lower' }),
    residue: async () => ({}),
    close: async () => {},
  };
  return fake;
}

export function nodeOf(router: FakeRouter, name = 'n1'): FakeNode {
  const node = router.nodes.get(name);
  if (!node) throw new Error(`${router.name} has no node ${name}`);
  return node;
}

// --- the provider ----------------------------------------------------------------------------------------------------

export type FakeProvider = MetricProvider & {
  /** The canary's value for a threshold check, whose limit is 0.9; null for no data. */
  value: number | null;
  mode: 'works' | 'fails' | 'hangs';
  readonly questions: Question[];
};

function fakeProvider(clock: Clock): FakeProvider {
  const fake: FakeProvider = {
    name: 'prom',
    type: 'fake',
    offers: {},
    value: 0.1,
    mode: 'works',
    questions: [],
    refuses: () => null,
    async measure(question) {
      fake.questions.push(question);
      const at = clock.now();
      if (fake.mode === 'hangs') return new Promise(() => {});
      if (fake.mode === 'fails') return { kind: 'failed', at, detail: 'prom: connection refused' };
      return fake.value === null
        ? { kind: 'no_data', at, detail: 'prom: empty answer' }
        : { kind: 'value', at, value: fake.value };
    },
    history: async () => err('nothing is remembered'),
    close: async () => {},
  };
  return fake;
}

// --- hooks and notifiers ---------------------------------------------------------------------------------------------

export type FakeHooks = Context['hooks'] & {
  readonly calls: HookCall[];
  defined: readonly HookName[];
  answer: Result<'done' | 'accepted', string>;
};

function fakeHooks(): FakeHooks {
  const fake: FakeHooks = {
    calls: [],
    defined: [],
    answer: ok('done'),
    has: (_service, hook) => fake.defined.includes(hook),
    async call(call) {
      fake.calls.push(call);
      return fake.answer;
    },
  };
  return fake;
}

export type FakeNotifier = Notifier & { readonly heard: Notice[]; error: NotifyError | null };

export function fakeNotifier(name = 'oncall'): FakeNotifier {
  const fake: FakeNotifier = {
    name,
    type: 'fake',
    heard: [],
    error: null,
    async deliver(notice) {
      if (fake.error) return err(fake.error);
      fake.heard.push(notice);
      return ok(undefined);
    },
    close: async () => {},
  };
  return fake;
}

// --- all of it -------------------------------------------------------------------------------------------------------

export const APP = TargetId('checkout/edge/app');
/** Three good measurements, ten seconds apart, and half a minute at each of two weights; judged by one absolute check. */
export const quickPlan = (change: Partial<Plan> = {}): Plan =>
  aPlan({
    steps: [weightStep(10, { holdMs: 30 * SECOND, checks: ['cpu'] }), weightStep(50, { holdMs: 30 * SECOND, checks: ['cpu'] })],
    checks: { cpu: threshold('cpu', { provider: 'prom', failures: { breaches: 1, of: 1 } }) },
    ...change,
  });

type Options = {
  readonly routers?: readonly FakeRouter[];
  readonly management?: Target['management'];
  readonly settings?: Partial<Settings>;
  readonly service?: Partial<ServiceSettings>;
  readonly stable?: string | null;
  readonly webhooks?: Context['webhooks'];
  /** Whoever wants to see the numbers. */
  readonly recorder?: Context['recorder'];
  /** Wraps the store, to make it fail. */
  readonly wrap?: (store: Store) => Store;
};

export type World = {
  readonly ctx: Context;
  readonly store: Store;
  readonly clock: HandClock;
  readonly router: FakeRouter;
  readonly provider: FakeProvider;
  readonly hooks: FakeHooks;
  readonly notifier: FakeNotifier;
  readonly logged: string[];
  readonly commands: Commands;
  /** Releases that a command wanted worked on at once. */
  readonly handed: Claimed[];
  /** Starts a release and gives its id. */
  start(plan?: Plan, change?: { readonly version?: string; readonly paused?: boolean }): Promise<ReleaseId>;
  release(id: ReleaseId): Promise<Release>;
  target(): Promise<Target>;
  tick(id: ReleaseId): Promise<Ticked>;
  /** Ticks as often as the release is due, letting time pass in between, until it is as asked for. */
  until(id: ReleaseId, reached: (release: Release) => boolean): Promise<Release>;
  types(id: ReleaseId): Promise<readonly string[]>;
};

const silent = (): void => {};

export async function world(options: Options = {}): Promise<World> {
  const clock = handClock();
  const real = await openSqlite({ file: ':memory:', now: clock.now });
  const store = options.wrap?.(real) ?? real;
  const routers = options.routers ?? [fakeRouter()];
  const [router] = routers;
  if (!router) throw new Error('a world has a router');
  const provider = fakeProvider(clock);
  const hooks = fakeHooks();
  const notifier = fakeNotifier();
  const logged: string[] = [];
  const note = (_fields: unknown, message: string): void => void logged.push(message);
  const recorder: Context['recorder'] = options.recorder ?? {
    tick: silent,
    lag: silent,
    routerCall: silent,
    providerCall: silent,
    delivery: silent,
    event: silent,
    weight: silent,
    drift: silent,
    breaker: silent,
    verdict: silent,
    timeToSafe: silent,
    ended: silent,
    webhook: silent,
    flagRead: silent,
    storeFailed: silent,
    stock: silent,
  };
  const service: ServiceSettings = {
    name: 'checkout',
    team: null,
    environment: null,
    provider: 'prom',
    versionLabel: 'version',
    promotion: { kind: 'swap' },
    notify: ['oncall'],
    flags: [],
    ...options.service,
  };
  let ids = 0;
  const ctx: Context = {
    store,
    clock,
    random: { next: () => 0.5, id: () => `R${(ids += 1)}` },
    log: { debug: silent, info: silent, warn: note, error: note },
    scope: noScope,
    recorder,
    tracer: noTracer,
    hooks,
    routers: new Map(routers.map((each) => [each.name, each])),
    providers: new Map([['prom', provider]]),
    notifiers: new Map([['oncall', notifier]]),
    webhooks: options.webhooks ?? new Map(),
    services: new Map([['checkout', service]]),
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
    calls: calls(clock, recorder),
    targetLocks: keyedMutex(),
    tries: new Map(),
    looks: new Map(),
    worker: 'w1',
  };
  const slots = ['blue', 'green'] as const;
  const specs = routers.map(({ name }) => ({
    id: TargetId(`checkout/${name}/app`),
    service: 'checkout',
    router: name,
    route: 'app',
    cell: 'eu',
    slots,
    management: options.management ?? ('enforce' as const),
  }));
  await real.configure([{ name: 'checkout', slots }], specs);
  const stable = options.stable === undefined ? '1.0.0' : options.stable;
  if (stable !== null)
    await real.setStable(
      'checkout',
      { slot: null, version: stable },
      { actor: 'ann', action: 'service.stable', subject: 'checkout', reason: null, data: {} },
    );
  const handed: Claimed[] = [];
  const sent = commands(ctx, (claimed) => void handed.push(claimed));
  return { ctx, store, clock, router, provider, hooks, notifier, logged, commands: sent, handed, ...acting(ctx, clock, sent) };
}

function acting(
  ctx: Context,
  clock: HandClock,
  sent: Commands,
): Pick<World, 'start' | 'release' | 'target' | 'tick' | 'until' | 'types'> {
  const calm = new AbortController().signal;
  const load = async (id: ReleaseId): Promise<Claimed> => {
    const claimed = await ctx.store.load(id);
    if (!claimed) throw new Error(`no release ${id}`);
    return claimed;
  };
  return {
    async start(plan = quickPlan(), { version = '1.1.0', paused = false } = {}) {
      const started = await sent.start({ plan, version, first: false, paused, onBusy: null, reason: null }, ci);
      if (!started.ok) throw new Error(started.error.detail);
      return started.value.release.id;
    },
    release: async (id) => (await load(id)).release,
    async target() {
      const [target] = await ctx.store.targets('checkout');
      if (!target) throw new Error('no target');
      return target;
    },
    tick: async (id) => tick(ctx, await load(id), calm),
    async until(id, reached) {
      for (let round = 0; round < 500; round++) {
        const before = await load(id);
        if (reached(before.release)) return before.release;
        const { yieldUntil } = await tick(ctx, before, calm);
        const dueAt = yieldUntil ?? (await load(id)).dueAt;
        clock.advance(Math.max(0, dueAt - clock.now()));
      }
      throw new Error('never reached');
    },
    types: async (id) => (await ctx.store.releaseEvents(id, { afterSeq: 0, limit: 1_000 })).rows.map(({ type }) => type),
  };
}
