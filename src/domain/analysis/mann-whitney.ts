/**
 * By how much one sample lies above another, without assuming a shape: the rank-sum test of Mann and Whitney, turned
 * round into an interval for the shift between the two. Normal approximation with the corrections for ties and for
 * continuity, as `wilcox.test(exact = FALSE, conf.int = TRUE)` of R does it and as Kayenta's judge does after R.
 *
 * The root is searched to an absolute 1e-4, whatever the scale of the values: so does Kayenta, and its verdicts depend on
 * it. For values near or below 1e-4 the ends of the interval are therefore coarse; who wants finer ones scales first.
 * Source: Bauer, "Constructing confidence sets using rank statistics", 1972; Brent, "Algorithms for Minimization without
 * Derivatives", 1973, chapter 4.
 */

/** Standard normal quantile of a two-sided interval of 98 %: what Kayenta decides by. */
const QUANTILE_98 = 2.3263478740408408;
/** And of 95 %, the default of R. */
export const QUANTILE_95 = 1.9599639845400545;

export type Shift = { readonly low: number; readonly high: number; readonly estimate: number };

/**
 * How far `sample` lies above `other`, as an interval and as the shift that makes the ranks of both even. Neither may be
 * empty, and not all values may be the same: the ranks of equal values say nothing, and a RangeError says so.
 */
export function shiftBetween(sample: readonly number[], other: readonly number[], quantile = QUANTILE_98): Shift {
  const arms = { sample: sorted(sample), other: sorted(other) };
  const least = first(arms.sample) - last(arms.other);
  const most = last(arms.sample) - first(arms.other);
  const deviation = (shift: number): number => rankDeviation(arms, shift);
  const [atLeast, atMost] = [deviation(least), deviation(most)];
  const bound = (wanted: number): number => {
    if (atLeast - wanted <= 0) return least;
    if (atMost - wanted >= 0) return most;
    return rootOf((shift) => deviation(shift) - wanted, least, most);
  };
  return { low: bound(quantile), high: bound(-quantile), estimate: rootOf(deviation, least, most) };
}

/** Both samples in ascending order. */
type Arms = { readonly sample: Float64Array; readonly other: Float64Array };

/**
 * How far the rank sum of `sample`, lowered by `shift`, is from what chance would give it, in standard deviations. Falls
 * in steps as the shift grows.
 */
function rankDeviation({ sample, other }: Arms, shift: number): number {
  const [n, m] = [sample.length, other.length];
  let rankSum = 0;
  let ties = 0;
  let [i, j] = [0, 0];
  while (i < n || j < m) {
    const value = Math.min(i < n ? (sample[i] ?? 0) - shift : Infinity, j < m ? (other[j] ?? 0) : Infinity);
    const before = i + j;
    const firstOwn = i;
    while (i < n && (sample[i] ?? 0) - shift === value) i++;
    while (j < m && other[j] === value) j++;
    const count = i + j - before;
    // Equal values share the middle of the ranks that they take.
    rankSum += (i - firstOwn) * (before + (count + 1) / 2);
    ties += count ** 3 - count;
  }
  const excess = rankSum - (n * (n + 1)) / 2 - (n * m) / 2;
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  if (!(0 < variance)) throw new RangeError('ranks say nothing when all values are the same');
  return (excess - 0.5 * Math.sign(excess)) / Math.sqrt(variance);
}

const TOLERANCE = 1e-4;
const STEPS_MAX = 1000;

/** Brent's search between two ends at which the function has different signs. */
function rootOf(at: (x: number) => number, from: number, to: number): number {
  let [a, b, c] = [from, to, from];
  let [fa, fb] = [at(from), at(to)];
  let fc = fa;
  if (fa === 0) return a;
  for (let step = 0; step <= STEPS_MAX && fb !== 0; step++) {
    const before = b - a;
    // `b` is the best guess, `a` the one before it, and the root lies between `b` and `c`.
    if (Math.abs(fc) < Math.abs(fb)) {
      [a, b, c] = [b, c, b];
      [fa, fb, fc] = [fb, fc, fb];
    }
    const near = 2 * Number.EPSILON * Math.abs(b) + TOLERANCE / 2;
    const half = (c - b) / 2;
    if (Math.abs(half) <= near) return b;
    const move = nextMove({ a, b, c }, { fa, fb, fc }, { before, near, half });
    [a, fa] = [b, fb];
    b += Math.abs(move) < near ? (move > 0 ? near : -near) : move;
    fb = at(b);
    if ((fb > 0 && fc > 0) || (fb < 0 && fc < 0)) [c, fc] = [a, fa];
  }
  return b;
}

type Points = { readonly a: number; readonly b: number; readonly c: number };
type Values = { readonly fa: number; readonly fb: number; readonly fc: number };
type Limits = { readonly before: number; readonly near: number; readonly half: number };

/** By interpolation where that stays well inside and gets nearer fast enough, by halving where it does not. */
function nextMove({ a, b, c }: Points, { fa, fb, fc }: Values, { before, near, half }: Limits): number {
  if (Math.abs(before) < near || Math.abs(fa) <= Math.abs(fb)) return half;
  const width = c - b;
  const ratio = fb / fa;
  let [p, q] = [width * ratio, 1 - ratio];
  if (a !== c) {
    const [outer, inner] = [fa / fc, fb / fc];
    p = ratio * (width * outer * (outer - inner) - (b - a) * (inner - 1));
    q = (outer - 1) * (inner - 1) * (ratio - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  return p < 0.75 * width * q - Math.abs(near * q) / 2 && p < Math.abs((before * q) / 2) ? p / q : half;
}

const sorted = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();
const first = (values: Float64Array): number => values[0] ?? 0;
const last = (values: Float64Array): number => values.at(-1) ?? 0;
