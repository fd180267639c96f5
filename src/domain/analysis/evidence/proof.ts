/**
 * The other side: evidence that a canary is *not* some times as bad as stable, for leaving a step early. A mixture over
 * smaller ratios against the largest one that may not be missed; worth 1/beta, a canary that is that bad was let through
 * with probability beta at most.
 */
import { logRatio, logShare } from './likelihood.ts';
import type { Arm } from './likelihood.ts';
import { kept, logMeanExp, logSpaced } from './log-space.ts';

/** Log of what the bet on each smaller ratio is worth. */
export type Proof = readonly number[];

const PARTS = logSpaced(0.1, 0.87, 16);
/** A canary twice as bad may not be taken for one that is not worse. */
export const NOT_TO_MISS = 2;

export const noProof = (): Proof => PARTS.map(() => 0);

export const proofWorth = (proof: Proof): number => logMeanExp(proof);

export function observeProof(before: Proof, canary: Arm, stable: Arm, dispersion: number): Proof {
  if (canary.n <= 0 || stable.n <= 0 || canary.bad + stable.bad === 0) return before;
  const likelihood = logRatio(canary, stable);
  const atWorst = likelihood(NOT_TO_MISS);
  return before.map((log, index) => kept(log + (likelihood(NOT_TO_MISS * (PARTS[index] ?? 1)) - atWorst) / dispersion));
}

/** That the share is below a promised limit. */
export function observeProofBelow(before: Proof, canary: Arm, max: number, dispersion: number): Proof {
  return before.map((log, index) => kept(log + logShare(canary, max * (PARTS[index] ?? 1), max) / dispersion));
}
