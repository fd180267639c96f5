import { expect, it } from 'vitest';
import { intervalSince, sum } from './interval.ts';
import type { CumulativeSeries, Sample } from './interval.ts';

type Values = readonly [total: number, bad: number];
const total = (values: readonly number[]): number => values[0] ?? 0;
const canary = (key: string, values: Values, startedAt: number | null = null): CumulativeSeries => ({
  key,
  role: 'canary',
  startedAt,
  values,
});
const stable = (key: string, values: Values): CumulativeSeries => ({
  key,
  role: 'stable',
  startedAt: null,
  values,
});

/** The interval that the last of these samples ends. */
function lastInterval(samples: readonly (readonly [at: number, series: readonly CumulativeSeries[]])[]) {
  let sample: Sample | null = null;
  let interval = null;
  for (const [at, series] of samples) ({ sample, interval } = intervalSince(sample, { at, series }, { total, isRate: false }));
  if (interval === null) return null;
  const { from, to, canary: canarySum, stable: stableSum } = interval;
  return { from, to, canary: canarySum, stable: stableSum };
}

it('makes nothing of a first sample, which is only a baseline', () => {
  expect(lastInterval([[10, [canary('a', [100, 5])]]])).toBeNull();
});

it('subtracts each series from itself and adds up the differences by role', () => {
  const interval = lastInterval([
    [10, [canary('a', [100, 5]), canary('b', [10, 0]), stable('a', [1000, 1])]],
    [20, [canary('a', [150, 6]), canary('b', [30, 2]), stable('a', [1900, 4])]],
  ]);
  expect(interval).toEqual({ from: 10, to: 20, canary: [70, 3], stable: [900, 3] });
});

it('counts from zero a series that fell back, and leaves the others alone', () => {
  const interval = lastInterval([
    [10, [canary('a', [100, 5]), canary('b', [100, 0])]],
    [20, [canary('a', [7, 1]), canary('b', [120, 0])]],
  ]);
  expect(interval?.canary).toEqual([27, 1]);
});

it('counts from zero a series that says it began later, even when it is higher', () => {
  const interval = lastInterval([
    [10, [canary('a', [100, 5], 1)]],
    [20, [canary('a', [130, 2], 12)]],
  ]);
  expect(interval?.canary).toEqual([130, 2]);
});

it('adds nothing for a dip of a few requests, such as between two replicas of a store', () => {
  const samples = [
    [10, [canary('a', [1_000_000, 500])]],
    [20, [canary('a', [999_990, 499])]],
  ] as const;
  expect(lastInterval(samples)?.canary).toEqual([0, 0]);
  expect(lastInterval([...samples, [30, [canary('a', [1_000_040, 500])]]])?.canary).toEqual([50, 1]);
});

it('adds nothing at all for a dip, not even where one of the counts rose', () => {
  const interval = lastInterval([
    [10, [canary('a', [1_000_000, 500])]],
    [20, [canary('a', [999_990, 503])]],
  ]);
  expect(interval?.canary).toEqual([0, 0]);
});

it('does not take a falling bad count for a restart that makes the whole history new', () => {
  const interval = lastInterval([
    [10, [canary('a', [1_000_000, 500])]],
    [20, [canary('a', [1_000_100, 0])]],
  ]);
  expect(interval?.canary).toEqual([100, 0]);
});

it('counts a new series from zero when others of its role were there', () => {
  const interval = lastInterval([
    [10, [canary('200', [100, 0])]],
    [20, [canary('200', [110, 0]), canary('500', [4, 4])]],
  ]);
  expect(interval).toMatchObject({ from: 10, canary: [14, 4] });
});

it('takes the first series of a role as a baseline only', () => {
  const samples = [
    [10, [stable('a', [100, 0])]],
    [20, [stable('a', [200, 0]), canary('a', [50_000, 900])]],
  ] as const;
  expect(lastInterval(samples)).toBeNull();
  expect(lastInterval([...samples, [30, [stable('a', [300, 0]), canary('a', [50_010, 901])]]])).toEqual({
    from: 20,
    to: 30,
    canary: [10, 1],
    stable: [100, 0],
  });
});

it('takes a series that began long before as found late, and not as new', () => {
  const interval = lastInterval([
    [1000, [canary('a', [100, 0], 500)]],
    [2000, [canary('a', [110, 0], 500), canary('b', [90_000, 70], 3), canary('c', [6, 1], 1500), canary('d', [2, 2], 500)]],
  ]);
  expect(interval?.canary).toEqual([10 + 6 + 2, 1 + 2]);
});

it('remembers a series that vanished, and reaches back to its last reading when it returns', () => {
  const interval = lastInterval([
    [10, [canary('a', [100, 0]), canary('b', [5000, 50])]],
    [20, [canary('a', [110, 0])]],
    [30, [canary('a', [120, 0]), canary('b', [5040, 51])]],
  ]);
  expect(interval).toEqual({ from: 10, to: 30, canary: [50, 1], stable: [] });
});

it('adds up to what was served, whatever restarts in between', () => {
  const totals = [10, 25, 3, 9, 40, 2];
  let sample: Sample | null = null;
  let counted = 0;
  for (const [index, requests] of totals.entries()) {
    const next = intervalSince(sample, { at: 10 * index, series: [canary('a', [requests, 0])] }, { total, isRate: false });
    counted += next.interval?.canary[0] ?? 0;
    sample = next.sample;
  }
  expect(counted).toBe(15 + 3 + 6 + 31 + 2);
});

it('keeps names apart that objects have by themselves', () => {
  const interval = lastInterval([
    [10, [canary('__proto__', [1, 0]), stable('__proto__', [1, 0])]],
    [20, [canary('__proto__', [3, 1]), stable('__proto__', [6, 0])]],
  ]);
  expect(interval).toMatchObject({ canary: [2, 1], stable: [5, 0] });
});

it('adds vectors of which one is empty', () => {
  expect(sum([], [1, 2])).toEqual([1, 2]);
  expect(sum([1, 2], [])).toEqual([1, 2]);
  expect(sum([1, 2], [3, 4])).toEqual([4, 6]);
});
