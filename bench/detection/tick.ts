/**
 * What one interval of ten seconds brings, in the form in which the different judges would ask for it: counts, also per
 * stable instance and per route; histograms; gauges; and at the end of every minute that minute as one point.
 */

export const TICK_S = 10;
export const TICKS_PER_MINUTE = 6;
/** Stable instances; one canary instance gets what one of them gets when the canary serves 10 %. */
export const STABLE_INSTANCES = 9;

export type Arm = { readonly n: number; readonly bad: number };
export type Arms = { readonly canary: Arm; readonly stable: Arm };

/** `baseline`: one stable instance, for judges that want a control of the canary's size. */
type Point<T> = { readonly canary: T; readonly stable: T; readonly baseline: T };

type Common = {
  /** Seconds since the canary got its first request, at the end of the interval. */
  readonly atS: number;
  /** The canary's part of the requests. */
  readonly weight: number;
};

export type CountTick = Common & {
  readonly kind: 'counts';
  readonly canary: Arm;
  readonly stable: Arm;
  readonly instances: readonly Arm[];
  /** By route, where the scenario has more than one. */
  readonly strata: Readonly<Record<string, Arms>> | null;
  /** The shares that the counts were drawn with; for the oracle only. */
  readonly truth: { readonly canary: number; readonly stable: number };
  readonly minute: Point<Arm> | null;
};

/** Requests per bucket of `BOUNDS_MS`. */
export type Buckets = Float64Array;

export type LatencyTick = Common & {
  readonly kind: 'latency';
  readonly canary: Buckets;
  readonly stable: Buckets;
  readonly instances: readonly Buckets[];
  readonly minute: Point<Buckets> | null;
};

export type GaugeTick = Common & {
  readonly kind: 'gauge';
  /** One value per instance. */
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  readonly minute: Point<number> | null;
};

export type Tick = CountTick | LatencyTick | GaugeTick;
export type Kind = Tick['kind'];

/** Eight buckets per doubling from 8 ms to 4 s, what is faster or slower in the outermost: native histograms at schema 3. */
const PER_DOUBLING = 8;
const LEAST_LOG2 = 3;
const BUCKETS = 9 * PER_DOUBLING + 1;
const boundMs = (index: number): number => 2 ** (LEAST_LOG2 + index / PER_DOUBLING);
export const BOUNDS_MS: readonly number[] = Array.from({ length: BUCKETS }, (_, index) => boundMs(index));

/** The bucket whose upper bound is the first at or above the value; given as logarithm to base 2 of milliseconds. */
export function bucketOf(log2Ms: number): number {
  return Math.max(0, Math.min(BUCKETS - 1, Math.ceil((log2Ms - LEAST_LOG2) * PER_DOUBLING)));
}

export const noBuckets = (): Buckets => new Float64Array(BUCKETS);

/** Inside a bucket evenly on the logarithmic scale, as Prometheus does for native histograms. NaN without a request. */
export function quantileMs(buckets: Buckets, quantile: number): number {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return NaN;
  let below = 0;
  for (const [index, count] of buckets.entries()) {
    if (count > 0 && quantile * total <= below + count) {
      return boundMs(index - 1 + (quantile * total - below) / count);
    }
    below += count;
  }
  return BOUNDS_MS.at(-1) ?? NaN;
}

/** What sum over count of the histogram would give; every request at the middle of its bucket. */
export function meanMs(buckets: Buckets): number {
  let [total, sum] = [0, 0];
  for (const [index, count] of buckets.entries()) {
    total += count;
    sum += count * boundMs(index - 0.5);
  }
  return total === 0 ? NaN : sum / total;
}
