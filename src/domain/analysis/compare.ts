/** A share against stable's and against a fixed maximum: what ratio and latency checks have in common. */
import { excessOver, excessOverStable, SURE } from './likelihood-ratio.ts';
import type { Arm } from './likelihood-ratio.ts';
import { countWords, shareWords } from './words.ts';

export type Comparison = {
  readonly breached: boolean;
  /** The limit that is broken; when none is, the lower one. Null when there is none to hold the canary against. */
  readonly limit: number | null;
  /** How the canary's share stands to the limit: the end of a sentence. */
  readonly standing: string;
};

type Limits = { readonly factor: number; readonly floor: number; readonly max: number | null };

export function compare(canary: Arm, stable: Arm, { factor, floor, max }: Limits): Comparison {
  const limits = [
    ...(stable.n === 0
      ? []
      : [
          {
            limit: factor * shareOf(stable) + floor,
            excess: excessOverStable(canary, stable, { factor, floor }),
          },
        ]),
    ...(max === null ? [] : [{ limit: max, excess: excessOver(canary, max) }]),
  ].sort((a, b) => a.limit - b.limit);
  const chosen = limits.find(({ excess }) => SURE < excess) ?? limits[0];
  if (!chosen) return { breached: false, limit: null, standing: '' };
  const { limit, excess } = chosen;
  return { breached: SURE < excess, limit, standing: `, ${standingWords(excess)} ${shareWords(limit)}` };
}

function standingWords(excess: number): string {
  if (excess === 0) return 'within the limit';
  return SURE < excess ? 'above the limit' : 'not surely above the limit';
}

export const shareOf = ({ n, bad }: Arm): number => (n === 0 ? 0 : bad / n);

/** `5.2 % (26 of 500)`. */
export const armWords = (arm: Arm): string => `${shareWords(shareOf(arm))} (${countWords(arm.bad)} of ${countWords(arm.n)})`;

export const againstWords = (stable: Arm): string => (stable.n === 0 ? '' : ` against ${armWords(stable)} on stable`);

export const NOTHING_TO_COMPARE = 'stable has had no request to compare with, and the check has no absolute limit';
