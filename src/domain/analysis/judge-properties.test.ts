/** What holds for the judge whatever a provider answers. */
import { expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { JudgeState } from './judge.ts';
import {
  at,
  contextAt,
  counters,
  gaugeCheck,
  gauges,
  histogram,
  judgeAll,
  judgeOne,
  latencyCheck,
  rankCheck,
  rateCheck,
  ratioCheck,
  sloCheck,
  steady,
  thresholdCheck,
  value,
} from './judge.fixtures.ts';
import type { Poll } from './judge.fixtures.ts';
import type { Check } from '../plan.ts';
import type { Measurement } from './measurement.ts';

const RUBBISH = [Number.NaN, Infinity, -Infinity, -1, -1e-9, 1e300];
const CHECKS: readonly Check[] = [
  ratioCheck({ max: 0.5 }),
  latencyCheck({ maxMs: 900 }),
  thresholdCheck(),
  rateCheck(),
  sloCheck({ max: 0.2 }),
  gaugeCheck(),
  rankCheck({ minValues: 3 }),
];

const checks = fc.constantFrom(...CHECKS);
const number = fc.oneof(fc.nat(10_000), fc.double(), fc.constantFrom(...RUBBISH));
const role = fc.constantFrom('canary' as const, 'stable' as const);
// A provider that lies may date its samples anyhow, which its type forbids.
const lie = (wrong: number) => wrong as ReturnType<typeof at>;
const instant = fc.oneof(fc.integer({ min: -40, max: 80 }).map(at), fc.constantFrom(...RUBBISH).map(lie));
const named = {
  key: fc.constantFrom('a', 'b', '__proto__'),
  role,
  startedAt: fc.option(fc.oneof(fc.nat(), fc.double()).map(lie), { nil: null }),
};

const answers: fc.Arbitrary<Measurement> = fc.oneof(
  fc.record({ kind: fc.constant('value' as const), at: instant, value: number }),
  fc.record({
    kind: fc.constant('counters' as const),
    at: instant,
    series: fc.array(fc.record({ ...named, total: number, bad: number }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('gauges' as const),
    at: instant,
    series: fc.array(fc.record({ key: named.key, role, value: number }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('histogram' as const),
    at: instant,
    boundsMs: fc.oneof(fc.constant([100, 250, 500, 1000]), fc.array(number, { maxLength: 4 })),
    series: fc.array(fc.record({ ...named, counts: fc.array(number, { minLength: 4, maxLength: 6 }) }), {
      maxLength: 3,
    }),
  }),
  fc.record({
    kind: fc.constantFrom('no_data' as const, 'failed' as const),
    at: instant,
    detail: fc.constant('nothing'),
  }),
);

/** A passing state of each kind of check, from four good intervals. */
const passing = (check: Check): JudgeState => {
  const judged = judgeAll(
    check,
    Array.from({ length: 5 }, (_, k) => ({ seconds: 10 * k, answer: goodAnswer(check, 10 * k) })),
  );
  expect(judged.verdict.verdict).toBe('pass');
  return judged.state;
};

function goodAnswer(check: Check, seconds: number): Measurement {
  if (check.kind === 'gauge' || check.kind === 'mann-whitney')
    return gauges(seconds, [2 + (seconds % 20) / 100], [2, 2.1 + (seconds % 30) / 100]);
  if (check.kind === 'ratio' || check.kind === 'slo' || check.kind === 'rate')
    return counters(seconds, [10 * seconds, 0], [90 * seconds, 0]);
  if (check.kind === 'threshold') return value(seconds, 0.5);
  return histogram(
    seconds,
    [8, 2, 0, 0, 0].map((n) => n * seconds),
    [80, 18, 2, 0, 0].map((n) => n * seconds),
  );
}
const PASSING = new Map(CHECKS.map((check) => [check.kind, passing(check)]));

function spoil(check: Check, wrong: number, place: number): Measurement {
  const answer = goodAnswer(check, 50);
  if (answer.kind === 'value') return { ...answer, value: wrong };
  if (answer.kind === 'counters') {
    const field = place % 2 === 0 ? 'total' : 'bad';
    return {
      ...answer,
      series: answer.series.map((one, index) => (index === (place % 3) % 2 ? { ...one, [field]: wrong } : one)),
    };
  }
  if (answer.kind === 'gauges')
    return { ...answer, series: answer.series.map((one, index) => (index === place % 3 ? { ...one, value: wrong } : one)) };
  if (answer.kind !== 'histogram') return answer;
  return {
    ...answer,
    series: answer.series.map((one) => ({
      ...one,
      counts: one.counts.map((count, bucket) => (bucket === place % 5 ? wrong : count)),
    })),
  };
}

it('never passes on one good answer spoilt by a number that none can be', () => {
  fc.assert(
    fc.property(checks, fc.constantFrom(...RUBBISH.filter((wrong) => wrong !== -1e-9)), fc.nat(29), (check, wrong, place) => {
      // Below nothing is a fair value for a gauge without a lower limit.
      fc.pre((goodAnswer(check, 0).kind !== 'value' && goodAnswer(check, 0).kind !== 'gauges') || !Number.isFinite(wrong));
      const { verdict } = judgeOne(check, PASSING.get(check.kind) ?? null, spoil(check, wrong, place), contextAt(50)).verdict;
      expect(verdict).toBe('error');
    }),
    { seed: 7, numRuns: 5000 },
  );
});

it('never passes on rubbish alone, never throws, and always keeps a state that survives the store', () => {
  fc.assert(
    fc.property(checks, fc.array(answers, { minLength: 1, maxLength: 4 }), (check, sequence) => {
      let state: JudgeState | null = null;
      for (const [index, answer] of sequence.entries()) {
        const judged = judgeOne(check, state, answer, contextAt(10 * index));
        // Fewer fresh answers than a pass needs: three intervals have four ends.
        if (index < 2) expect(judged.verdict.verdict).not.toBe('pass');
        if (answer.kind === 'no_data' || !Number.isFinite(answer.at)) expect(judged.verdict.verdict).not.toBe('pass');
        expect(JSON.parse(JSON.stringify(judged.state))).toEqual(judged.state);
        expect(judged.verdict.sentence).not.toMatch(/undefined|null|\[object/);
        ({ state } = judged);
      }
    }),
    { seed: 7, numRuns: 10_000 },
  );
});

it('never passes again on any answer that is not fresh once the last good one is too old', () => {
  fc.assert(
    fc.property(checks, answers, fc.integer({ min: 71, max: 500 }), (check, answer, seconds) => {
      const judged = judgeOne(check, PASSING.get(check.kind) ?? null, answer, contextAt(seconds));
      if (!judged.fresh) expect(judged.verdict.verdict).not.toBe('pass');
    }),
    { seed: 7, numRuns: 3000 },
  );
});

it('changes nothing for a sample that it has seen', () => {
  fc.assert(
    fc.property(checks, fc.array(answers, { minLength: 1, maxLength: 6 }), (check, sequence) => {
      let state: JudgeState | null = null;
      for (const answer of sequence) {
        const first = judgeOne(check, state, answer, contextAt(40));
        const again = judgeOne(check, first.state, answer, contextAt(40));
        expect(again.state).toEqual(first.state);
        expect(again.fresh).toBe(false);
        expect(again.verdict).toEqual(first.verdict);
        ({ state } = first);
      }
    }),
    { seed: 7, numRuns: 2000 },
  );
});

it('decides the same after every trip through the store', () => {
  fc.assert(
    fc.property(checks, fc.array(answers, { minLength: 1, maxLength: 6 }), (check, sequence) => {
      const polls = sequence.map((answer, k): Poll => ({ seconds: 10 * k, answer }));
      let state: JudgeState | null = null;
      let last = null;
      for (const { seconds, answer } of polls) {
        last = judgeOne(check, state, answer, contextAt(seconds));
        ({ state } = last);
      }
      expect(judgeAll(check, polls)).toEqual(last);
    }),
    { seed: 7, numRuns: 2000 },
  );
});

it('never turns a fail into a pass by more bad canary requests', () => {
  const counts = fc.record({
    bad: fc.nat(60),
    more: fc.nat(60),
    stableBad: fc.nat(200),
    polls: fc.integer({ min: 2, max: 8 }),
  });
  const WORSE = { pass: 0, inconclusive: 1, fail: 2, no_data: 3, error: 3 };
  fc.assert(
    fc.property(counts, ({ bad, more, stableBad, polls }) => {
      const check = ratioCheck({ max: 0.2, hardMax: 0.4 });
      const verdictWith = (canaryBad: number) =>
        judgeAll(check, steady([120, canaryBad], [900, stableBad], polls)).verdict.verdict;
      expect(WORSE[verdictWith(bad + more)]).toBeGreaterThanOrEqual(WORSE[verdictWith(bad)]);
    }),
    { seed: 7, numRuns: 1000 },
  );
});
