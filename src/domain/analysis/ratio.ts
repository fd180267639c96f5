/** The share of bad requests: canary against stable, and against absolute limits, over all that was counted. */
import type { RatioCheck } from '../plan.ts';
import { againstWords, armWords, compare, NOTHING_TO_COMPARE, shareOf } from './compare.ts';
import { collecting, HARD_MIN_BAD, HARD_MIN_REQUESTS } from './finding.ts';
import type { Finding } from './finding.ts';
import type { Arm } from './likelihood-ratio.ts';
import type { ArmEvidence } from './measurement.ts';
import type { State } from './state.ts';
import { shareWords } from './words.ts';

export function findRatio(check: RatioCheck, state: State): Finding {
  const canary = armOf(state.canary);
  const stable = armOf(state.stable);
  const limits = { factor: 1 + check.tolerance, floor: check.floor, max: check.max };
  const { breached, limit, standing } = compare(canary, stable, limits);
  const broken = hardBroken(check, state);
  return {
    breached: breached && check.minRequests <= canary.n,
    hard: broken && `canary ${check.name} ${armWords(broken)}, above the hard limit ${shareWords(check.hardMax ?? 0)}`,
    undecided: undecided(check, canary, stable),
    sentence: `canary ${check.name} ${armWords(canary)}${againstWords(stable)}${standing}`,
    requests: canary.n,
    canary: evidenceOf(broken ?? canary),
    stable: evidenceOf(stable),
    limit: broken ? check.hardMax : (limit ?? check.hardMax),
  };
}

function undecided(check: RatioCheck, canary: Arm, stable: Arm): string | null {
  if (canary.n < check.minRequests) return collecting(canary.n, check.minRequests);
  return stable.n === 0 && check.max === null && check.hardMax === null ? NOTHING_TO_COMPARE : null;
}

/** In the newest interval when it is large enough to be told from chance, or in all since the weight changed. */
function hardBroken({ hardMax }: RatioCheck, { newest, exposed }: State): Arm | null {
  if (hardMax === null) return null;
  const isBroken = (arm: Arm): boolean => HARD_MIN_REQUESTS <= arm.n && HARD_MIN_BAD <= arm.bad && hardMax < shareOf(arm);
  return [armOf(newest ?? []), armOf(exposed)].find(isBroken) ?? null;
}

/** The two counters are read one after the other, which may leave one bad request more than there are requests. */
const armOf = ([n = 0, bad = 0]: readonly number[]): Arm => ({ n, bad: Math.min(n, bad) });

const evidenceOf = (arm: Arm): ArmEvidence => ({
  n: arm.n,
  bad: arm.bad,
  value: arm.n === 0 ? null : shareOf(arm),
});
