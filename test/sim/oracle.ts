/**
 * Knows what must hold, and is told of every commit the moment that it is made. It keeps a ledger of its own, from events
 * and intents alone, and never asks the code under test what it thinks. Numbers are those of "Invariants" in the design.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ReleaseEvent, TargetEvent } from '../../src/domain/event.ts';
import { evolve } from '../../src/domain/evolve.ts';
import { ALL, NONE } from '../../src/domain/ids.ts';
import type { Instant, ReleaseId, TargetId, Weight } from '../../src/domain/ids.ts';
import { isActive, isEnded } from '../../src/domain/release.ts';
import type { Release } from '../../src/domain/release.ts';
import { canarySlot, canaryWeight } from '../../src/domain/target.ts';
import type { Slots, Target } from '../../src/domain/target.ts';
import type { Question } from '../../src/ports/metric-provider.ts';
import type { Commit, Committed, NewRelease, TargetUpdate } from '../../src/ports/store.ts';
import { checkLeaving } from './leaving.ts';
import type { Evidence } from './traffic.ts';

export type Invariant = `I${number}`;
export type Report = (invariant: Invariant, detail: string) => void;

/** What the log of one release says, put together by the oracle itself. */
export type Ledger = {
  release: Release;
  revision: number;
  readonly events: ReleaseEvent[];
  /** Who has to hear of each event. */
  readonly notify: Map<string, readonly string[]>;
  /** Time under watch at the present step or bake, over all interruptions. */
  watchedMs: number;
  watchedSince: Instant | null;
};

type TargetLedger = {
  readonly slots: Slots;
  readonly service: string;
  readonly intents: Map<number, Weight>;
  /** Which release asked for it. */
  readonly owners: Map<number, ReleaseId>;
  /** Intents that were written again after the end of the release that they are from. */
  readonly repairs: Set<number>;
  /** The newest intent that was read back everywhere. */
  verifiedSeq: number;
  /** The boot of each node that was written down with it: another one is a restart that may still be repaired. */
  boots: Readonly<Record<string, string>>;
  seq: number;
  second: Weight;
  readonly events: TargetEvent[];
  readonly notify: Map<string, readonly string[]>;
};

export type OracleWorld = {
  readonly report: Report;
  readonly sometimes: (name: string) => void;
  readonly storeNow: () => Instant;
  onIntent(target: TargetId): void;
  onRoles(service: string): void;
  onStarted(release: Release): void;
  /** Every target was claimed to serve what is wanted. */
  onVerified(release: Release): void;
  onEnded(release: Release): void;
};

export type Oracle = {
  created(made: NewRelease): void;
  committed(commit: Commit, answer: Committed): void;
  refused(commit: Commit): void;
  targetUpdated(update: TargetUpdate, answer: Target): void;
  /** A write of the controller reaches the wire. */
  ordered(target: TargetId, order: { readonly share: Weight; readonly seq: number }): void;
  /** A write that nobody waited for any more has landed. */
  landed(target: TargetId, order: { readonly share: Weight; readonly seq: number }): void;
  evidence(question: Question, evidence: Evidence): void;
  manage(target: TargetId, service: string, slots: Slots): void;
  stableIs(service: string, slot: string): void;
  stableOf(service: string): string;
  wantedOf(target: TargetId): Weight;
  newestSeq(target: TargetId): number;
  activeOf(service: string): Ledger | null;
  readonly releases: ReadonlyMap<ReleaseId, Ledger>;
  readonly targets: ReadonlyMap<TargetId, TargetLedger>;
};

export function oracle(world: OracleWorld): Oracle {
  const { report, sometimes } = world;
  const releases = new Map<ReleaseId, Ledger>();
  const targets = new Map<TargetId, TargetLedger>();
  const stableSlots = new Map<string, string>();
  const evidences = new Map<string, Evidence[]>();

  const targetOf = (id: TargetId): TargetLedger => targets.get(id)!;
  const activeOf = (service: string): Ledger | null =>
    [...releases.values()].find(({ release }) => release.service === service && isActive(release)) ?? null;

  const intend = (id: TargetId, second: Weight): void => {
    const ledger = targetOf(id);
    ledger.seq++;
    ledger.second = second;
    ledger.intents.set(ledger.seq, second);
    world.onIntent(id);
  };

  const oneActive = (service: string): void => {
    const active = [...releases.values()].filter(({ release }) => release.service === service && isActive(release));
    if (active.length > 1)
      report('I9', `${active.map(({ release }) => release.id).join(' and ')} are active for ${service} at once`);
  };

  const fold = (ledger: Ledger, event: ReleaseEvent): void => {
    const before = ledger.release;
    const { release } = ledger;
    if (isEnded(before)) report('I6', `${event.type} after the release had ended as ${before.phase.kind}`);
    if (event.seq !== before.seq + 1) return report('I7', `event ${event.seq} of ${release.id} follows ${before.seq}`);
    const last = ledger.events.at(-1);
    if (last && event.at < last.at) report('I7', `event ${event.seq} of ${release.id} is older than the one before it`);
    const after = evolve(before, event);
    ledger.release = after;
    ledger.events.push(event);
    if (after.phase.kind !== before.phase.kind || event.type === 'settle.began')
      sometimes(`phase ${before.phase.kind}>${after.phase.kind}`);
  };

  const commitEvents = (ledger: Ledger, commit: Commit): void => {
    const raises = commit.events.filter((event) => event.type === 'weight.intended' && event.goal !== null).length;
    const steps = commit.events.filter((event) => event.type === 'step.entered').length;
    if (raises > 1 || steps > 1) report('I3', `${raises} raises and ${steps} steps in one commit of ${commit.id}`);
    for (const event of commit.events) {
      const before = ledger.release;
      checkAbsorbing(before, event, report);
      checkIntended(before, event, report);
      checkLeaving({ before, event, commit, ledger, evidences, report, sometimes });
      keepWatch(ledger, event);
      fold(ledger, event);
      ledger.notify.set(event.id, commit.notify);
      cover(before, event, sometimes);
      if (event.type === 'release.started') world.onStarted(ledger.release);
    }
  };

  const checkIntents = ({ id, intents, events, next }: Commit): void => {
    const intended = events.findLast((event) => event.type === 'weight.intended');
    if ((intended !== undefined) !== intents.length > 0 && next.targets.length > 0)
      report('I7', `${intents.length} intents with ${intended ? 'a' : 'no'} new weight in a commit of ${id}`);
    for (const { target, secondShare } of intents) {
      const ledger = targetOf(target);
      const canary = canaryWeight(ledger.slots, stableSlots.get(ledger.service) ?? ledger.slots[0], secondShare);
      if (!(0 <= canary && canary <= 10_000)) report('I1', `an intent of ${canary} basis points on ${target}`);
      if (canary !== next.wanted) report('I7', `an intent of ${canary} on ${target}, and the release wants ${next.wanted}`);
      if (next.approved < canary) report('I3', `an intent of ${canary} on ${target}, above the approved ${next.approved}`);
      if (next.rollback !== null && canary > NONE)
        report('I5', `an intent of ${canary} on ${target} after the rollback was decided`);
      intend(target, secondShare);
      ledger.owners.set(ledger.seq, id);
    }
  };

  const checkEnd = ({ next, service, events }: Commit): void => {
    const isPromoted = events.some((event) => event.type === 'release.promoted');
    const { service: name } = next;
    if (!isPromoted && service !== null) return report('I6', `the roles of ${name} changed without a promotion`);
    if (!isPromoted) return;
    const stable = stableSlots.get(name);
    const slots = [...targets.values()].find((target) => target.service === name)?.slots;
    const expected = next.promotion.kind === 'swap' && slots && stable ? canarySlot(slots, stable) : stable;
    if (service?.stableSlot !== expected || service?.stableVersion !== next.version)
      report('I6', `after the promotion ${name} has ${service?.stableVersion} in ${service?.stableSlot} as stable`);
    const wanted = next.promotion.kind === 'swap' ? ALL : NONE;
    if (next.wanted !== wanted) report('I6', `${next.id} was promoted at ${next.wanted}`);
    stableSlots.set(name, service?.stableSlot ?? '');
    world.onRoles(name);
  };

  return {
    releases,
    targets,
    activeOf,
    manage: (id, service, slots) =>
      void targets.set(id, {
        slots,
        service,
        intents: new Map([[0, NONE]]),
        owners: new Map(),
        repairs: new Set(),
        verifiedSeq: 0,
        boots: {},
        seq: 0,
        second: NONE,
        events: [],
        notify: new Map(),
      }),
    stableIs(service, slot) {
      stableSlots.set(service, slot);
    },
    stableOf: (service) => stableSlots.get(service)!,
    wantedOf: (target) => targetOf(target).second,
    newestSeq: (target) => targetOf(target).seq,
    created({ release, events, notify }) {
      const replayed = events.reduce<Release | null>(evolve, null);
      if (!isDeepStrictEqual(replayed, release)) report('I7', `the first events of ${release.id} do not replay to it`);
      releases.set(release.id, {
        release,
        revision: 1,
        events: [...events],
        notify: new Map(events.map((event) => [event.id, notify])),
        watchedMs: 0,
        watchedSince: null,
      });
      oneActive(release.service);
      if (events.some((event) => event.type === 'release.started')) world.onStarted(release);
    },
    committed(commit, answer) {
      const ledger = releases.get(commit.id);
      if (!ledger || ledger.revision !== commit.revision)
        return report('I8', `a commit of ${commit.id} at revision ${commit.revision} was taken at ${ledger?.revision}`);
      ledger.revision = answer.revision;
      const wasEnded = isEnded(ledger.release);
      commitEvents(ledger, commit);
      if (!isDeepStrictEqual(ledger.release, commit.next))
        report('I7', `the events of ${commit.id} do not replay to its state after event ${ledger.release.seq}`);
      checkIntents(commit);
      for (const target of answer.targets) {
        const mine = targetOf(target.id);
        if (target.seq !== mine.seq || target.desiredSecond !== mine.second)
          report(
            'I7',
            `${target.id} is at seq ${target.seq} with ${target.desiredSecond}, the intents say ${mine.seq} with ${mine.second}`,
          );
      }
      if (commit.events.some((event) => event.type === 'weight.verified')) world.onVerified(ledger.release);
      checkEnd(commit);
      oneActive(ledger.release.service);
      if (!wasEnded && isEnded(ledger.release)) world.onEnded(ledger.release);
    },
    refused(commit) {
      const ledger = releases.get(commit.id);
      sometimes('stale commit refused');
      if (
        ledger &&
        ledger.revision === commit.revision &&
        !(isActive(commit.next) && activeOf(commit.next.service)?.release.id !== commit.id)
      )
        report('I8', `a commit of ${commit.id} at its revision ${commit.revision} was called stale`);
    },
    targetUpdated(update, answer) {
      const ledger = targetOf(update.id);
      if (ledger.seq !== update.seq)
        return report('I8', `a note on ${update.id} for seq ${update.seq} was taken at ${ledger.seq}`);
      ledger.verifiedSeq = update.change.verifiedSeq ?? ledger.verifiedSeq;
      ledger.boots = update.change.boots ?? ledger.boots;
      for (const event of update.events) {
        if (event.seq !== (ledger.events.at(-1)?.seq ?? 0) + 1) report('I7', `event ${event.seq} of ${update.id} leaves a gap`);
        ledger.events.push(event);
        ledger.notify.set(event.id, update.notify);
        sometimes(`target ${event.type}`);
      }
      if (update.adopt === null) return;
      if (activeOf(ledger.service)) report('I3', `${update.id} adopted ${update.adopt} while a release is active`);
      intend(update.id, update.adopt);
      if (answer.seq !== ledger.seq) report('I7', `${update.id} adopted at seq ${answer.seq}, not ${ledger.seq}`);
    },
    ordered(id, { share, seq }) {
      const ledger = targetOf(id);
      if (!(Number.isInteger(share) && 0 <= share && share <= 10_000)) report('I1', `a write of ${share} basis points to ${id}`);
      const intended = ledger.intents.get(seq);
      if (intended === undefined) report('I2', `a write of ${share} with seq ${seq} to ${id}, which was never intended`);
      else if (intended !== share) report('I2', `a write of ${share} with seq ${seq} to ${id}, intended was ${intended}`);
      if (seq < ledger.seq) sometimes('write of an older intent');
      const owner = releases.get(ledger.owners.get(seq) ?? ('' as ReleaseId));
      if (owner && isEnded(owner.release)) ledger.repairs.add(seq);
    },
    landed(id, { share, seq }) {
      const ledger = targetOf(id);
      const owner = releases.get(ledger.owners.get(seq) ?? ('' as ReleaseId));
      // Settling is as long as the slowest write, so that none of a release's own lands after its end. What reconcile
      // ordered later, by the same intent, may be late into the next release: that is drift, and its own bound holds.
      if (owner && isEnded(owner.release) && share !== ledger.second && !ledger.repairs.has(seq))
        report('I6', `a write of ${share} by ${owner.release.id} landed on ${id} after its end`);
    },
    evidence({ canaryVersion, check }, evidence) {
      const key = `${canaryVersion} ${check.name}`;
      const list = evidences.get(key) ?? [];
      evidences.set(key, list);
      if (list.at(-1)?.at !== evidence.at) list.push(evidence);
    },
  };
}

/** Time under watch is added up by the oracle, from the times of the events alone. */
function keepWatch(ledger: Ledger, event: ReleaseEvent): void {
  const stop = (): void => {
    if (ledger.watchedSince !== null) ledger.watchedMs += event.at - ledger.watchedSince;
    ledger.watchedSince = null;
  };
  if (event.type === 'step.entered' || event.type === 'bake.began') {
    ledger.watchedMs = 0;
    ledger.watchedSince = event.at;
  } else if (event.type === 'release.resumed' && event.until !== null) ledger.watchedSince = event.at;
  else if (
    event.type === 'release.paused' ||
    event.type === 'weight.intended' ||
    event.type === 'approval.asked' ||
    event.type === 'replace.began'
  )
    stop();
}

const AFTER_ROLLBACK: ReadonlySet<string> = new Set([
  'weight.intended',
  'weight.verified',
  'weight.failed',
  'hold.began',
  'hold.ended',
  'rollback.unverified',
  'settle.began',
  'release.quarantined',
  'release.rolledBack',
  'release.superseded',
]);

/** Once a rollback is decided nothing but the way back may happen. */
function checkAbsorbing(before: Release, event: ReleaseEvent, report: Report): void {
  if (before.rollback === null) return;
  if (!AFTER_ROLLBACK.has(event.type)) report('I5', `${event.type} after the rollback of ${before.id} was decided`);
  if (event.type === 'weight.intended' && (event.goal !== null || event.weight > NONE))
    report('I5', `${event.weight} is wanted after the rollback of ${before.id} was decided`);
  if (event.type === 'settle.began' && event.outcome === 'promoted')
    report('I5', `${before.id} settles to be promoted after its rollback was decided`);
}

/** The weight that is asked for is the one that the plan has at the place where it leads. */
function checkIntended(before: Release, event: ReleaseEvent, report: Report): void {
  if (event.type !== 'weight.intended') return;
  const { goal, weight } = event;
  if (goal === null) {
    if (weight !== NONE || before.rollback === null) report('I5', `a way back to ${weight} of ${before.id} without a rollback`);
    return;
  }
  const step = goal.kind === 'step' ? before.plan.steps[goal.step] : null;
  const expected =
    goal.kind === 'step'
      ? step?.kind === 'weight'
        ? step.weight
        : null
      : goal.kind === 'bake'
        ? 10_000 - (before.plan.bake?.holdBack ?? 0)
        : goal.kind === 'full'
          ? 10_000
          : 0;
  if (weight !== expected) report('I3', `${before.id} wants ${weight} where its plan says ${expected}`);
  if (goal.kind === 'step' && goal.step !== before.step + 1)
    report('I3', `${before.id} goes from step ${before.step} to step ${goal.step}`);
}

function cover(before: Release, event: ReleaseEvent, sometimes: (name: string) => void): void {
  switch (event.type) {
    case 'verdict.changed':
      return sometimes(`verdict ${event.verdict}`);
    case 'hold.began':
      return sometimes(`hold ${event.reason}`);
    case 'rollback.decided':
      if (before.quarantined !== null) sometimes('rolled back in quarantine');
      return sometimes(`rollback ${event.cause.kind}`);
    case 'release.quarantined':
      return sometimes('quarantined');
    case 'rollback.unverified':
      return sometimes('rollback unverified');
    case 'evidence.restarted':
      return sometimes('evidence restarted');
    case 'approval.expired':
      return sometimes('approval expired');
    case 'replace.confirmed':
      return sometimes(event.by.kind === 'headgate' ? 'replaced by hook' : 'replaced by confirmation');
    case 'weight.intended':
      if (event.forced) sometimes('forced promotion');
      return;
    case 'release.promoted':
    case 'release.rolledBack':
    case 'release.superseded':
      if (event.type === 'release.promoted' && before.first) sometimes('first release promoted');
      return sometimes(`end ${event.type.slice('release.'.length)}`);
    default:
      return;
  }
}
