/**
 * How many times as many: the ratio of canary's rate to stable's with an interval that holds at every look, not only at the
 * last one. It is the set of ratios that a mixture over all of them has not refuted (Ville's inequality again), from the
 * conditional likelihood in which stable's own rate cancels, interval by interval.
 */
import { logRatio } from './likelihood.ts';
import type { Arm } from './likelihood.ts';
import { logSpaced, logSumExp } from './log-space.ts';

/** Log likelihood of each ratio, less that of the likeliest. */
export type Effect = readonly number[];

const COUNT = 161;
const RATIOS = logSpaced(1 / 64, 64, COUNT);
/** Chance that an interval ever misses. */
const MISS = 0.05;

/** An end is null where the interval is open. */
export type RatioEstimate = { readonly estimate: number; readonly low: number | null; readonly high: number | null };

export const noEffect = (): Effect => RATIOS.map(() => 0);

export function observeEffect(before: Effect, canary: Arm, stable: Arm, dispersion: number): Effect {
  if (canary.n <= 0 || stable.n <= 0 || canary.bad + stable.bad === 0) return before;
  const likelihood = logRatio(canary, stable);
  const after = before.map((log, index) => log + likelihood(RATIOS[index] ?? 1) / dispersion);
  const most = Math.max(...after);
  return after.map((log) => rounded(log - most));
}

/** Four decimals where it matters: the state stays small. */
const rounded = (log: number): number => (log < -100 ? Math.round(log) : Math.round(log * 1e4) / 1e4 + 0);

/** Null before anything bad was seen: then every small ratio is as likely as the next. An end of the grid is an open end. */
export function estimateOf(effect: Effect): RatioEstimate | null {
  const all = logSumExp(effect) - Math.log(COUNT);
  const inside = RATIOS.filter((_, index) => all - (effect[index] ?? 0) < Math.log(1 / MISS));
  const estimate = RATIOS[effect.indexOf(0)];
  if (estimate === undefined || effect.every((log) => log === 0)) return null;
  return { estimate, low: openBelow(inside[0]), high: openAbove(inside.at(-1)) };
}

/** The ratio that the canary surely has at least, with a confidence of 1 - `miss` at every look; null where nothing is sure. */
export function atLeast(effect: Effect, miss: number): number | null {
  const all = logSumExp(effect) - Math.log(COUNT);
  return openBelow(RATIOS[effect.findIndex((log) => all - log < Math.log(1 / miss))]);
}

const openBelow = (ratio: number | undefined): number | null => (ratio === undefined || ratio <= (RATIOS[0] ?? 0) ? null : ratio);
const openAbove = (ratio: number | undefined): number | null =>
  ratio === undefined || (RATIOS.at(-1) ?? 0) <= ratio ? null : ratio;
