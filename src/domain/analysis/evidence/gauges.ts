/**
 * Levels of instances, canary against stable: log ratios of means, one pair per interval. Levels drift and depend on their
 * past, so nothing exact can be had; what there is, is asymptotic and says so.
 *
 * With history the scatter of such pairs is known: a one-sided normal mixture (Howard, Ramdas, McAuliffe and Sekhon, "Time-
 * uniform, nonparametric, nonasymptotic confidence sequences", 2021) with the long-run variance of stable's instances among
 * themselves, and a margin for instances that simply differ. Without it pairs are gathered into blocks of five minutes and
 * judged by a t mixture that knows no scatter beforehand (right-Haar prior, half-normal effect).
 */
import { logSumExp } from './log-space.ts';
import { logNormalBelow, studentBelow } from './normal.ts';

export type GaugeTick = { readonly canary: readonly number[]; readonly stable: readonly number[] };

/** What stable's instances were like before: variance per pair in the long run, and how much they differ for good. */
export type Scatter = { readonly longRun: number; readonly between: number };

export type Gauges = {
  readonly scatter: Scatter | null;
  /** Pairs and the sum of their excess over what is tolerated. */
  readonly pairs: number;
  readonly excess: number;
  /** Sum of the plain log ratios: the effect that is shown. */
  readonly logRatios: number;
  readonly block: { readonly pairs: number; readonly sum: number; readonly since: number | null };
  /** Blocks: how many, their mean and the squared distances from it. */
  readonly blocks: { readonly count: number; readonly mean: number; readonly squares: number };
};

export type GaugeSpec = {
  readonly tolerance: number;
  readonly floor: number;
  readonly fewerIsWorse: boolean;
  readonly alpha: number;
};

const BLOCK_MS = 300_000;
/** Pairs after which the normal mixture is sharpest. */
const SHARPEST = 20;
const BETWEEN_FACTOR = 3;
/** Deviations of a pair that count, so that no single look decides: three are needed for one in a hundred. */
const LARGEST_PAIR = 2.5;
/** A scatter that only rounding makes. */
const UNMOVED = 1e-12;

export const noGauges = (scatter: Scatter | null): Gauges => ({
  scatter,
  pairs: 0,
  excess: 0,
  logRatios: 0,
  block: { pairs: 0, sum: 0, since: null },
  blocks: { count: 0, mean: 0, squares: 0 },
});

/** Null where there is no ratio: a level below nothing, or nothing at all on one side. */
function logRatioOf({ canary, stable }: GaugeTick, floor: number): number | null {
  if (canary.length === 0 || stable.length === 0) return null;
  const [above, below] = [mean(canary) + floor, mean(stable) + floor];
  if (above === 0 && below === 0) return 0;
  const ratio = above > 0 && below > 0 ? Math.log(above / below) : NaN;
  return Number.isFinite(ratio) ? ratio : null;
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Null where the interval says nothing. */
export function observeGauges(
  before: Gauges,
  tick: GaugeTick,
  spec: GaugeSpec,
  span: { from: number; to: number },
): Gauges | null {
  const plain = logRatioOf(tick, spec.floor);
  if (plain === null) return null;
  const ratio = spec.fewerIsWorse ? -plain : plain;
  const margin =
    Math.log1p(spec.tolerance) +
    BETWEEN_FACTOR * (before.scatter?.between ?? 0) * Math.sqrt(1 / tick.canary.length + 1 / tick.stable.length);
  const most = LARGEST_PAIR * Math.sqrt(before.scatter?.longRun ?? Infinity);
  return {
    ...before,
    ...blocked(before, ratio - margin, span),
    pairs: before.pairs + 1,
    excess: before.excess + Math.min(ratio - margin, most),
    logRatios: before.logRatios + plain,
  };
}

function blocked(
  { block, blocks }: Gauges,
  excess: number,
  { from, to }: { from: number; to: number },
): Pick<Gauges, 'block' | 'blocks'> {
  const since = block.since ?? from;
  const gathered = { pairs: block.pairs + 1, sum: block.sum + excess, since };
  if (to - since < BLOCK_MS) return { block: gathered, blocks };
  const value = gathered.sum / gathered.pairs;
  const count = blocks.count + 1;
  const nearer = blocks.mean + (value - blocks.mean) / count;
  return {
    block: { pairs: 0, sum: 0, since: to },
    blocks: { count, mean: nearer, squares: blocks.squares + (value - blocks.mean) * (value - nearer) },
  };
}

/** Log of the evidence that the canary's level is higher than tolerated. */
export function gaugesWorth({ scatter, pairs, excess, blocks }: Gauges, alpha: number): number {
  if (scatter !== null) return normalMixture(excess, pairs * scatter.longRun, mixtureWidth(SHARPEST * scatter.longRun, alpha));
  return blocks.count < 2 ? 0 : studentMixture(blocks.count, blocks.mean, blocks.squares);
}

/** Width of the mixture that is sharpest when the variance so far is `sharpest`. */
export function mixtureWidth(sharpest: number, alpha: number): number {
  const log = Math.log(1 / (2 * alpha));
  return sharpest / (2 * log + Math.log(1 + 2 * log));
}

export function normalMixture(sum: number, variance: number, width: number): number {
  if (variance <= 0) return 0;
  const all = variance + width;
  return 0.5 * Math.log((4 * width) / all) + (sum * sum) / (2 * all) + logNormalBelow(sum / Math.sqrt(all));
}

export function studentMixture(count: number, average: number, squares: number): number {
  const freedom = count - 1;
  const all = squares + (count * average * average) / (count + 1);
  if (all <= 0) return 0;
  if (squares <= 0) return average > 0 ? 0.5 * freedom * Math.log(1 + count) : 0;
  const t2 = (count * average * average * freedom) / squares;
  const widened = 1 + count;
  const shift = ((count * average) / Math.sqrt(widened)) * Math.sqrt(count / all);
  return (
    -0.5 * Math.log(widened) +
    ((freedom + 1) / 2) * (Math.log1p(t2 / freedom) - Math.log1p(t2 / (freedom * widened))) +
    Math.log(2 * studentBelow(shift, count))
  );
}

/**
 * Long-run variance per pair and difference between instances, from each instance against the mean of all at the same
 * time: what they have in common cancels. Null with fewer than two instances or four blocks, and where nothing moved: levels
 * of no scatter at all would make none of any evidence.
 */
export function scatterOf(history: readonly Readonly<Record<string, number>>[], stepMs: number): Scatter | null {
  const names = Object.keys(history[0] ?? {}).filter((name) => history.every((at) => (at[name] ?? 0) > 0));
  const perBlock = Math.max(1, Math.round(BLOCK_MS / stepMs));
  const blockCount = Math.floor(history.length / perBlock);
  if (names.length < 2 || blockCount < 4) return null;
  const logs = history.map((at) => {
    const own = names.map((name) => Math.log(at[name] ?? 1));
    const common = logSumExp(own) - Math.log(own.length);
    return own.map((log) => log - common);
  });
  const spread = names.length / (names.length - 1);
  const perInstance = names.map((_, index) => {
    const blocks = Array.from({ length: blockCount }, (_unused, block) =>
      mean(logs.slice(block * perBlock, (block + 1) * perBlock).map((row) => row[index] ?? 0)),
    );
    return { level: mean(blocks), longRun: perBlock * variance(blocks) };
  });
  const longRun = 1.2 * spread * mean(perInstance.map((one) => one.longRun)) * (1 + 1 / names.length);
  return UNMOVED < longRun && longRun < Infinity
    ? { longRun, between: Math.sqrt(spread * variance(perInstance.map(({ level }) => level))) }
    : null;
}

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, values.length - 1);
}
