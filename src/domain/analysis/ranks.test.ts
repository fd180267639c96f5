/** Rank tests as checks: which values they take of what a provider answers, how many, and what they say of them. */
import { describe, expect, it } from 'vitest';
import { at, counters, gauges, judgeAll, rankCheck } from './judge.fixtures.ts';
import type { Poll } from './judge.fixtures.ts';
import { valuesOf } from './ranks.ts';

const between = { from: 0, to: 10, series: [], stableRestarted: false };

describe('a value', () => {
  it('is the share of bad requests where they are counted, and none without requests', () => {
    expect(valuesOf({ ...between, canary: [50, 2], stable: [0, 0] }, true)).toEqual([10, 0.04, null]);
  });

  it('is the mean of the instances of a level', () => {
    expect(valuesOf({ ...between, canary: [1, 3], stable: [] }, false)).toEqual([10, 2, null]);
  });
});

const levels = (count: number, canary: (k: number) => number, stable = (k: number) => 10 + ((3 * k) % 5)): Poll[] =>
  Array.from({ length: count }, (_, k) => ({ seconds: 10 * k, answer: gauges(10 * k, [canary(k)], [stable(k)]) }));
const same = (k: number): number => 10 + ((7 * k) % 5);

describe('a check', () => {
  it('says nothing before it has so many values of each version', () => {
    const { verdict } = judgeAll(rankCheck(), levels(9, same));
    expect(verdict).toMatchObject({
      verdict: 'inconclusive',
      doubt: 'thin',
      sentence: 'collecting: 9 of 10 values of each version',
      evidence: { ranked: null },
    });
  });

  it('passes alike values, and fails higher ones', () => {
    const alike = judgeAll(rankCheck(), levels(20, same)).verdict;
    expect(alike).toMatchObject({ verdict: 'pass', evidence: { ranked: { classification: 'pass', critical: false } } });
    const higher = judgeAll(
      rankCheck(),
      levels(20, (k) => same(k) + 9),
    ).verdict;
    expect(higher).toMatchObject({ verdict: 'fail', evidence: { ranked: { classification: 'high' }, canary: { n: 20 } } });
    expect(
      judgeAll(
        rankCheck({ direction: 'decrease' }),
        levels(20, (k) => same(k) + 9),
      ).verdict.verdict,
    ).toBe('pass');
    expect(
      judgeAll(
        rankCheck({ allowed: { increase: 2, decrease: 1 } }),
        levels(20, (k) => same(k) + 9),
      ).verdict.verdict,
    ).toBe('pass');
  });

  it('takes shares of counted requests one by one', () => {
    const polls = Array.from({ length: 21 }, (_, k) => ({
      seconds: 10 * k,
      answer: counters(10 * k, [100 * k, 20 * k + (k % 3)], [900 * k, 90 * k + (k % 4)]),
    }));
    expect(judgeAll(rankCheck(), polls).verdict).toMatchObject({ verdict: 'fail', evidence: { canary: { n: 20 } } });
  });

  it('looks back only so far, and forgets the rest in the end', () => {
    const worseAtFirst = levels(60, (k) => (k < 40 ? 30 : same(k)));
    expect(judgeAll(rankCheck(), worseAtFirst).verdict.verdict).toBe('fail');
    const recent = judgeAll(rankCheck({ lookbackMs: 200_000 }), worseAtFirst).verdict;
    expect(recent).toMatchObject({ verdict: 'pass', evidence: { canary: { n: 20 } } });
    const { state } = judgeAll(rankCheck(), levels(400, same));
    expect(state['values']).toHaveLength(360);
  });

  it('keeps its values over a change of the weight, and drops them with the evidence', () => {
    const polls = levels(20, (k) => same(k) + 9);
    const later = (context: object) => polls.map((poll, k) => (k < 18 ? poll : { ...poll, context }));
    expect(judgeAll(rankCheck({ minValues: 15 }), later({ since: at(165) })).verdict.evidence.canary?.n).toBe(20);
    expect(
      judgeAll(rankCheck({ minValues: 15 }), later({ since: at(165), evidenceFrom: at(165) })).verdict.evidence.canary?.n,
    ).toBe(2);
  });

  it('has no data where one version has no level', () => {
    const polls = levels(20, same);
    const silent = { seconds: 200, answer: gauges(200, [], [1]) };
    expect(judgeAll(rankCheck(), [...polls, silent]).verdict).toMatchObject({
      verdict: 'no_data',
      sentence: 'the provider has no level of the canary',
    });
  });
});
