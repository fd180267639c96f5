/**
 * What the service wrote down, held against what was seen from outside: logs that replay, weights that were never above the
 * approved one, and notices that everybody who should have heard did hear.
 */
import { isDeepStrictEqual } from 'node:util';
import { replay } from '../../src/domain/evolve.ts';
import type { ReleaseEvent } from '../../src/domain/event.ts';
import { Instant, ReleaseId, Weight } from '../../src/domain/ids.ts';
import { canaryWeight } from '../../src/domain/target.ts';
import type { Slots } from '../../src/domain/target.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import type { Sighting } from './observer.ts';

export type Ledger = {
  readonly releases: number;
  /** Of all releases, by time. */
  readonly events: readonly ReleaseEvent[];
  /** Ids of delivered or parked events, and of those that still wait. */
  readonly pending: readonly string[];
  readonly broken: readonly string[];
};

export async function readLedger(file: string): Promise<Ledger> {
  const store = await openSqlite({ file, now: () => Instant(Date.now()) });
  try {
    const broken: string[] = [];
    const events: ReleaseEvent[] = [];
    let releases = 0;
    for (let cursor: string | null = null; ;) {
      const page = await store.releases({ service: null, phases: null, limit: 100, cursor });
      for (const { release } of page.rows) {
        releases++;
        const log = await store.releaseEvents(ReleaseId(release.id), { afterSeq: 0, limit: 100_000 });
        events.push(...log.rows);
        if (log.rows.some((event, index) => event.seq !== index + 1)) broken.push(`release ${release.id} has a gap in its log`);
        if (!isDeepStrictEqual(replay(log.rows), release))
          broken.push(`the log of release ${release.id} replays to another state`);
      }
      if (page.next === null) break;
      cursor = page.next;
    }
    const { rows } = await store.deliveries({ limit: 100_000, before: null });
    const pending = rows.filter(({ state }) => state === 'pending').map(({ eventId }) => eventId);
    return { releases, events: events.toSorted((a, b) => a.at - b.at || a.seq - b.seq), pending, broken };
  } finally {
    await store.close();
  }
}

const SLOTS: Slots = ['blue', 'green'];
/** An observer is as late as its period, and as a call to a busy node. */
const LATE_MS = 500;
/** Two processes on one machine read one clock. */
const EARLY_MS = 30;

type Allowed = { readonly at: number; readonly stableSlot: string; readonly weight: Weight };

/** The highest weight of the canary that was approved, from each instant on. */
function allowedBy(events: readonly ReleaseEvent[]): readonly Allowed[] {
  const allowed: Allowed[] = [{ at: 0, stableSlot: SLOTS[0], weight: Weight(0) }];
  for (const event of events) {
    const { stableSlot, weight } = allowed.at(-1)!;
    const at = event.at as number;
    if (event.type === 'weight.intended') allowed.push({ at, stableSlot, weight: Weight(Math.max(weight, event.weight)) });
    else if (event.type === 'release.promoted')
      allowed.push({ at, stableSlot: stableSlot === SLOTS[0] ? SLOTS[1] : SLOTS[0], weight: Weight(0) });
    else if (event.type === 'release.rolledBack') allowed.push({ at, stableSlot, weight: Weight(0) });
  }
  return allowed;
}

/** Sightings of more canary than was approved by then. */
export function overexposed(events: readonly ReleaseEvent[], sightings: readonly Sighting[]): readonly string[] {
  const allowed = allowedBy(events);
  return sightings.flatMap(({ node, at, secondShare }) => {
    const held = allowed.filter((one, index) => {
      const until = allowed[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      return one.at <= at + EARLY_MS && at - LATE_MS <= until;
    });
    const isAllowed = held.some((one) => canaryWeight(SLOTS, one.stableSlot, Weight(secondShare)) <= one.weight);
    return isAllowed
      ? []
      : [`node ${node} served ${secondShare} on ${SLOTS[1]} at ${new Date(at).toISOString()}, allowed ${held.at(-1)?.weight}`];
  });
}
