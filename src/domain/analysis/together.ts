/**
 * One release, one judgement. The evidence of all checks is averaged by their weights: the mean of e-values is an e-value
 * whatever they have to do with each other, so the promised rate of false rollbacks holds for the release and is not spent
 * once per check. Rank tests have a score together, as where they come from. What a check of the whole is guilty of is
 * written onto it.
 */
import type { Check, EvidenceCheck, Plan } from '../plan.ts';
import { together } from './evidence/engine.ts';
import { scoreOf } from './mann-whitney-score.ts';
import type { CheckVerdict } from './measurement.ts';
import { numberWords } from './words.ts';

/**
 * From here on the evidence is too much to raise the weight on, though not enough to take it back: three quarters of what one
 * interval alone can say, so that nothing is raised on the heels of a spike. 7.5 where a hundred takes it back.
 */
export const suspiciousFrom = (alpha: number): number => Math.log(1 / alpha) / 2 + Math.log(0.75);

export type Single = {
  readonly check: Check;
  readonly verdict: CheckVerdict;
  readonly condemned: string;
  readonly suspectedHere: boolean;
};

export const isEvidence = (check: Check): check is EvidenceCheck => check.kind !== 'threshold' && check.kind !== 'mann-whitney';

/** The part that a check has in the evidence of its release; a dry run stands for itself. */
export function partOf(check: Check, plan: Pick<Plan, 'checks'>): number {
  if (!isEvidence(check) || check.dryRun) return 1;
  const all = Object.values(plan.checks)
    .filter(isEvidence)
    .filter((one) => !one.dryRun);
  return check.weight / all.reduce((sum, { weight }) => sum + weight, 0);
}

/** `elsewhere` is the logarithm of the evidence of checks that are not measured at this step. */
export function judgedTogether(
  plan: Pick<Plan, 'checks' | 'falseRollbackRate' | 'score'>,
  singles: readonly Single[],
  elsewhere: Readonly<Record<string, number>>,
): readonly CheckVerdict[] {
  const logE = (name: string): number =>
    singles.find(({ check }) => check.name === name)?.verdict.evidence.weighed?.logE ?? elsewhere[name] ?? 0;
  const parts = Object.values(plan.checks)
    .filter(isEvidence)
    .filter(({ dryRun }) => !dryRun)
    .map(({ name, weight }) => ({ name, weight, logE: logE(name) }));
  const all = together(parts);
  const threshold = Math.log(1 / plan.falseRollbackRate);
  const share = (single: Single): number => shareOf(single, plan);
  const culprit = worst(singles, share);
  // A failing that is left to a person hides no check that is enough alone to take the release back.
  const grave = singles.filter((single) => single.check.onFail === 'rollback' && threshold <= share(single));
  const guilty = new Set([culprit, worst(grave, share)]);
  const weighed = singles.map((single) => {
    const isAlone = single.check.dryRun;
    const { weighed: own } = single.verdict.evidence;
    if (own === null) return single.verdict;
    const sum = isAlone ? own.logE : all;
    const verdict = { ...single.verdict, evidence: { ...single.verdict.evidence, weighed: { ...own, together: sum } } };
    const told = isAlone || guilty.has(single) ? found(verdict, { sum, threshold, condemned: single.condemned }) : verdict;
    return single.suspectedHere ? suspected(told) : told;
  });
  return ranked(plan, singles, weighed);
}

/** Logarithm of what a measured check adds to the evidence of all. */
function shareOf({ check, verdict }: Single, plan: Pick<Plan, 'checks'>): number {
  const { weighed } = verdict.evidence;
  return isEvidence(check) && !check.dryRun && weighed !== null ? weighed.logE + Math.log(partOf(check, plan)) : -Infinity;
}

/** The measured check that most of the evidence is of. */
function worst(singles: readonly Single[], share: (single: Single) => number): Single | null {
  return singles.reduce<Single | null>((most, one) => {
    if (share(one) === -Infinity) return most;
    return most === null || share(most) < share(one) ? one : most;
  }, null);
}

type Sum = { readonly sum: number; readonly threshold: number; readonly condemned: string };

function found(verdict: CheckVerdict, { sum, threshold, condemned }: Sum): CheckVerdict {
  if (verdict.hard) return verdict;
  if (threshold <= sum) {
    const sentence = condemned === '' ? `${verdict.sentence}; worse together with what earlier steps showed` : condemned;
    return { ...verdict, verdict: 'fail', doubt: null, sentence };
  }
  const isCalm = sum < suspiciousFrom(Math.exp(-threshold)) || (verdict.verdict !== 'pass' && verdict.verdict !== 'inconclusive');
  if (isCalm) return verdict;
  const odds = `${numberWords(Math.round(Math.exp(sum)))} of ${numberWords(Math.round(Math.exp(threshold)))}`;
  return {
    ...verdict,
    verdict: 'inconclusive',
    doubt: 'suspicious',
    sentence: `${verdict.sentence}; perhaps worse, so nothing is raised (evidence ${odds})`,
  };
}

/** A long good time at smaller weights outweighs what is seen at this one, for a while: it is no reason to go on. */
function suspected(verdict: CheckVerdict): CheckVerdict {
  if (verdict.verdict !== 'pass') return verdict;
  const sentence = `${verdict.sentence}; perhaps worse at this weight, so nothing is raised`;
  return { ...verdict, verdict: 'inconclusive', doubt: 'suspicious', sentence };
}

/**
 * The rank tests of this step have a score together. Those without values enough are taken to pass until they have them: what
 * fails even so fails now, and nothing that is at fault passes before all are told.
 */
function ranked(
  plan: Pick<Plan, 'score'>,
  singles: readonly Single[],
  verdicts: readonly CheckVerdict[],
): readonly CheckVerdict[] {
  const isUntold = ({ verdict }: Single): boolean => verdict.verdict === 'inconclusive' && verdict.evidence.ranked === null;
  const metrics = singles.flatMap((single) => {
    const { check, verdict } = single;
    if (check.kind !== 'mann-whitney') return [];
    const found = isUntold(single) ? { classification: 'pass' as const, critical: false } : verdict.evidence.ranked;
    return found === null ? [] : [{ ...found, name: check.name, groups: [check.group], muted: check.dryRun }];
  });
  if (metrics.every(({ muted }) => muted)) return verdicts;
  const isWhole = !singles.some((single) => single.check.kind === 'mann-whitney' && !single.check.dryRun && isUntold(single));
  const { pass, marginal, groups } = plan.score;
  const score = scoreOf({ pass, marginal, groupWeights: groups }, metrics);
  const words = `score ${numberWords(score.score)} (${score.reason ?? `${pass} passes, ${marginal} is marginal`})`;
  return verdicts.map((verdict, index) => {
    const { ranked: own } = verdict.evidence;
    if (own === null || singles[index]?.check.dryRun !== false || verdict.verdict === 'error' || verdict.verdict === 'no_data')
      return verdict;
    const sentence = `${verdict.sentence}; ${words}`;
    if (own.classification === 'pass') return { ...verdict, sentence };
    if (score.verdict === 'fail') return { ...verdict, sentence, verdict: 'fail', doubt: null };
    if (!isWhole) return { ...verdict, sentence, verdict: 'inconclusive', doubt: 'collecting' };
    return score.verdict === 'pass'
      ? { ...verdict, sentence }
      : { ...verdict, sentence, verdict: 'inconclusive', doubt: 'marginal' };
  });
}
