import { describe, expect, it, test } from 'vitest';
import type { Classification } from './mann-whitney-metric.ts';
import { scoreOf } from './mann-whitney-score.ts';
import type { ScoredMetric } from './mann-whitney-score.ts';

const RULE = { pass: 95, marginal: 75, groupWeights: {} };
const metric = (groups: string, classification: Classification, more: Partial<ScoredMetric> = {}): ScoredMetric => ({
  name: `${groups} ${classification}`,
  groups: groups.split('+'),
  classification,
  critical: false,
  ...more,
});

describe('the score', () => {
  test.each<[string, Record<string, number>, ScoredMetric[], number]>([
    ['one that passed', {}, [metric('a', 'pass')], 100],
    ['one that failed', {}, [metric('a', 'high')], 0],
    ['one of three', {}, [metric('a', 'pass'), metric('a', 'high'), metric('a', 'low')], 33.33],
    ['groups by weight', { a: 75, b: 25 }, [metric('a', 'pass'), metric('b', 'high')], 75],
    ['unnamed groups share what is left', { a: 50 }, [metric('a', 'pass'), metric('b', 'pass'), metric('c', 'high')], 75],
    ['a failed metric counts in each of its groups', { a: 50, b: 50 }, [metric('a+b', 'low'), metric('b', 'pass')], 25],
    ['a group without data counts in full', {}, [metric('a', 'pass'), metric('a', 'pass'), metric('b', 'nodata')], 100],
    ['missing data that was required counts as failed', {}, [metric('a', 'pass'), metric('a', 'nodata-fail')], 50],
    ['an error counts neither way', {}, [metric('a', 'pass'), metric('a', 'error')], 100],
    ['nothing but errors', {}, [metric('a', 'error')], 100],
    ['a muted metric has no say', {}, [metric('a', 'pass'), metric('a', 'high', { muted: true })], 100],
    ['weights of groups that are not there are lost', { a: 40, z: 60 }, [metric('a', 'pass')], 40],
  ])('%s', (_, groupWeights, metrics, expected) => {
    expect(scoreOf({ ...RULE, groupWeights }, metrics).score).toBe(expected);
  });
});

it('is zero when a critical metric fails or is silent, or when half of the metrics are', () => {
  const passing = [metric('a', 'pass'), metric('a', 'pass'), metric('a', 'pass')];
  expect(scoreOf(RULE, [...passing, metric('a', 'high', { critical: true })])).toMatchObject({
    score: 0,
    verdict: 'fail',
    reason: 'critical metric a high is high',
  });
  expect(scoreOf(RULE, [...passing, metric('a', 'nodata', { critical: true })]).score).toBe(0);
  expect(scoreOf(RULE, [metric('a', 'pass'), metric('a', 'nodata')])).toMatchObject({
    score: 0,
    reason: '1 of 2 metrics have no data',
    groups: { a: 100 },
  });
});

it('is a pass from one threshold on, marginal from the other', () => {
  const metrics = [metric('a', 'pass'), metric('b', 'high')];
  const verdict = (a: number): string => scoreOf({ ...RULE, groupWeights: { a, b: 100 - a } }, metrics).verdict;
  expect([95, 94.99, 75, 74.99].map(verdict)).toEqual(['pass', 'marginal', 'marginal', 'fail']);
});
