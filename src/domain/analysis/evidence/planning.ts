/** How many requests it takes to see a regression: what a step waits for, and what is foretold before a release. */

/** Times stable's share that a step must have been able to see before it may be left. */
export const TO_SEE = 3;
/** And where that is less, this much of all requests: three times nearly nothing is nearly nothing. */
const SMALLEST_EFFECT = 0.01;
/** What the mixture costs over a bet on the one right alternative, in logarithms. */
const COST = 2;

/**
 * Canary requests until a regression from `share` to `worse` is expected to show at a false-rollback rate of `alpha`, beside
 * many more of stable: evidence per request is the divergence of the two rates (Wald, "Sequential Analysis", 1947).
 */
export function requestsToSee(share: number, worse: number, alpha: number): number {
  const perRequest = worse * Math.log(worse / Math.max(share, 1e-9)) - (worse - share);
  return Math.ceil((Math.log(1 / alpha) + COST) / perRequest);
}

/** The smallest share of bad requests that a step has to be able to see. */
export const worthSeeing = (share: number): number => Math.min(0.999, Math.max(TO_SEE * share, share + SMALLEST_EFFECT));
