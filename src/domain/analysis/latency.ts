/**
 * Slow requests, from histograms. Stable's quantile is rounded up to the bound of its bucket, and the share of canary
 * requests slower than that bound is held against stable's: counts are compared and never two estimated quantiles, whose
 * uncertainty nobody knows. Absolute limits look at the canary's own quantile, interpolated inside its bucket.
 */
import type { LatencyCheck } from '../plan.ts';
import { againstWords, armWords, compare, NOTHING_TO_COMPARE } from './compare.ts';
import { collecting, HARD_MIN_BAD, HARD_MIN_REQUESTS } from './finding.ts';
import type { Finding } from './finding.ts';
import { boundAt, quantileOf, requestsAbove, requestsIn } from './histogram.ts';
import type { Quantile } from './histogram.ts';
import type { Arm } from './likelihood-ratio.ts';
import type { State } from './state.ts';
import { msWords, plural } from './words.ts';

/**
 * Tail that is accepted on top of stable's, as a part of the tail that the quantile speaks of. Buckets are coarse: where
 * nearly nothing of stable is above the bound, a few more requests there are no slower canary.
 */
const TAIL_FLOOR = 0.1;

export function findLatency(check: LatencyCheck, state: State): Finding {
  const tail = tailOf(check, state);
  const { own, slow, stableSlow, bound } = tail;
  const isOver = check.maxMs !== null && own !== null && check.maxMs < own.ms;
  const broken = hardBroken(check, state);
  const name = `canary ${check.name} p${+(100 * check.quantile).toFixed(3)}`;
  const hardLimit = msWords(check.hardMaxMs ?? 0);
  return {
    breached: (tail.breached || isOver) && check.minRequests <= slow.n,
    hard: broken && `${name} ${quantileWords(broken)} of ${plural(broken.n, 'request')}, above the hard limit ${hardLimit}`,
    undecided: undecided(check, own, { requests: slow.n, stableRequests: stableSlow.n }),
    sentence: own === null ? `${name} unknown` : `${name} ${quantileWords(own)}${maxWords(check, isOver)}${tail.words}`,
    requests: slow.n,
    canary: broken ? { n: broken.n, bad: broken.bad, value: broken.ms } : { ...slow, value: own?.ms ?? null },
    stable: { ...stableSlow, value: tail.stableMs },
    limit: broken ? check.hardMaxMs : isOver || stableSlow.n === 0 ? (check.maxMs ?? check.hardMaxMs) : bound,
  };
}

function tailOf(check: LatencyCheck, { boundsMs: bounds, canary: counts, stable: stableCounts }: State) {
  const boundsMs = bounds ?? [];
  const canary = { boundsMs, counts };
  const stable = { boundsMs, counts: stableCounts };
  const bound = boundAt(requestsIn(stableCounts) === 0 ? canary : stable, check.quantile);
  const slow: Arm = { n: requestsIn(counts), bad: requestsAbove(canary, bound) };
  const stableSlow: Arm = { n: requestsIn(stableCounts), bad: requestsAbove(stable, bound) };
  const limits = { factor: 1 + check.tolerance, floor: TAIL_FLOOR * (1 - check.quantile), max: null };
  const { breached, standing } = compare(slow, stableSlow, limits);
  return {
    bound,
    slow,
    stableSlow,
    breached,
    own: quantileOf(canary, check.quantile),
    stableMs: quantileOf(stable, check.quantile)?.ms ?? null,
    words: `; slower than ${msWords(bound)}: ${armWords(slow)}${againstWords(stableSlow)}${standing}`,
  };
}

type Seen = { readonly requests: number; readonly stableRequests: number };

function undecided(check: LatencyCheck, own: Quantile | null, { requests, stableRequests }: Seen): string | null {
  if (requests < check.minRequests) return collecting(requests, check.minRequests);
  const limits = [check.maxMs, check.hardMaxMs].filter((limit) => limit !== null);
  if (stableRequests === 0 && limits.length === 0) return NOTHING_TO_COMPARE;
  const isUntold = own !== null && own.atLeast && limits.some((limit) => own.ms <= limit);
  if (!isUntold) return null;
  return `canary ${check.name} is beyond the largest bucket, ${msWords(own.ms)}: whether it is within its limit cannot be told`;
}

type Broken = Quantile & Arm;

/** As for a ratio, the slowest few of a few are no evidence: at least some must be above the limit. */
function hardBroken({ hardMaxMs, quantile }: LatencyCheck, { newest, exposed, boundsMs }: State): Broken | null {
  if (hardMaxMs === null) return null;
  for (const counts of [newest ?? [], exposed]) {
    const histogram = { boundsMs: boundsMs ?? [], counts };
    const arm = { n: requestsIn(counts), bad: requestsAbove(histogram, hardMaxMs) };
    const own = quantileOf(histogram, quantile);
    const isTelling = HARD_MIN_REQUESTS <= arm.n && HARD_MIN_BAD <= arm.bad;
    if (isTelling && own !== null && hardMaxMs < own.ms) return { ...arm, ...own };
  }
  return null;
}

const quantileWords = ({ ms, atLeast }: Quantile): string => `${atLeast ? 'at least ' : ''}${msWords(ms)}`;

const maxWords = ({ maxMs }: LatencyCheck, isOver: boolean): string =>
  maxMs === null ? '' : `, ${isOver ? 'above' : 'within'} the limit ${msWords(maxMs)}`;
