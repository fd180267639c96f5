/** What is found in histograms of two arms. */
import { expect, it } from 'vitest';
import { contextAt, histogram, judgeAll, judgeOne, latencyCheck, ratioCheck, steady } from './judge.fixtures.ts';
import type { Poll } from './judge.fixtures.ts';

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
      'canary latency p95 225 ms; slower than 250 ms: 2 % (8 of 400) against 2 % (80 of 4,000) on stable, 0.19 to 3.1 times as many',
  });
});

it('names the bound that its ratio is about, where next to nothing is slower than the quantile', () => {
  // p95 is in the second bucket, whose end nobody exceeds: what tells the versions apart is the end of the first.
  // So it is where the plan has a limit, too, which is another bound.
  for (const maxMs of [null, 400]) {
    const found = after([40, 60, 0, 0, 0], { maxMs }, [400, 600, 0, 0, 0]);
    expect(found.sentence).toMatch(
      /^canary latency p95 238 ms(, limit 400 ms)?; slower than 100 ms: 60 % \(240 of 400\) against 60 % \(2,400 of 4,000\) on stable, /,
    );
    expect(found.evidence).toMatchObject({ limit: maxMs ?? 100, weighed: { slow: { atMs: 100, leastMs: 100, mostMs: 100 } } });
  }
});

it('says of no ratio that it is about a bound, when part of it was counted at others as stable became faster', () => {
  const polls = Array.from({ length: 40 }, (_, k) => {
    const [early, late] = [Math.min(5, k), Math.max(0, k - 5)];
    const arm = (n: number): readonly number[] => [
      n * (80 * early + 97 * late),
      n * (18 * early + 3 * late),
      2 * n * early,
      0,
      0,
    ];
    return { seconds: 10 * k, answer: histogram(10 * k, arm(1), arm(10)) };
  });
  const { sentence, evidence } = judgeAll(latencyCheck(), polls).verdict;
  const { slow, ratio } = evidence.weighed ?? { slow: null, ratio: null };
  expect(slow?.mostMs).toBeGreaterThan(slow?.leastMs ?? Infinity);
  expect(ratio).not.toBeNull();
  expect(sentence).toContain(`slower than ${slow?.atMs} ms: `);
  expect(sentence).not.toContain('times as many');
});

it('fails a canary with a surely larger share of slow requests', () => {
  expect(after([70, 15, 10, 5, 0])).toMatchObject({
    verdict: 'fail',
    sentence: 'canary latency: 15 % slower than 250 ms against 2 %, worse with 99 % confidence after 400 requests',
    evidence: { limit: 250, canary: { n: 400, bad: 60 } },
  });
});

it('accepts a share of slow requests within the tolerance', () => {
  const slower = grown([780, 195, 22, 3, 0], [8000, 1800, 180, 20, 0], 60);
  expect(judgeAll(latencyCheck(), slower).verdict.verdict).toBe('pass');
  const worse = grown([760, 205, 32, 3, 0], [8000, 1800, 180, 20, 0], 60);
  expect(judgeAll(latencyCheck(), worse).verdict.verdict).toBe('fail');
});

const NOBODY = [0, 0, 0, 0, 0];
const over = (polls: number, maxMs: number, stable = STABLE) =>
  judgeAll(latencyCheck({ maxMs }), grown([80, 18, 2, 0, 0], stable, polls)).verdict;

it('fails above its own maximum, stable or not', () => {
  const sentence = 'canary latency: 20 % slower than 100 ms, limit 5 %, worse with 99 % confidence after 500 requests';
  expect(over(6, 100)).toMatchObject({ verdict: 'fail', sentence });
  expect(over(6, 100, NOBODY)).toMatchObject({ verdict: 'fail', sentence });
  expect(over(6, 400, NOBODY).verdict).toBe('pass');
  expect(after([80, 18, 2, 0, 0], {}, NOBODY).verdict).toBe('inconclusive');
});

it('is no pass where nearly all of stable is slower than every bucket', () => {
  expect(after([0, 0, 0, 2, 98], {}, [0, 0, 0, 20, 980])).toMatchObject({
    verdict: 'inconclusive',
    doubt: 'thin',
    sentence: 'nearly all requests of stable are slower than most buckets of latency: slower ones cannot be told from them',
  });
  expect(after([100, 0, 0, 0, 0], {}, [1000, 0, 0, 0, 0]).verdict).toBe('pass');
});

it('waits for the warm-up, but not for the errors', () => {
  const polls = grown([70, 15, 10, 5, 0], STABLE, 7).map((poll) => ({ ...poll, context: { warmUpMs: 30_000 } }));
  expect(judgeAll(latencyCheck(), polls.slice(0, 4)).verdict.evidence.weighed?.logE).toBe(0);
  expect(judgeAll(latencyCheck(), polls).verdict.evidence.weighed?.logE).toBeGreaterThan(0);
  const errors = steady([500, 26], [4500, 18], 5).map((poll) => ({ ...poll, context: { warmUpMs: 300_000 } }));
  expect(judgeAll(ratioCheck(), errors).verdict.verdict).toBe('fail');
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
  const judged = judgeOne(latencyCheck(), state, answer, contextAt(50));
  expect(judged.verdict).toMatchObject({ verdict: 'inconclusive', evidence: { measurements: 0 } });
});

it('refuses buckets that do not rise or do not fit their counts', () => {
  for (const boundsMs of [[100, 100, 500, 1000], [100, 250, 500], [], [100, 250, 500, Infinity], [-1, 250, 500, 1000]]) {
    const answer = { ...histogram(50, STABLE, STABLE), boundsMs };
    expect(judgeOne(latencyCheck(), null, answer, contextAt(50)).verdict.verdict).toBe('error');
  }
});
