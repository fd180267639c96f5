/** What is bet on: a canary some times as bad as is tolerated, given what stable was like before. */
import type { Alternative, Limit } from './likelihood.ts';
import { clamp } from './log-space.ts';

const LEAST = 1e-9;
/** From here on a multiple of a share is one of its odds, since a share ends at 1. */
const HALF = 0.5;
/** Where so much is tolerated, everything is: no share is worse than nearly all. */
const ALL = 0.999;

/**
 * Null where nothing is worse than what is tolerated: an alternative that the null hypothesis contains would be a bet on a
 * *better* canary. `stable` may come from the past only.
 */
export function shareAlternatives(stable: number, { factor, floor }: Limit): (ratio: number) => Alternative | null {
  const share = clamp(stable, LEAST, 1 - LEAST);
  const tolerated = factor * share + floor;
  if (ALL <= tolerated) return () => null;
  return (ratio) => {
    const canary = multiple(tolerated, ratio);
    return canary <= tolerated ? null : { canary, stable: share };
  };
}

/** So many times a share; of its odds where that would pass a half. */
export function multiple(share: number, ratio: number): number {
  const plain = ratio * share;
  if (plain < HALF) return plain;
  const odds = (ratio * share) / (1 - share);
  return Math.min(Math.max(odds / (1 + odds), HALF), 1 - LEAST);
}

export function rateAlternatives(stable: number, { factor, floor }: Limit): (ratio: number) => Alternative {
  const rate = Math.max(stable, LEAST);
  return (ratio) => ({ canary: ratio * (factor * rate + floor), stable: rate });
}

/** What is bet on by a check: `stable` is what stable was like, whichever side is worse. */
export function alternativesOf(
  stable: number,
  limit: Limit,
  { isRate, fewerIsWorse }: { readonly isRate: boolean; readonly fewerIsWorse: boolean },
): (ratio: number) => Alternative | null {
  if (fewerIsWorse) return fewerAlternatives(isRate ? Math.max(stable, LEAST) : clamp(stable, LEAST, 1 - LEAST), limit);
  return isRate ? rateAlternatives(stable, limit) : shareAlternatives(stable, limit);
}

/**
 * Where fewer is worse the arms have changed places. The bet starts from stable all the same: so many times more than 99 %
 * is no share, so many times fewer is one.
 */
export function fewerAlternatives(stable: number, { factor, floor }: Limit): (ratio: number) => Alternative | null {
  const tolerated = (stable - floor) / factor;
  return (ratio) => (tolerated <= LEAST ? null : { canary: stable, stable: tolerated / ratio });
}
