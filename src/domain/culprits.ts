/** What keeps a release from going on: the checks that must pass and do not, which of them is named, and what the plan says of each. */
import { unreachable } from '../lib/assert.ts';
import type { CheckVerdict, Verdict } from './analysis/measurement.ts';
import { requiredNow } from './course.ts';
import type { Check, Recourse } from './plan.ts';
import type { Hold, Release } from './release.ts';

export type Culprit = {
  readonly check: Check;
  readonly verdict: Exclude<Verdict, 'pass'>;
  readonly found: CheckVerdict | null;
};

export const culpritsOf = (release: Release, verdicts: Readonly<Record<string, CheckVerdict>>): readonly Culprit[] =>
  requiredNow(release).flatMap((name): readonly Culprit[] => {
    const check = release.plan.checks[name];
    const verdict = release.checks[name]?.verdict ?? 'inconclusive';
    return check && verdict !== 'pass' ? [{ check, verdict, found: verdicts[name] ?? null }] : [];
  });

/** Of the worst, the one that a hold names already: who reads on is not told of another as long as that one stands. */
export function worstOf({ verdict, hold }: Release, culprits: readonly Culprit[]): Culprit | undefined {
  const worst = culprits.filter((culprit) => culprit.verdict === verdict);
  return worst.find(({ check }) => check.name === hold?.cause?.check) ?? worst[0];
}

export const saidOf = ({ found }: Culprit): string => found?.sentence ?? 'it has not been measured yet';

/** The hold for a check. Its words carry counts that change with every answer, so its cause is kept beside them. */
export const holdFor = (culprit: Culprit): Pick<Hold, 'reason' | 'detail' | 'cause'> => {
  const { check, verdict, found } = culprit;
  const [reason, words] = HOLDS[verdict];
  return {
    reason,
    detail: `check ${check.name} ${words}, ${saidOf(culprit)}`,
    cause: { check: check.name, doubt: found?.doubt ?? null },
  };
};

const HOLDS = {
  no_data: ['no_data', 'has no data'],
  error: ['provider', 'cannot be measured'],
  inconclusive: ['inconclusive', 'is undecided'],
  fail: ['failing', 'fails'],
} as const;

/** What the plan says of such a verdict. Only time helps against too few measurements, and nothing is raised on a suspicion. */
export function recourseOf({ check, verdict, found }: Culprit): Recourse {
  switch (verdict) {
    case 'no_data':
      return check.onNoData;
    case 'error':
      return check.onError;
    case 'inconclusive':
      return found?.doubt === 'thin' || found?.doubt === 'marginal' ? check.onInconclusive : 'hold';
    case 'fail':
      return 'hold';
    default:
      return unreachable(verdict);
  }
}
