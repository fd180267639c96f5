import { expect, it } from 'vitest';
import {
  at,
  contextAt,
  counters,
  judgeAll,
  judgeOne,
  ratioCheck,
  series,
  steady,
  thresholdCheck,
  value,
} from './judge.fixtures.ts';
import type { Measurement } from './measurement.ts';

const GOOD = steady([100, 1], [900, 9], 5);
const failed: Measurement = {
  kind: 'failed',
  at: at(50),
  detail: 'prometheus: query errors: 503 from http://127.0.0.1:9090',
};
const noData: Measurement = { kind: 'no_data', at: at(50), detail: 'the query has an empty answer' };

// Evidence: what counts, and from when.

const moved = { since: at(35) };

it('starts anew when the weight has changed, with the interval of the change left out', () => {
  const start = judgeAll(ratioCheck(), GOOD.slice(0, 4)).state;
  const after = [40, 50].map((s) => ({
    seconds: s,
    answer: counters(s, [10 * s, s / 10], [90 * s, s]),
    context: moved,
  }));
  const one = judgeAll(ratioCheck(), after.slice(0, 1), start);
  expect(one.verdict).toMatchObject({ verdict: 'inconclusive', evidence: { measurements: 0, from: null } });
  const two = judgeAll(ratioCheck(), after, start);
  expect(two.verdict.evidence).toMatchObject({
    measurements: 1,
    from: at(40),
    to: at(50),
    canary: { n: 100 },
  });
});

it('has a hard limit hold for the interval in which the weight changed, too', () => {
  const check = ratioCheck({ hardMax: 0.2 });
  const start = judgeAll(check, GOOD.slice(0, 4)).state;
  const broken = judgeAll(check, [{ seconds: 40, answer: counters(40, [400, 90], [3600, 36]), context: moved }], start);
  expect(broken.verdict).toMatchObject({ verdict: 'fail', hard: true });
});

it('does not hold what ended before the weight changed against it, not even by a hard limit', () => {
  const check = ratioCheck({ hardMax: 0.2 });
  const polls = [GOOD[0], { seconds: 10, answer: counters(10, [100, 90], [900, 9]) }].flatMap((poll) =>
    poll ? [{ ...poll, context: moved }] : [],
  );
  expect(judgeAll(check, polls).verdict.hard).toBe(false);
});

it('leaves out the warm-up for soft limits', () => {
  const warm = GOOD.map((poll) => ({ ...poll, context: { warmUpMs: 20_000 } }));
  expect(judgeAll(ratioCheck(), warm).verdict.evidence).toMatchObject({ from: at(20), measurements: 2 });
});

it('adds nothing for the same sample again, and leaves the state as it was', () => {
  const before = judgeAll(ratioCheck(), GOOD);
  const again = judgeOne(ratioCheck(), before.state, counters(40, [400, 4], [3600, 36]), contextAt(41));
  expect(again).toEqual({ ...before, fresh: false });
  const older = judgeOne(ratioCheck(), before.state, counters(20, [999, 999], [3600, 36]), contextAt(41));
  expect(older).toEqual({ ...before, fresh: false });
});

it('starts anew from a state that it cannot read', () => {
  for (const state of [
    {},
    { version: 2 },
    { ...judgeAll(ratioCheck(), GOOD).state, canary: ['x'] },
    { ...judgeAll(ratioCheck(), GOOD).state, sample: null },
  ]) {
    expect(judgeOne(ratioCheck(), state, counters(50, [500, 5], [4500, 45]), contextAt(50)).verdict.verdict).toBe('inconclusive');
  }
});

it('does not carry the state of one kind of check into another', () => {
  const state = judgeAll(ratioCheck(), GOOD).state;
  expect(judgeOne(thresholdCheck(), state, value(50, 0.5), contextAt(50)).verdict.evidence.measurements).toBe(1);
});

// The newest answer: what it takes away, and what it cannot.

const after = (seconds: number, answer: Measurement, check = ratioCheck()) => judgeAll(check, [...GOOD, { seconds, answer }]);

it('takes a pass away when it says nothing', () => {
  expect(after(50, noData).verdict).toMatchObject({ verdict: 'no_data', sentence: noData.detail });
});

it('takes a pass away when the provider fails, but for a single missed poll', () => {
  expect(after(50, failed).verdict.verdict).toBe('pass');
  expect(after(55, failed).verdict.verdict).toBe('pass');
  expect(after(56, failed).verdict).toMatchObject({ verdict: 'error', sentence: failed.detail });
});

it('is an error when no answer was ever good', () => {
  expect(judgeAll(ratioCheck(), [{ seconds: 0, answer: failed }])).toMatchObject({
    verdict: { verdict: 'error' },
    fresh: false,
  });
});

it('does not take a failing verdict back by failing itself', () => {
  const bad = steady([500, 26], [4500, 18], 4);
  for (const answer of [failed, noData, value(100, Number.NaN)]) {
    expect(judgeAll(ratioCheck(), [...bad, { seconds: 100, answer }]).verdict.verdict).toBe('fail');
  }
});

it('gives the pass back when the provider does, with nothing lost in between', () => {
  const judged = judgeAll(ratioCheck(), [
    ...GOOD,
    { seconds: 60, answer: failed },
    { seconds: 70, answer: counters(70, [700, 7], [6300, 63]) },
  ]);
  expect(judged.verdict).toMatchObject({
    verdict: 'pass',
    evidence: { measurements: 5, canary: { n: 700 } },
  });
});

it('is no data when its sample is old, or is repeated for too long', () => {
  const repeated = counters(40, [400, 4], [3600, 36]);
  expect(after(70, repeated).verdict.verdict).toBe('pass');
  expect(after(71, repeated).verdict).toMatchObject({
    verdict: 'no_data',
    sentence: 'the newest sample is 31 s old, more than 30 s',
  });
  expect(after(91, counters(50, [500, 5], [4500, 45])).verdict.verdict).toBe('no_data');
});

it('is no data when frozen, even if it is dated a little ahead', () => {
  const ahead = counters(49, [500, 5], [4500, 45]);
  const polls = [...GOOD, { seconds: 41, answer: ahead }, { seconds: 72, answer: ahead }];
  expect(judgeAll(ratioCheck(), polls).verdict).toMatchObject({
    verdict: 'no_data',
    sentence: 'the provider has repeated one sample for 31 s',
  });
});

it('is no data when it has no series of the canary', () => {
  const answer: Measurement = { kind: 'counters', at: at(50), series: [series('stable', [4500, 45])] };
  expect(after(50, answer).verdict).toMatchObject({
    verdict: 'no_data',
    sentence: 'the provider has no series of the canary',
  });
});

const nonsense: Record<string, Measurement> = {
  'of another kind': value(50, 1),
  'far in the future': counters(61, [500, 5], [4500, 45]),
  'at no instant': { ...counters(50, [500, 5], [4500, 45]), at: Number.NaN as ReturnType<typeof at> }, // a provider may lie
  'not a number': counters(50, [Number.NaN, 5], [4500, 45]),
  infinite: counters(50, [Infinity, 5], [4500, 45]),
  negative: counters(50, [500, -1], [4500, 45]),
  'with more bad requests than requests': counters(50, [500, 600], [4500, 45]),
  'with more new bad requests than new requests': counters(50, [410, 30], [4500, 45]),
  'with one series twice': {
    kind: 'counters',
    at: at(50),
    series: [series('canary', [500, 5]), series('canary', [500, 5])],
  },
};
for (const [name, answer] of Object.entries(nonsense)) {
  it(`is an error, and not counted, when it is ${name}`, () => {
    const judged = after(50, answer);
    expect(judged.verdict.verdict).toBe('error');
    expect(judged.fresh).toBe(false);
    expect(judged.state).toEqual(judgeAll(ratioCheck(), GOOD).state);
  });
}
