/**
 * Quantiles and tails of bucket counts. Inside a bucket requests are taken as evenly spread; nothing is known of the
 * open last bucket but its lower bound, and nothing more is pretended.
 */

/** Requests per bucket; one bucket more than bounds, the last one open. */
export type Histogram = { readonly boundsMs: readonly number[]; readonly counts: readonly number[] };

/** `atLeast`: the quantile lies in the open bucket, so `ms` is only its lower bound. */
export type Quantile = { readonly ms: number; readonly atLeast: boolean };

export const requestsIn = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** Null when there is no request. */
export function quantileOf({ boundsMs, counts }: Histogram, quantile: number): Quantile | null {
  const total = requestsIn(counts);
  if (total === 0) return null;
  const rank = quantile * total;
  let below = 0;
  let lower = 0;
  for (const [index, bound] of boundsMs.entries()) {
    const count = counts[index] ?? 0;
    if (0 < count && rank <= below + count) {
      return { ms: lower + ((bound - lower) * (rank - below)) / count, atLeast: false };
    }
    below += count;
    lower = bound;
  }
  return { ms: lower, atLeast: true };
}

/** The finite bound at or above the quantile; the largest one when the quantile lies beyond all. */
export function boundAt(histogram: Histogram, quantile: number): number {
  const found = quantileOf(histogram, quantile);
  return histogram.boundsMs.find((bound) => found !== null && found.ms <= bound) ?? histogram.boundsMs.at(-1) ?? 0;
}

/** Requests slower than `ms`: of the bucket around it in proportion, of the open bucket all. */
export function requestsAbove({ boundsMs, counts }: Histogram, ms: number): number {
  let above = 0;
  let lower = 0;
  for (const [index, count] of counts.entries()) {
    const upper = boundsMs[index];
    if (upper === undefined || ms <= lower) above += count;
    else if (ms < upper) above += (count * (upper - ms)) / (upper - lower);
    lower = upper ?? lower;
  }
  return above;
}
