/** What each slot of a route answered, counted since the edge started: cumulative, so that any two looks make an interval. */
import type { Instant } from '../../../domain/ids.ts';

/** Upper bounds in ms; finer where services usually are. */
export const BOUNDS_MS: readonly number[] = [
  1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 450, 640, 900, 1_280, 1_800, 2_560, 3_600, 5_120, 7_200,
  10_000, 15_000, 22_000, 30_000,
];

export type SlotCounts = {
  /** Answered by the slot, or failed to be. */
  requests: number;
  /** Answers of 500 and above, and requests that the slot did not answer. */
  errors: number;
  /** The client went away before the answer was whole; neither good nor bad. */
  aborted: number;
  /** Connections upgraded to websockets. */
  upgrades: number;
  readonly buckets: number[];
};

export type RouteCounts = { readonly startedAt: Instant; readonly slots: ReadonlyMap<string, SlotCounts> };

export const slotCounts = (): SlotCounts => ({
  requests: 0,
  errors: 0,
  aborted: 0,
  upgrades: 0,
  buckets: BOUNDS_MS.map(() => 0).concat(0),
});

export const routeCounts = (slots: readonly string[], startedAt: Instant): RouteCounts => ({
  startedAt,
  slots: new Map(slots.map((slot) => [slot, slotCounts()])),
});

export function countAnswer(counts: SlotCounts, answer: { readonly failed: boolean; readonly ms: number }): void {
  counts.requests += 1;
  if (answer.failed) counts.errors += 1;
  const index = BOUNDS_MS.findIndex((bound) => answer.ms <= bound);
  const bucket = index === -1 ? BOUNDS_MS.length : index;
  counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1;
}
