/** What one kind of check finds in everything counted so far: the part of a verdict that depends on the kind. */
import type { ArmEvidence } from './measurement.ts';
import { countWords, plural } from './words.ts';

export type Finding = {
  /** The limit is surely broken; `failures` says how often that must be so. */
  readonly breached: boolean;
  /** The sentence of a broken hard limit, or null. */
  readonly hard: string | null;
  /** Why these counts allow no pass, or null. */
  readonly undecided: string | null;
  readonly sentence: string;
  /** Canary requests that were counted. */
  readonly requests: number;
  readonly canary: ArmEvidence | null;
  readonly stable: ArmEvidence | null;
  readonly limit: number | null;
};

/**
 * Below this many requests a plain share says too little to act on at once, and fewer bad ones than this may be a
 * coincidence: one bad request of two is half of all traffic and nothing to roll back for.
 */
export const HARD_MIN_REQUESTS = 20;
export const HARD_MIN_BAD = 3;

export const collecting = (requests: number, wanted: number): string =>
  `collecting: ${countWords(requests)} of ${plural(wanted, 'canary request')} since the weight changed`;
