import { expect, it } from 'vitest';
import { at, counters, judgeAll, ratioCheck, steady } from './judge.fixtures.ts';
import type { Poll } from './judge.fixtures.ts';

const GOOD = steady([100, 1], [900, 9], 5);
const verdictAfter = (polls: readonly Poll[], check = ratioCheck()) => judgeAll(check, polls).verdict;

it('collects until there are enough measurements, and says how many it has', () => {
  expect(verdictAfter(GOOD.slice(0, 2))).toMatchObject({
    verdict: 'inconclusive',
    sentence: 'collecting: 1 of 3 measurements since the weight changed',
  });
});

it('passes a canary that is as good as stable, with the counts it rests on', () => {
  expect(verdictAfter(GOOD)).toEqual({
    verdict: 'pass',
    hard: false,
    sentence: 'canary errors 1 % (4 of 400) against 1 % (36 of 3,600) on stable, within the limit 1.1 %',
    evidence: {
      from: at(0),
      to: at(40),
      measurements: 4,
      breaches: 0,
      of: 3,
      query: { bad: 'b', total: 't' },
      canary: { n: 400, bad: 4, value: 0.01 },
      stable: { n: 3600, bad: 36, value: 0.01 },
      limit: expect.closeTo(0.0111, 6) as number,
    },
  });
});

it('fails a canary that is surely worse, once that was seen often enough', () => {
  const polls = steady([500, 26], [4500, 18], 3);
  expect(verdictAfter(polls.slice(0, 2)).verdict).toBe('inconclusive');
  expect(verdictAfter(polls)).toMatchObject({
    verdict: 'fail',
    hard: false,
    sentence:
      'canary errors 5.2 % (52 of 1,000) against 0.4 % (36 of 9,000) on stable, above the limit 0.45 % (2 of the last 2 measurements over the limit)',
  });
});

it('is inconclusive while fewer measurements than the limit were over it', () => {
  const polls = [...GOOD, { seconds: 50, answer: counters(50, [500, 44], [4500, 45]) }];
  expect(verdictAfter(polls)).toMatchObject({ verdict: 'inconclusive', evidence: { breaches: 1 } });
});

it('passes a canary above the limit by no more than chance explains, and says so', () => {
  const verdict = verdictAfter(steady([100, 2], [900, 9], 4));
  expect(verdict.verdict).toBe('pass');
  expect(verdict.sentence).toContain('not surely above the limit');
});

it('concludes nothing from fewer requests than asked for', () => {
  expect(verdictAfter(steady([10, 10], [900, 9], 5))).toMatchObject({
    verdict: 'inconclusive',
    sentence: 'collecting: 40 of 100 canary requests since the weight changed',
  });
});

it('has no data while the canary gets no request', () => {
  expect(verdictAfter(steady([0, 0], [900, 9], 5))).toMatchObject({
    verdict: 'no_data',
    sentence: 'the canary has had no request since the weight changed',
  });
});

it('has no data when a busy canary falls silent, although stable goes on', () => {
  const silent = [50, 60, 70, 80].map((s) => ({ seconds: s, answer: counters(s, [400, 4], [90 * s, s]) }));
  expect(verdictAfter([...GOOD, ...silent])).toMatchObject({ verdict: 'no_data' });
  expect(verdictAfter([...GOOD, ...silent.slice(0, 3)])).toMatchObject({ verdict: 'pass' });
});

it('does not take the gaps of a quiet service for silence', () => {
  const quiet = Array.from({ length: 42 }, (_, k) => ({
    seconds: 10 * k,
    answer: counters(10 * k, [Math.floor(k / 6), 0], [50 * k, 0]),
  }));
  expect(judgeAll(ratioCheck({ minRequests: 5 }), quiet).verdict.verdict).toBe('pass');
});

it('does not repeat a breach for intervals without a canary request', () => {
  const polls = [
    ...steady([200, 30], [1800, 18], 2),
    ...[20, 30].map((s) => ({ seconds: s, answer: counters(s, [200, 30], [180 * s, 36]) })),
  ];
  expect(judgeAll(ratioCheck({ failures: { breaches: 2, of: 3 } }), polls).verdict).toMatchObject({
    verdict: 'inconclusive',
    evidence: { breaches: 1 },
  });
});

it('cannot compare with a silent stable, and passes there on absolute limits alone', () => {
  const alone = steady([100, 1], [0, 0], 5);
  expect(verdictAfter(alone)).toMatchObject({
    verdict: 'inconclusive',
    sentence: 'stable has had no request to compare with, and the check has no absolute limit',
  });
  expect(verdictAfter(alone, ratioCheck({ max: 0.02 })).verdict).toBe('pass');
  expect(verdictAfter(alone, ratioCheck({ hardMax: 0.5 })).verdict).toBe('pass');
  expect(verdictAfter(steady([100, 9], [0, 0], 5), ratioCheck({ max: 0.02 })).verdict).toBe('fail');
});

it('fails above its maximum even when stable is as bad', () => {
  expect(verdictAfter(steady([100, 10], [900, 90], 5), ratioCheck({ max: 0.05 })).verdict).toBe('fail');
});

it('fails at once above a hard limit, before anything else is asked', () => {
  expect(verdictAfter(steady([40, 20], [360, 3], 2), ratioCheck({ hardMax: 0.2 }))).toMatchObject({
    verdict: 'fail',
    hard: true,
    sentence: 'canary errors 50 % (20 of 40), above the hard limit 20 %',
    evidence: { measurements: 1, limit: 0.2 },
  });
});

it('does not act at once on a few requests, but adds up small intervals', () => {
  expect(verdictAfter(steady([2, 1], [18, 0], 2), ratioCheck({ hardMax: 0.2 })).hard).toBe(false);
  expect(verdictAfter(steady([19, 19], [18, 0], 2), ratioCheck({ hardMax: 0.2 })).hard).toBe(false);
  expect(verdictAfter(steady([20, 2], [18, 0], 2), ratioCheck({ hardMax: 0.05 })).hard).toBe(false);
  expect(verdictAfter(steady([4, 2], [18, 0], 6), ratioCheck({ hardMax: 0.2 })).hard).toBe(true);
});
