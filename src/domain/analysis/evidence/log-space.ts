/** Sums of numbers that are kept as their logarithms, because evidence grows beyond what a number holds. */

export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  return high === -Infinity ? -Infinity : high + Math.log1p(Math.exp(Math.min(a, b) - high));
}

export function logSumExp(logs: readonly number[]): number {
  let high = -Infinity;
  for (const log of logs) if (high < log) high = log;
  if (high === -Infinity) return -Infinity;
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - high);
  return high + Math.log(sum);
}

export const logMeanExp = (logs: readonly number[]): number => logSumExp(logs) - Math.log(logs.length);

/** `count` numbers from `low` to `high`, at equal ratios. */
export const logSpaced = (low: number, high: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, k) => Math.exp(Math.log(low) + ((Math.log(high) - Math.log(low)) * k) / (count - 1)));

/**
 * Eight decimals, and three where the number is as good as nothing, rounded down: a state of a few characters a number, which
 * goes through JSON unchanged. Downwards, because evidence may be understated and never overstated. A zero weight is kept
 * as a number that JSON can hold.
 */
export function kept(log: number): number {
  if (log === -Infinity) return NEVER;
  const scale = log < HOPELESS ? 1e3 : 1e8;
  return Math.floor(log * scale + SLACK) / scale;
}

/** What is so much less likely than what is beside it hardly counts. */
const HOPELESS = -50;
/** A number that was rounded before must not sink once more because it has no exact binary form. */
const SLACK = 1e-4;

/** Small enough to be nothing beside anything. */
export const NEVER = -1e9;

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
