/** What one kind of check finds in everything counted so far: the part of a verdict that depends on the kind. */
import type { ArmEvidence, Evidence, Weighed } from './measurement.ts';

export type Finding = {
  /** A threshold is surely broken by the newest value; `failures` says how often that must be so. */
  readonly breached: boolean;
  /** The sentence of a broken hard limit, or null. */
  readonly hard: string | null;
  /** Why these counts allow no pass, or null. */
  readonly undecided: string | null;
  /** What was seen at this weight alone is too much to raise it on. */
  readonly suspicious?: boolean;
  readonly sentence: string;
  /** Canary requests that were counted at this weight. */
  readonly requests: number;
  readonly canary: ArmEvidence | null;
  readonly stable: ArmEvidence | null;
  readonly limit: number | null;
  /** What the evidence is worth; null for kinds that have none. */
  readonly weighed: Weighed | null;
  readonly ranked?: Evidence['ranked'];
};

/**
 * Below this many requests a plain share says too little to act on at once, and fewer bad ones than this may be a
 * coincidence: one bad request of two is half of all traffic and nothing to roll back for.
 */
export const HARD_MIN_REQUESTS = 20;
export const HARD_MIN_BAD = 3;

export const NOTHING_TO_COMPARE = 'stable has had no request to compare with, and the check has no absolute limit';
