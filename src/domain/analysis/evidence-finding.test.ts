/** What is found in counts of two arms: verdicts, what they rest on, and what is said of them. */
import { expect, it } from 'vitest';
import { at, counters, gaugeCheck, gauges, judgeAll, rateCheck, ratioCheck, sloCheck, steady } from './judge.fixtures.ts';
import type { Check } from '../plan.ts';
import type { Poll } from './judge.fixtures.ts';

const GOOD = steady([100, 1], [900, 9], 5);
const verdictAfter = (polls: readonly Poll[], check: Check = ratioCheck()) => judgeAll(check, polls).verdict;

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
    doubt: null,
    sentence: 'canary errors 1 % (4 of 400) against 1 % (36 of 3,600) on stable, 0.13 to 3.9 times as many',
    evidence: {
      from: at(0),
      to: at(40),
      measurements: 4,
      breaches: 0,
      of: 0,
      query: { bad: 'b', total: 't' },
      canary: { n: 400, bad: 4, value: 0.01 },
      stable: { n: 3600, bad: 36, value: 0.01 },
      limit: null,
      ranked: null,
      weighed: {
        logE: expect.closeTo(-1.064, 3) as number,
        together: expect.closeTo(-1.064, 3) as number,
        threshold: Math.log(100),
        anytimeP: 1,
        ratio: { estimate: expect.closeTo(1, 9) as number, low: expect.closeTo(0.125, 3), high: expect.closeTo(3.864, 3) },
        dispersion: { factor: 1, byInstance: false },
        from: null,
        needed: 100,
        proved: false,
        slow: null,
      },
    },
  });
});

it('fails a canary that is surely worse, in three intervals at the soonest', () => {
  const polls = steady([500, 26], [4500, 18], 4);
  expect(verdictAfter(polls.slice(0, 2))).toMatchObject({ verdict: 'inconclusive', doubt: 'suspicious' });
  expect(verdictAfter(polls.slice(0, 3))).toMatchObject({
    verdict: 'inconclusive',
    doubt: 'suspicious',
    sentence:
      'collecting: 2 of 3 measurements since the weight changed; perhaps worse, so nothing is raised (evidence 83 of 100)',
  });
  expect(verdictAfter(polls)).toMatchObject({
    verdict: 'fail',
    hard: false,
    doubt: null,
    sentence:
      'canary errors 5.2 % against 0.4 %, at least 6.8 times as many with 99 % confidence after 1,500 requests; limit 1.1 times',
  });
});

it('says how the newest interval was when it is much worse than all: a canary that died is no 1.6 %', () => {
  const polls = [
    ...steady([1000, 0], [9000, 0], 6),
    ...[60, 70, 80].map((seconds, index) => ({
      seconds,
      answer: counters(seconds, [5000 + 212 * (index + 1), 212 * (index + 1)], [45_000 + 900 * (index + 1), 0]),
    })),
  ];
  const found = polls.map((_, index) => verdictAfter(polls.slice(0, index + 1))).find(({ verdict }) => verdict === 'fail');
  expect(found?.sentence).toMatch(
    /^canary errors [\d.]+ %, and 100 % \(212 of 212\) in the last look, against 0 %, .* requests; limit 1.1 times$/,
  );
  expect(verdictAfter(steady([500, 26], [4500, 18], 4)).sentence).not.toContain('last look');
});

it('fails a canary that is worse by less in more time', () => {
  const polls = steady([100, 3], [900, 9], 8);
  expect(verdictAfter(polls.slice(0, 3))).toMatchObject({ verdict: 'inconclusive', doubt: 'collecting' });
  expect(verdictAfter(polls.slice(0, 7))).toMatchObject({ verdict: 'inconclusive', doubt: 'suspicious' });
  expect(verdictAfter(polls)).toMatchObject({ verdict: 'fail', evidence: { measurements: 7 } });
});

it('does not decide by a single interval, however bad', () => {
  const polls = [...GOOD, { seconds: 50, answer: counters(50, [500, 104], [4500, 45]) }];
  const { verdict, evidence } = verdictAfter(polls);
  expect(verdict).not.toBe('fail');
  expect(evidence.weighed?.logE).toBeLessThan(Math.log(10));
});

it('accepts an excess within the tolerance, relative or absolute', () => {
  expect(verdictAfter(steady([1000, 11], [9000, 90], 60)).verdict).toBe('pass');
  expect(verdictAfter(steady([10_000, 16], [90_000, 90], 60), ratioCheck({ floor: 0.0006 })).verdict).toBe('pass');
  expect(verdictAfter(steady([10_000, 16], [90_000, 90], 60)).verdict).toBe('fail');
  expect(verdictAfter(steady([10_000, 16], [90_000, 90], 60), ratioCheck({ tolerance: 0.7 })).verdict).toBe('pass');
});

it('passes a canary above stable by no more than chance explains, and says how far', () => {
  const verdict = verdictAfter(steady([100, 2], [900, 9], 4));
  expect(verdict.verdict).toBe('pass');
  expect(verdict.sentence).toContain('0.37 to 6.8 times as many');
});

it('passes nothing on fewer requests than asked for, but does not need them to fail', () => {
  expect(verdictAfter(steady([10, 0], [900, 9], 5))).toMatchObject({
    verdict: 'inconclusive',
    doubt: 'thin',
    sentence: 'collecting: 40 of 100 canary requests since the weight changed',
  });
  expect(verdictAfter(steady([10, 10], [900, 9], 5))).toMatchObject({ verdict: 'fail', doubt: null });
});

it('asks for as many requests as show three times the errors when the plan names no number', () => {
  const auto = ratioCheck({ minRequests: null });
  expect(verdictAfter(steady([100, 1], [900, 9], 4), auto)).toMatchObject({
    verdict: 'inconclusive',
    doubt: 'thin',
    evidence: { weighed: { needed: 510 } },
  });
  expect(verdictAfter(steady([100, 1], [900, 9], 7), auto)).toMatchObject({ verdict: 'pass', evidence: { canary: { n: 600 } } });
});

it('keeps the evidence of the weights before when the weight changes, and not their counts', () => {
  const polls = steady([500, 13], [4500, 18], 5);
  const before = judgeAll(ratioCheck(), polls.slice(0, 3));
  const moved = polls.slice(3).map((poll) => ({ ...poll, context: { since: at(25) } }));
  const after = judgeAll(ratioCheck(), moved, before.state).verdict;
  expect(after.evidence.canary?.n).toBe(500);
  expect(after.evidence.weighed?.logE).toBe(judgeAll(ratioCheck(), polls).verdict.evidence.weighed?.logE);
  const anew = judgeAll(
    ratioCheck(),
    polls.slice(3).map((poll) => ({ ...poll, context: { since: at(25), evidenceFrom: at(25) } })),
    before.state,
  );
  expect(anew.verdict.evidence.weighed?.logE).toBeLessThan(before.verdict.evidence.weighed?.logE ?? 0);
});

it('says of a ratio that it is of more than the counts beside it, once there was another weight', () => {
  const polls = steady([100, 1], [900, 9], 12);
  const before = judgeAll(ratioCheck(), polls.slice(0, 6));
  expect(before.verdict.sentence).toMatch(/^canary errors 1 % \(5 of 500\) .* times as many$/);
  const moved = polls.slice(6).map((poll) => ({ ...poll, context: { since: at(55) } }));
  const after = judgeAll(ratioCheck(), moved, before.state).verdict;
  expect(after.sentence).toMatch(/^canary errors 1 % \(5 of 500\) .* times as many over all weights so far$/);
});

it('finds fewer where fewer is worse, and says the ratio as the canary has it', () => {
  const logins = ratioCheck({ name: 'logins', worse: 'lower' });
  const found = verdictAfter(steady([100, 30], [900, 540], 12), logins);
  expect(found).toMatchObject({
    verdict: 'fail',
    sentence: 'canary logins 30 % against 60 %, fewer with 99 % confidence after 1,100 requests; limit 0.9091 times',
  });
  expect(found.evidence.weighed?.ratio?.high).toBeLessThan(1);
  expect(verdictAfter(steady([100, 90], [900, 540], 12), logins).verdict).toBe('pass');
});

it('needs no more requests to see fewer of what nearly all requests do, or all', () => {
  const delivered = ratioCheck({ name: 'delivered', worse: 'lower', minRequests: null });
  for (const bad of [891, 900]) {
    const found = verdictAfter(steady([100, bad / 9], [900, bad], 4), delivered);
    expect(found.verdict).toBe('pass');
    expect(found.evidence.weighed?.needed).toBeLessThan(50);
  }
  expect(verdictAfter(steady([100, 0], [900, 0], 4), delivered)).toMatchObject({ evidence: { weighed: { needed: null } } });
});

it('compares rates of events, of which there may be more than what they are counted against', () => {
  const restarts = rateCheck();
  expect(verdictAfter(steady([10, 20], [90, 180], 12), restarts).verdict).toBe('pass');
  const worse = verdictAfter(steady([10, 40], [90, 180], 12), restarts);
  expect(worse).toMatchObject({ verdict: 'fail' });
  expect(worse.sentence).toMatch(
    /^canary restarts 4 \(440 in 110\) against 2 \(1,980 in 990\), at least 1\.\d times as many with 99 % confidence; limit 1.1 times$/,
  );
  expect(verdictAfter(steady([10, 20], [0, 0], 5), restarts)).toMatchObject({ verdict: 'inconclusive', doubt: 'thin' });
});

it('is no pass of a level that no ratio can be made of', () => {
  const after = (own: number, other: number, floor = 0) => {
    const polls = [0, 10, 20, 30, 40].map((seconds) => ({ seconds, answer: gauges(seconds, [own], [other]) }));
    return verdictAfter(polls, gaugeCheck({ name: 'queue', floor }));
  };
  expect(after(500, 0)).toMatchObject({
    verdict: 'inconclusive',
    doubt: 'thin',
    sentence: 'queue is 500 on the canary and 0 on stable, which is no ratio: give the check a floor',
  });
  expect(after(0, 500).verdict).toBe('inconclusive');
  expect(after(0, 0).verdict).toBe('pass');
  expect(after(5, 0, 10).verdict).toBe('pass');
});

it('holds a promised limit without a look at stable', () => {
  const availability = sloCheck();
  expect(verdictAfter(steady([200, 1], [0, 0], 5), availability)).toMatchObject({
    verdict: 'pass',
    sentence: 'canary availability 0.5 % (4 of 800), limit 1 %',
    evidence: { limit: 0.01, weighed: { ratio: null } },
  });
  expect(verdictAfter(steady([200, 10], [1800, 90], 6), availability)).toMatchObject({
    verdict: 'fail',
    sentence: 'canary availability 5 %, above the limit 1 % with 99 % confidence after 1,000 requests',
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

it('counts nothing twice in intervals without a canary request', () => {
  const polls = [
    ...steady([200, 30], [1800, 18], 2),
    ...[20, 30].map((s) => ({ seconds: s, answer: counters(s, [200, 30], [180 * s, 36]) })),
  ];
  const logE = (until: number) => judgeAll(ratioCheck(), polls.slice(0, until)).verdict.evidence.weighed?.logE;
  expect(logE(4)).toBe(logE(2));
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

it('bears a limit of nothing at all, for which one bad request is not infinite evidence', () => {
  const none = ratioCheck({ max: 0 });
  const one = [...steady([100, 0], [900, 0], 4), { seconds: 40, answer: counters(40, [400, 1], [3600, 0]) }];
  expect(verdictAfter(one, none)).toMatchObject({ verdict: 'pass', evidence: { weighed: { logE: expect.any(Number) } } });
  expect(verdictAfter(steady([100, 1], [900, 9], 7), none).verdict).toBe('fail');
});

it('does not take back a canary that fails less than a stable that nearly always fails', () => {
  expect(verdictAfter(steady([100, 60], [900, 855], 20)).verdict).toBe('pass');
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
