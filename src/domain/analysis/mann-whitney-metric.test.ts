import { describe, expect, it, test } from 'vitest';
import { classifyMetric, metricRule } from './mann-whitney-metric.ts';
import type { Classification, MetricRule, Samples } from './mann-whitney-metric.ts';

const ramp = (from: number, step: number, count = 20): number[] =>
  Array.from({ length: count }, (_, index) => from + step * index);
const classify = (said: Partial<MetricRule>, canary: readonly number[], baseline: readonly number[]) =>
  classifyMetric(metricRule(said), { canary, baseline });

const against = (canary: readonly number[], baseline: readonly number[]): Samples => ({ canary, baseline });

const LOW = ramp(10, 0.1);
const HIGH = ramp(20, 0.1);

describe('what a metric is classified as', () => {
  test.each<[string, Partial<MetricRule>, Samples, Classification]>([
    ['a shift upwards', {}, against(HIGH, LOW), 'high'],
    ['a shift downwards', {}, against(LOW, HIGH), 'low'],
    ['a shift the other way than asked', { direction: 'increase' }, against(LOW, HIGH), 'pass'],
    ['and the other', { direction: 'decrease' }, against(HIGH, LOW), 'pass'],
    ['the same values in another order', {}, against([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]), 'pass'],
    ['one odd value of five', {}, against([1, 1, 1, 1, 10], [1, 1, 1, 1, 1]), 'pass'],
    ['nothing but the same value', {}, against([0, 0, 0], [0, 0, 0, 0]), 'pass'],
    ['two constants', {}, against([10, 10, 10, 10, 10], [1, 1, 1, 1, 1]), 'high'],
    ['two constants, one zero', {}, against([0, 0, 0, 0, 0], [10, 10, 10, 10, 10]), 'low'],
    ['one value each', {}, against([10], [1]), 'error'],
    ['a shift that the effect allows', { allowedIncrease: 2.5 }, against(HIGH, LOW), 'pass'],
    ['a shift beyond what the effect allows', { allowedIncrease: 1.5 }, against(HIGH, LOW), 'high'],
    ['an effect that cannot be computed', { allowedIncrease: 1.5 }, against(HIGH, [0, 0, 0, 0, 0]), 'high'],
    ['a chance of being above that is allowed', { effect: 'cles', allowedIncrease: 1.01 }, against(HIGH, LOW), 'pass'],
    ['a chance of being above that is not', { effect: 'cles' }, against(HIGH, LOW), 'high'],
    ['a shift within a large tolerance', { tolerance: 0.999 }, against(HIGH, LOW), 'pass'],
    ['no data', {}, against([], LOW), 'nodata'],
    ['no data but NaN', {}, against([NaN, NaN], LOW), 'nodata'],
    ['no data where there must be some', { mustHaveData: true }, against([], LOW), 'nodata-fail'],
    ['no data of a critical metric where there must be some', { mustHaveData: true, critical: true }, against([], LOW), 'nodata'],
    ['no data, replaced', { nanStrategy: 'replace' }, against([], LOW), 'pass'],
    ['missing values, taken for zero', { nanStrategy: 'replace' }, against([NaN, NaN, NaN, NaN, NaN], LOW), 'low'],
  ])('%s', (_, said, samples, expected) => {
    expect(classifyMetric(metricRule(said), samples).classification).toBe(expected);
  });
});

it('leaves outliers out when asked to, and only then', () => {
  const odd = [...ramp(10, 0.1, 200), 1000, 1000];
  expect(classify({ outliers: 'remove' }, odd, odd.slice(0, 150)).ratio).toBeLessThan(2);
  expect(classify({}, odd, odd.slice(0, 150)).ratio).toBeGreaterThan(1);
  const sample = [...ramp(10, 0.1, 199), 1000];
  const kept = classify({ outliers: 'remove' }, sample, ramp(5, 0.05, 30));
  expect(kept.ratio).toBeCloseTo(19.9 / 5.725, 9);
});

describe('a critical metric', () => {
  it('fails the canary from the critical effect on', () => {
    expect(classify({ critical: true }, HIGH, LOW)).toMatchObject({ classification: 'high', critical: true });
    expect(classify({ critical: true, criticalIncrease: 3 }, HIGH, LOW)).toMatchObject({
      classification: 'high',
      critical: false,
    });
    expect(classify({ critical: true }, [], LOW)).toMatchObject({ classification: 'nodata', critical: true });
  });

  it('does nothing when it passes, or when it cannot be judged', () => {
    expect(classify({ critical: true }, LOW, LOW).critical).toBe(false);
    expect(classify({ critical: true }, [10], [1])).toMatchObject({ classification: 'error', critical: false });
  });
});

it('gives the same verdict every time, constants or not', () => {
  const once = classify({}, [3, 3, 3], [2, 2, 2, 2]);
  expect(classify({}, [3, 3, 3], [2, 2, 2, 2])).toEqual(once);
  expect(once.ratio).toBeCloseTo(1.5, 12);
});

it('can call five values against five different: it asks for no number of points', () => {
  expect(classify({ direction: 'increase' }, [16, 17, 18, 19, 20], [1, 2, 3, 4, 5]).classification).toBe('high');
  expect(classify({ direction: 'increase' }, [5, 17, 18, 19, 20], [1, 2, 3, 4, 16]).classification).toBe('pass');
});
