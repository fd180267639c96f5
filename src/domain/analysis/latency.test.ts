import { expect, it } from 'vitest';
import { contextAt, histogram, judgeAll, latencyCheck } from './judge.fixtures.ts';
import type { Poll } from './judge.fixtures.ts';
import { judge } from './judge.ts';

const grown = (canary: readonly number[], stable: readonly number[], polls = 5): Poll[] =>
  Array.from({ length: polls }, (_, k) => ({
    seconds: 10 * k,
    answer: histogram(
      10 * k,
      canary.map((n) => n * k),
      stable.map((n) => n * k),
    ),
  }));
const STABLE = [800, 180, 18, 2, 0];
const after = (canary: readonly number[], change = {}, stable: readonly number[] = STABLE) =>
  judgeAll(latencyCheck(change), grown(canary, stable)).verdict;

it('passes a canary as fast as stable', () => {
  expect(after([80, 18, 2, 0, 0])).toMatchObject({
    verdict: 'pass',
    sentence:
      'canary latency p95 225 ms; slower than 250 ms: 2 % (8 of 400) against 2 % (80 of 4,000) on stable, within the limit 3 %',
  });
});

it('fails a canary with a surely larger share of slow requests', () => {
  expect(after([70, 15, 10, 5, 0])).toMatchObject({
    verdict: 'fail',
    evidence: { limit: 250, canary: { n: 400, bad: 60 } },
  });
});

it('fails above its own maximum, stable or not', () => {
  expect(after([80, 18, 2, 0, 0], { maxMs: 200 }).verdict).toBe('fail');
  expect(after([80, 18, 2, 0, 0], { maxMs: 200 }, [0, 0, 0, 0, 0]).verdict).toBe('fail');
  expect(after([80, 18, 2, 0, 0], { maxMs: 400 }, [0, 0, 0, 0, 0]).verdict).toBe('pass');
  expect(after([80, 18, 2, 0, 0], {}, [0, 0, 0, 0, 0]).verdict).toBe('inconclusive');
});

const hard = (canary: readonly number[]) => judgeAll(latencyCheck({ hardMaxMs: 500 }), grown(canary, STABLE, 2)).verdict;

it('fails at once above a hard limit, unless only a request or two were slow', () => {
  expect(hard([10, 10, 10, 10, 0])).toMatchObject({ verdict: 'fail', hard: true });
  expect(hard([18, 0, 0, 0, 2]).hard).toBe(false);
});

it('says that a limit beyond the largest bucket cannot be told', () => {
  expect(after([50, 10, 10, 10, 20], { maxMs: 2000 }, [500, 100, 100, 100, 200])).toMatchObject({
    verdict: 'inconclusive',
    sentence: 'canary latency is beyond the largest bucket, 1,000 ms: whether it is within its limit cannot be told',
  });
});

it('starts anew when the buckets are others than before', () => {
  const state = judgeAll(latencyCheck(), grown([80, 18, 2, 0, 0], STABLE)).state;
  const answer = { ...histogram(50, [400, 90, 10, 0, 0], STABLE), boundsMs: [50, 100, 500, 1000] };
  const judged = judge(latencyCheck(), state, answer, contextAt(50));
  expect(judged.verdict).toMatchObject({ verdict: 'inconclusive', evidence: { measurements: 0 } });
});

it('refuses buckets that do not rise or do not fit their counts', () => {
  for (const boundsMs of [[100, 100, 500, 1000], [100, 250, 500], [], [100, 250, 500, Infinity], [-1, 250, 500, 1000]]) {
    const answer = { ...histogram(50, STABLE, STABLE), boundsMs };
    expect(judge(latencyCheck(), null, answer, contextAt(50)).verdict.verdict).toBe('error');
  }
});
