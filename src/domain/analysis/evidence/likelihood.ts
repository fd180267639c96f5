/**
 * Log e-values of one interval: how much more likely its counts are if the canary is worse than if it is within its
 * tolerance, `canary <= factor x stable + floor`, whatever stable's own rate is in that interval.
 *
 * For an alternative (canary, stable) the null point that is closest to it in information is taken (reverse information
 * projection, Grünwald, de Heide and Koolen, "Safe Testing", 2024; for 2x2 tables Turner, Ly and Grünwald, 2024). Then the
 * expectation of the e-value is at most 1 at *every* null point: it grows with the canary's rate, so the boundary is worst,
 * and along the boundary its logarithm is concave in stable's rate with its maximum 0 at the projection. That is tested by
 * summing over all outcomes (likelihood.test.ts).
 */
import { clamp } from './log-space.ts';

/** Requests and bad ones; or exposure and events. Fractions are fine. */
export type Arm = { readonly n: number; readonly bad: number };

export type Limit = { readonly factor: number; readonly floor: number };

export type Alternative = { readonly canary: number; readonly stable: number };

/** Three or four are enough where bad requests are rare; near a share of 1 it takes more. */
const NEWTON_STEPS = 40;
const NEAR = 1e-11;
const LEAST = 1e-12;

/** Stable's rate at the null point that is closest to the alternative, for shares. */
export function closestShare(canary: number, stable: number, alternative: Alternative, limit: Limit): number {
  const { factor, floor } = limit;
  if (floor === 0) {
    const a = factor * (canary + stable);
    const b = canary * (alternative.canary + factor) + stable * (1 + factor * alternative.stable);
    const c = canary * alternative.canary + stable * alternative.stable;
    return (2 * c) / (b + Math.sqrt(Math.max(0, b * b - 4 * a * c)));
  }
  let low = alternative.stable;
  let high = (alternative.canary - floor) / factor;
  let share = clamp(closestRate(canary, stable, alternative, limit), low, high);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const onLimit = factor * share + floor;
    const slope = canary * factor * pull(alternative.canary, onLimit) + stable * pull(alternative.stable, share);
    if (slope > 0) low = share;
    else high = share;
    const bend =
      canary * factor * factor * pullSlope(alternative.canary, onLimit) + stable * pullSlope(alternative.stable, share);
    const next = share - slope / bend;
    const before = share;
    share = low <= next && next <= high ? next : (low + high) / 2;
    if (Math.abs(share - before) <= NEAR * share) break;
  }
  return share;
}

/** Derivative of a log likelihood by its share, for one request of rate `share`, and the derivative of that. */
const pull = (share: number, at: number): number => (share - at) / (at * (1 - at));
function pullSlope(share: number, at: number): number {
  const spread = at * (1 - at);
  return -1 / spread - ((share - at) * (1 - 2 * at)) / (spread * spread);
}

/** The same for events of a rate: a quadratic equation. */
export function closestRate(canary: number, stable: number, alternative: Alternative, { factor, floor }: Limit): number {
  const a = factor * (canary * factor + stable);
  const b = canary * factor * (alternative.canary - floor) + stable * (factor * alternative.stable - floor);
  const c = stable * alternative.stable * floor;
  return (b + Math.sqrt(b * b + 4 * a * c)) / (2 * a);
}

/** Log e-value of shares of two arms. */
export function logShares(canary: Arm, stable: Arm, alternative: Alternative, limit: Limit): number {
  const closest = closestShare(canary.n, stable.n, alternative, limit);
  const canaryNull = clamp(limit.factor * closest + limit.floor, LEAST, 1 - LEAST);
  const stableNull = clamp(closest, LEAST, 1 - LEAST);
  return logShare(canary, alternative.canary, canaryNull) + logShare(stable, alternative.stable, stableNull);
}

/** Log e-value of a share against a fixed one. With `null` a promised limit, the test of one arm. */
export function logShare({ n, bad }: Arm, alternative: number, nullShare: number): number {
  return bad * Math.log(alternative / nullShare) + (n - bad) * (Math.log1p(-alternative) - Math.log1p(-nullShare));
}

/** Log e-value of events of two arms, counted against exposures. */
export function logRates(canary: Arm, stable: Arm, alternative: Alternative, limit: Limit): number {
  const closest = closestRate(canary.n, stable.n, alternative, limit);
  return logRate(canary, alternative.canary, limit.factor * closest + limit.floor) + logRate(stable, alternative.stable, closest);
}

function logRate({ n, bad }: Arm, alternative: number, nullRate: number): number {
  return (bad === 0 ? 0 : bad * Math.log(alternative / nullRate)) - n * (alternative - nullRate);
}

/** Log likelihood of a ratio of rates, given how many events both arms had together: what intervals and proofs are made of. */
export function logRatio(canary: Arm, stable: Arm): (ratio: number) => number {
  const bad = canary.bad + stable.bad;
  const [logCanary, logStable] = [Math.log(canary.n), Math.log(stable.n)];
  const fixed = canary.bad * logCanary + stable.bad * logStable;
  return (ratio) => (bad === 0 ? 0 : fixed + canary.bad * Math.log(ratio) - bad * Math.log(ratio * canary.n + stable.n));
}
