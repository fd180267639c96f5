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
 * Nine decimals, rounded down: a state of a few characters a number, which goes through JSON unchanged. Downwards, because
 * evidence may be understated and never overstated. A zero weight is kept as a number that JSON can hold.
 */
export const kept = (log: number): number => (log === -Infinity ? NEVER : Math.floor(log * 1e9) / 1e9);

/** Small enough to be nothing beside anything. */
export const NEVER = -1e9;

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
