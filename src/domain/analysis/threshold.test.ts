import { expect, it } from 'vitest';
import { judgeAll, thresholdCheck, value } from './judge.fixtures.ts';

const after = (values: readonly number[], change = {}) =>
  judgeAll(
    thresholdCheck(change),
    values.map((number, k) => ({ seconds: 10 * (k + 1), answer: value(10 * (k + 1), number) })),
  ).verdict;

it('passes values within the limits', () => {
  expect(after([0.5, 0.9, 0.6])).toMatchObject({
    verdict: 'pass',
    sentence: 'canary saturation 0.6, within the limits',
  });
});

it('fails when so many of the last so many are outside, above or below', () => {
  expect(after([0.5, 0.95, 0.6]).verdict).toBe('inconclusive');
  expect(after([0.95, 0.5, 0.95])).toMatchObject({
    verdict: 'fail',
    evidence: { breaches: 2, of: 3, limit: 0.9 },
  });
  expect(after([0.95, 0.5, 0.5, 0.95]).verdict).toBe('inconclusive');
  expect(after([0.5, 0.1, 0.1], { min: 0.2 })).toMatchObject({ verdict: 'fail' });
});

it('forgets a breach that has left the window', () => {
  expect(after([0.95, 0.5, 0.5, 0.5]).verdict).toBe('pass');
});

it('fails at once above a hard limit', () => {
  expect(after([0.995])).toMatchObject({
    verdict: 'fail',
    hard: true,
    sentence: 'canary saturation 0.995, above the hard limit 0.99',
  });
  expect(after([0.05], { hardMin: 0.1 })).toMatchObject({ verdict: 'fail', hard: true });
});

it('does not look at a value from before the weight changed', () => {
  const judged = judgeAll(thresholdCheck(), [{ seconds: 5, answer: value(-3, 0.995) }]);
  expect(judged.verdict).toMatchObject({ verdict: 'inconclusive', hard: false });
});
