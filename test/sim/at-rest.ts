/**
 * After everything has healed: each release ends, each node serves what is wanted, each event has been heard, and what is
 * stored is what was committed (invariants 6, 7, 8, 12 and 13).
 */
import { isDeepStrictEqual } from 'node:util';
import { replay } from '../../src/domain/evolve.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { TargetId, Weight } from '../../src/domain/ids.ts';
import { isEnded } from '../../src/domain/release.ts';
import type { Release } from '../../src/domain/release.ts';
import { canaryWeight } from '../../src/domain/target.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Oracle, Report } from './oracle.ts';
import type { Receipts } from './receivers.ts';
import type { SimRouter } from './router.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type RestWorld = {
  readonly clock: VirtualClock;
  readonly oracle: Oracle;
  readonly store: Store;
  readonly storeNow: () => Instant;
  readonly routers: ReadonlyMap<TargetId, SimRouter>;
  /** Targets that take over what somebody set by hand. */
  readonly adopting: ReadonlySet<TargetId>;
  readonly receipts: Receipts;
  readonly report: Report;
  readonly sometimes: (name: string) => void;
  /** However long the releases of this world may queue behind each other. */
  readonly patienceMs: number;
};

const LIVENESS_MS = 120_000;
const OUTBOX_MS = 8 * 3_600_000;
const LOOK_MS = 10_000;
const EVERYTHING = 100_000;

export const unended = ({ releases }: Oracle): readonly Release[] =>
  [...releases.values()].map(({ release }) => release).filter((release) => !isEnded(release));

/** Everything that waits has an end: the deadline, then the way back and its settling. */
export function checkLiveness({ clock, oracle, storeNow, report, patienceMs }: RestWorld, healedMs: number): void {
  const now = storeNow();
  // Store time may run one part in a hundred slower or faster while it follows a step of the wall clock.
  const healedAt = Instant(now - Math.round((clock.nowMs() - healedMs) * 1.01));
  for (const { id, phase, hold, deadlineAt, settleMs } of unended(oracle)) {
    if (deadlineAt === null) continue;
    const from = Math.max(deadlineAt, healedAt);
    if (from + LIVENESS_MS + 2 * settleMs < now)
      return report(
        'I12',
        `${id} is still ${phase.kind} (${hold?.reason ?? 'no hold'}) ${now - from} ms after its deadline and the healing`,
      );
  }
  const names = unended(oracle).map(({ id, phase }) => `${id} ${phase.kind}`);
  if (names.length > 0 && clock.nowMs() - healedMs > patienceMs) report('I12', `${names.join(', ')} hours after the healing`);
}

/** Lets the world go on until nothing waits to be delivered. */
export async function drainOutbox({ clock, store, report }: RestWorld, isOver: () => boolean): Promise<void> {
  // A release may end long after everything healed, and what it says then is as new as that.
  const fromMs = clock.nowMs();
  while (!isOver()) {
    const { rows } = await store.deliveries({ limit: EVERYTHING, before: null });
    const pending = rows.filter((row) => row.state === 'pending');
    if (pending.length === 0) return;
    if (clock.nowMs() - fromMs > OUTBOX_MS)
      return report('I13', `event ${pending.at(-1)?.eventId} was neither delivered nor parked`);
    await clock.run(clock.nowMs() + LOOK_MS, isOver);
  }
}

/** A person enables a receiver and has it told what it missed. */
export async function tellAgain(store: Store, notifier: string): Promise<void> {
  const entry = (action: string) => ({ actor: 'ann', action, subject: notifier, reason: null, data: {} });
  await store.enableEndpoint(notifier, entry('webhook.enable'));
  await store.requeue({ kind: 'parked', notifier, subject: null, limit: EVERYTHING }, entry('webhook.replay'));
}

export async function checkRest(world: RestWorld): Promise<void> {
  checkServed(world);
  await checkReceipts(world);
  await checkStored(world);
}

function checkServed({ oracle, routers, adopting, report }: RestWorld): void {
  for (const { target, slots, nodes } of routers.values()) {
    const wanted = oracle.wantedOf(target);
    const canary = (share: Weight): Weight => canaryWeight(slots, oracle.stableOf(oracle.targets.get(target)!.service), share);
    for (const { name, share } of nodes) {
      // A share that was taken over from a person's hand may be lowered by hand again, on some of the nodes.
      const isLoweredAgain = adopting.has(target) && canary(share) < canary(wanted);
      if (share !== wanted && !isLoweredAgain) report('I6', `at rest ${name} serves ${share}, wanted ${wanted}`);
    }
  }
}

async function checkReceipts({ oracle, store, receipts, report, sometimes }: RestWorld): Promise<void> {
  const { rows } = await store.deliveries({ limit: EVERYTHING, before: null });
  const parked = new Set(rows.filter((row) => row.state === 'replaced').map((row) => `${row.notifier} ${row.eventId}`));
  if (parked.size > 0) sometimes('event parked');
  if (rows.some(({ detail, state }) => state === 'replaced' && detail?.includes('disabled'))) sometimes('receiver disabled');
  for (const { notify } of [...oracle.releases.values(), ...oracle.targets.values()])
    for (const [event, names] of notify)
      for (const name of names) if (!receipts.has(name, event)) report('I13', `${event} never reached ${name}`);
  for (const { notifier, id } of receipts.disorder)
    if (!parked.has(`${notifier} ${id}`)) report('I13', `${id} reached ${notifier} after a later one`);
}

async function checkStored({ oracle, store, report }: RestWorld): Promise<void> {
  for (const [id, ledger] of oracle.releases) {
    const stored = await store.release(id);
    const { rows: events } = await store.releaseEvents(id, { afterSeq: 0, limit: EVERYTHING });
    if (stored?.revision !== ledger.revision)
      report('I8', `${id} is stored at revision ${stored?.revision}, and ${ledger.revision} was committed`);
    if (!isDeepStrictEqual(events, ledger.events))
      report('I7', `the stored log of ${id} is not what was committed: ${events.length} of ${ledger.events.length} events`);
    else if (!isDeepStrictEqual(replay(events), stored?.release))
      report('I7', `the stored log of ${id} does not replay to its state`);
  }
}
