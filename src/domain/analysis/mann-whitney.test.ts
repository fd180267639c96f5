import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { QUANTILE_95, shiftBetween } from './mann-whitney.ts';

const values = fc.array(
  fc.integer({ min: 0, max: 4000 }).map((n) => n / 8),
  { minLength: 4, maxLength: 25 },
);
const arms = fc.tuple(values, values).filter(([a, b]) => new Set([...a, ...b]).size > 3);

it('finds the interval and the estimate that wilcox.test of R finds for 10..40 against 1..4', () => {
  const { low, high, estimate } = shiftBetween([10, 20, 30, 40], [1, 2, 3, 4], QUANTILE_95);
  expect([low, high, estimate]).toEqual([6, 39, 22.5]);
});

/** How surely the ranks of `sample`, lowered by `shift`, are too high: counted pair by pair, with no ranks at all. */
function surely(sample: readonly number[], other: readonly number[], shift: number): number {
  const lowered = sample.map((value) => value - shift);
  const wins = lowered.flatMap((own) => other.map((each) => (each < own ? 1 : each === own ? 0.5 : 0)));
  const excess = wins.reduce<number>((sum, win) => sum + win, 0) - wins.length / 2;
  const ties = [...Map.groupBy([...lowered, ...other], (value) => value).values()].reduce(
    (sum, { length }) => sum + length ** 3 - length,
    0,
  );
  const all = sample.length + other.length;
  return (excess - 0.5 * Math.sign(excess)) / Math.sqrt((wins.length / 12) * (all + 1 - ties / (all * (all - 1))));
}

it('ends where the ranks stop being surely too high, and stop being surely too low', () => {
  fc.assert(
    fc.property(arms, ([sample, other]) => {
      const { low, high } = shiftBetween(sample, other, QUANTILE_95);
      const least = Math.min(...sample) - Math.max(...other);
      const most = Math.max(...sample) - Math.min(...other);
      const near = 2e-4;
      if (least < low && low < most) {
        expect(surely(sample, other, low - near)).toBeGreaterThanOrEqual(QUANTILE_95);
        expect(surely(sample, other, low + near)).toBeLessThanOrEqual(QUANTILE_95);
      }
      if (least < high && high < most) {
        expect(surely(sample, other, high - near)).toBeGreaterThanOrEqual(-QUANTILE_95);
        expect(surely(sample, other, high + near)).toBeLessThanOrEqual(-QUANTILE_95);
      }
    }),
    { numRuns: 300 },
  );
});

it('moves with the sample, and turns round with the arms', () => {
  fc.assert(
    fc.property(arms, fc.integer({ min: -50, max: 50 }), ([sample, other], by) => {
      const plain = shiftBetween(sample, other);
      const moved = shiftBetween(
        sample.map((value) => value + by),
        other,
      );
      const turned = shiftBetween(other, sample);
      expect(moved.low).toBeCloseTo(plain.low + by, 3);
      expect(moved.high).toBeCloseTo(plain.high + by, 3);
      expect(turned.low).toBeCloseTo(-plain.high, 3);
      expect(turned.high).toBeCloseTo(-plain.low, 3);
    }),
    { numRuns: 200 },
  );
});

it('estimates the median of all differences, to the differences beside it', () => {
  const sample = [3.1, 4.7, 9.2, 5.5, 6.8, 7.3, 12.9];
  const other = [1.4, 2.6, 0.3, 4.1, 3.9];
  const differences = sample.flatMap((own) => other.map((each) => own - each)).toSorted((a, b) => a - b);
  const { estimate } = shiftBetween(sample, other);
  expect(estimate).toBeGreaterThan((differences[16] ?? 0) - 1e-4);
  expect(estimate).toBeLessThan((differences[18] ?? 0) + 1e-4);
});

it('is coarse below its absolute tolerance, as Kayenta is', () => {
  const tiny = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => n * 1e-6);
  const { low, high } = shiftBetween(
    tiny.map((value) => value + 4e-5),
    tiny,
  );
  // Finely it is (3.4e-5, 4.6e-5); all that is known here is that the whole range is within the tolerance.
  expect(high - low).toBeLessThan(1e-4);
  expect(low).toBeGreaterThanOrEqual(3.3e-5 - 1e-12);
});

it('says that equal values say nothing', () => {
  expect(() => shiftBetween([2], [1])).toThrow(RangeError);
});
