/** One release, one judgement: what the evidence of several checks is worth together, and whose verdict says so. */
import { describe, expect, it } from 'vitest';
import type { Check } from '../plan.ts';
import {
  contextAt,
  counters,
  gauges,
  planOf,
  rankCheck,
  ratioCheck,
  sloCheck,
  steady,
  thresholdCheck,
  value,
} from './judge.fixtures.ts';
import { judge } from './judge.ts';
import type { CheckVerdict, Verdict } from './measurement.ts';
import { isEvidence, judgedTogether, partOf, suspiciousFrom } from './together.ts';
import type { Single } from './together.ts';

const [good] = steady([100, 1], [900, 9], 5).slice(-1);
const judgedGood = good && judge(ratioCheck(), null, good.answer, contextAt(40)).verdict;

/** A check that says so by itself, with evidence of so much. */
function single(check: Check, logE: number | null, verdict: Verdict = 'pass', hard = false): Single {
  if (!judgedGood?.evidence.weighed) throw new Error('a ratio is weighed');
  const weighed = logE === null ? null : { ...judgedGood.evidence.weighed, logE, together: logE };
  const own: CheckVerdict = {
    ...judgedGood,
    verdict,
    hard,
    doubt: null,
    sentence: check.name,
    evidence: { ...judgedGood.evidence, weighed },
  };
  return { check, verdict: own, condemned: `${check.name} is to blame`, suspectedHere: false };
}
const named = (name: string, change: Parameters<typeof ratioCheck>[0] = {}): Check => ratioCheck({ name, ...change });
const verdicts = (singles: readonly Single[], elsewhere = {}, also: readonly Check[] = []): readonly CheckVerdict[] =>
  judgedTogether(planOf(...singles.map(({ check }) => check), ...also), singles, elsewhere);

const FATAL = Math.log(100);

describe('the evidence of a release', () => {
  it('is the mean of that of its checks', () => {
    const two = [single(named('a'), FATAL + Math.log(2) + 0.01), single(named('b'), -30)];
    expect(verdicts(two).map(({ verdict }) => verdict)).toEqual(['fail', 'pass']);
    const less = [single(named('a'), FATAL + Math.log(2) - 0.01), single(named('b'), -30)];
    expect(verdicts(less).map(({ verdict }) => verdict)).not.toContain('fail');
    for (const { evidence } of verdicts(two)) expect(evidence.weighed?.together).toBeCloseTo(FATAL + 0.01, 9);
  });

  it('weighs checks as the plan does', () => {
    const heavy = [single(named('a', { weight: 9 }), FATAL + 0.2), single(named('b'), -30)];
    expect(verdicts(heavy)[0]?.verdict).toBe('fail');
    expect(verdicts([single(named('a', { weight: 8 }), FATAL + 0.1), single(named('b'), -30)])[0]?.verdict).not.toBe('fail');
  });

  it('does not depend on the order of the checks', () => {
    const some = [single(named('a'), 3), single(named('b'), 5.2), single(named('c'), -1)];
    const forth = verdicts(some).map(({ sentence, verdict }) => [sentence, verdict]);
    const back = verdicts(some.toReversed()).map(({ sentence, verdict }) => [sentence, verdict]);
    expect(back.toReversed()).toEqual(forth);
  });

  it('goes on counting a check that is not measured at this step', () => {
    const [measured] = verdicts([single(named('a'), 0)], { b: FATAL + 2 }, [named('b')]);
    expect(measured?.verdict).toBe('fail');
    expect(verdicts([single(named('a'), 0)], {}, [named('b')])[0]?.verdict).toBe('pass');
  });

  it('names the check that most of it is of, in the words of its condemnation', () => {
    const found = verdicts([single(named('a'), 6), single(named('b'), 9), single(thresholdCheck(), null)]);
    expect(found.map(({ verdict }) => verdict)).toEqual(['pass', 'fail', 'pass']);
    expect(found[1]).toMatchObject({ sentence: 'b is to blame', doubt: null, hard: false });
  });

  it('is not hidden by a worse check, which may be left to a person', () => {
    const some = [
      single(named('a', { onFail: 'hold' }), 20),
      single(named('b'), FATAL + Math.log(3) + 0.01),
      single(named('c'), FATAL + Math.log(3) - 0.01),
    ];
    expect(verdicts(some).map(({ verdict, sentence }) => [verdict, sentence])).toEqual([
      ['fail', 'a is to blame'],
      ['fail', 'b is to blame'],
      ['pass', 'c'],
    ]);
    const less = [single(named('a', { onFail: 'hold' }), 20), single(named('b'), FATAL + Math.log(2) - 0.01)];
    expect(verdicts(less).map(({ verdict }) => verdict)).toEqual(['fail', 'pass']);
  });

  it('says that it comes from earlier steps where the check that is measured has hardly any of its own', () => {
    const [found] = verdicts([{ ...single(named('a'), 0.4), condemned: '' }], { b: FATAL + 2 }, [named('b')]);
    expect(found).toMatchObject({ verdict: 'fail', sentence: 'a; worse together with what earlier steps showed' });
  });

  it('leaves a broken hard limit as it was said', () => {
    expect(verdicts([single(named('a'), 9, 'fail', true)])[0]).toMatchObject({ verdict: 'fail', hard: true, sentence: 'a' });
  });

  it('is nothing to checks that have none', () => {
    const [found] = verdicts([single(thresholdCheck(), null)]);
    expect(found).toEqual(single(thresholdCheck(), null).verdict);
    expect([thresholdCheck(), rankCheck(), ratioCheck(), sloCheck()].map(isEvidence)).toEqual([false, false, true, true]);
  });
});

describe('a dry run', () => {
  const dry = named('dry', { dryRun: true });

  it('adds nothing to the evidence of the release, and shows its own', () => {
    const found = verdicts([single(dry, 50), single(named('a'), 0)]);
    expect(found.map(({ verdict }) => verdict)).toEqual(['fail', 'pass']);
    expect(found.map(({ evidence }) => evidence.weighed?.together)).toEqual([50, 0]);
  });

  it('takes no part from the others', () => {
    const plan = planOf(dry, named('a', { weight: 1 }), named('b', { weight: 3 }), thresholdCheck());
    expect(Object.values(plan.checks).map((check) => partOf(check, plan))).toEqual([1, 0.25, 0.75, 1]);
  });
});

describe('a suspicion', () => {
  const suspected = suspiciousFrom(0.01);

  it('takes the pass away from the check that it is of, at three quarters of what one interval can say', () => {
    expect(verdicts([single(named('a'), suspected - 0.01)])[0]?.verdict).toBe('pass');
    const [found] = verdicts([single(named('a'), suspected + 0.01)]);
    expect(found).toMatchObject({ verdict: 'inconclusive', doubt: 'suspicious' });
    expect(found?.sentence).toBe('a; perhaps worse, so nothing is raised (evidence 8 of 100)');
  });

  it('stands above every other doubt, and below silence, errors and failures', () => {
    const said = (['inconclusive', 'no_data', 'error', 'fail'] as const).map(
      (verdict) => verdicts([single(named('a'), suspected + 1, verdict)])[0]?.verdict,
    );
    expect(said).toEqual(['inconclusive', 'no_data', 'error', 'fail']);
    expect(verdicts([single(named('a'), suspected + 1, 'inconclusive')])[0]?.doubt).toBe('suspicious');
  });

  it('may come from several checks of which none is suspicious enough to be named alone', () => {
    const found = verdicts([single(named('a'), 2.4), single(named('b'), 2.5), single(named('c'), 2.3)]);
    expect(found.filter(({ doubt }) => doubt === 'suspicious')).toHaveLength(1);
    expect(found[1]?.doubt).toBe('suspicious');
  });
});

describe('rank tests', () => {
  /** Twenty values of each version. */
  function ranked(name: string, shift: number, change: Parameters<typeof rankCheck>[0] = {}): Single {
    const check = rankCheck({ name, ...change });
    let state = null;
    let judged = null;
    for (let k = 0; k < 20; k++) {
      const answer = gauges(10 * k, [10 + shift + ((7 * k) % 5)], [10 + ((3 * k) % 5)]);
      judged = judge(check, state, answer, contextAt(10 * k));
      ({ state } = judged);
    }
    if (judged === null) throw new Error('twenty answers were judged');
    return { check, ...judged };
  }
  const scored = (...singles: readonly Single[]) =>
    judgedTogether(planOf(...singles.map(({ check }) => check)), singles, {}).map(({ verdict, doubt }) => doubt ?? verdict);

  it('pass together by their score', () => {
    expect(scored(ranked('a', 0), ranked('b', 0))).toEqual(['pass', 'pass']);
    const many = Array.from({ length: 19 }, (_, index) => ranked(`a${index}`, 0));
    expect(scored(...many, ranked('b', 9))).toEqual(Array.from({ length: 20 }, () => 'pass'));
  });

  it('are marginal between two scores, and fail below, by the checks that are at fault', () => {
    const nine = Array.from({ length: 9 }, (_, index) => ranked(`a${index}`, 0));
    expect(scored(...nine, ranked('b', 9)).at(-1)).toBe('marginal');
    expect(scored(...nine, ranked('b', 9))[0]).toBe('pass');
    const [verdict] = judgedTogether(planOf(rankCheck({ name: 'b' })), [ranked('b', 9)], {});
    expect(verdict?.verdict).toBe('fail');
    expect(verdict?.doubt).toBeNull();
    expect(verdict?.sentence).toContain('surely higher by rank (20 values); score 0 (95 passes, 75 is marginal)');
  });

  it('fail by a critical one alone', () => {
    const nine = Array.from({ length: 30 }, (_, index) => ranked(`a${index}`, 0));
    const [last] = judgedTogether(
      planOf(rankCheck({ name: 'b', critical: true })),
      [...nine, ranked('b', 9, { critical: true })],
      {},
    ).slice(-1);
    expect(last).toMatchObject({ verdict: 'fail' });
    expect(last?.sentence).toContain('critical metric b is high');
  });

  it('do not hear a dry run', () => {
    expect(scored(ranked('a', 0), ranked('b', 9, { dryRun: true }))[0]).toBe('pass');
  });

  it('fail by those that are told only where the others could not help it, and do not pass before all are told', () => {
    const few = (count: number) => Array.from({ length: count }, (_, index) => ranked(`few${index}`, 0, { minValues: 50 }));
    expect(scored(ranked('b', 9), ...few(1))[0]).toBe('fail');
    expect(scored(ranked('b', 9), ...few(9))[0]).toBe('collecting');
    expect(scored(ranked('b', 9), ...few(30))[0]).toBe('collecting');
    expect(scored(ranked('b', 9, { critical: true }), ...few(30))[0]).toBe('fail');
    expect(scored(ranked('a', 0), ...few(1))[0]).toBe('pass');
  });

  it('say nothing before there are values enough', () => {
    const check = rankCheck({ minValues: 50 });
    const few = judge(check, null, gauges(0, [1], [1]), contextAt(0));
    expect(few.verdict).toMatchObject({ verdict: 'inconclusive', evidence: { ranked: null } });
    expect(judgedTogether(planOf(check), [{ check, ...few }], {})).toEqual([few.verdict]);
  });
});

it('is one judgement of what was measured, whoever measured it', () => {
  const check = ratioCheck({ name: 'errors' });
  const limit = thresholdCheck();
  const judged = judge(limit, null, value(10, 0.5), contextAt(10));
  const both = [single(check, 9), { check: limit, ...judged }];
  expect(judgedTogether(planOf(check, limit), both, {}).map(({ verdict }) => verdict)).toEqual(['fail', 'inconclusive']);
  expect(counters(0, [1, 0], [1, 0]).kind).toBe('counters');
});
