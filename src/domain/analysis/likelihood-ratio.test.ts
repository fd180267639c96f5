import { expect, it } from 'vitest';
import * as fc from 'fast-check';
import { excessOver, excessOverStable } from './likelihood-ratio.ts';
import type { Arm } from './likelihood-ratio.ts';

const PLAIN = { factor: 1, floor: 0 };
const arm = fc.integer({ min: 1, max: 5000 }).chain((n) => fc.record({ n: fc.constant(n), bad: fc.integer({ min: 0, max: n }) }));
const limits = fc.record({
  factor: fc.double({ min: 1, max: 2, noNaN: true }),
  floor: fc.double({ min: 0, max: 0.2, noNaN: true }),
});

const log = ({ n, bad }: Arm, p: number): number =>
  (bad === 0 ? 0 : bad * Math.log(p)) + (bad === n ? 0 : (n - bad) * Math.log(1 - p));

it('agrees with the G statistic of a two by two table when the limit is stable itself', () => {
  const canary = { n: 500, bad: 26 };
  const stable = { n: 4500, bad: 18 };
  const pooled = 44 / 5000;
  const g = 2 * (log(canary, 26 / 500) + log(stable, 18 / 4500) - log(canary, pooled) - log(stable, pooled));
  expect(excessOverStable(canary, stable, PLAIN)).toBeCloseTo(Math.sqrt(g), 9);
});

it('finds the share on the limit that a search through a million shares finds', () => {
  const canary = { n: 300, bad: 20 };
  const stable = { n: 700, bad: 9 };
  const free = log(canary, 20 / 300) + log(stable, 9 / 700);
  let best = -Infinity;
  for (let step = 1; step < 1_000_000; step++) {
    const share = step / 1_200_000;
    best = Math.max(best, log(canary, 1.1 * share + 0.002) + log(stable, share));
  }
  expect(excessOverStable(canary, stable, { factor: 1.1, floor: 0.002 })).toBeCloseTo(Math.sqrt(2 * (free - best)), 5);
});

it('is zero at and below the limit, and with an arm that has no request', () => {
  expect(excessOverStable({ n: 100, bad: 10 }, { n: 1000, bad: 100 }, PLAIN)).toBe(0);
  expect(excessOverStable({ n: 100, bad: 1 }, { n: 1000, bad: 100 }, PLAIN)).toBe(0);
  expect(excessOverStable({ n: 0, bad: 0 }, { n: 1000, bad: 100 }, PLAIN)).toBe(0);
  expect(excessOverStable({ n: 10, bad: 10 }, { n: 0, bad: 0 }, PLAIN)).toBe(0);
  expect(excessOver({ n: 100, bad: 10 }, 0.1)).toBe(0);
  expect(excessOver({ n: 0, bad: 0 }, 0.1)).toBe(0);
});

it('is exact for a fixed limit with nothing but bad requests', () => {
  expect(excessOver({ n: 10, bad: 10 }, 0.5)).toBeCloseTo(Math.sqrt(20 * Math.LN2), 9);
});

it('is always a number, and infinite only where the limit allows no bad request at all', () => {
  fc.assert(
    fc.property(arm, arm, limits, (canary, stable, limit) => {
      const excess = excessOverStable(canary, stable, limit);
      expect(excess).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(excess)).toBe(true);
    }),
  );
  expect(excessOver({ n: 10, bad: 1 }, 0)).toBe(Infinity);
});

it('never shrinks with one more bad canary request, and never grows with one more bad stable request', () => {
  fc.assert(
    fc.property(arm, arm, limits, (canary, stable, limit) => {
      const excess = excessOverStable(canary, stable, limit);
      if (canary.bad < canary.n) {
        expect(excessOverStable({ ...canary, bad: canary.bad + 1 }, stable, limit)).toBeGreaterThanOrEqual(excess - 1e-6);
      }
      if (stable.bad < stable.n) {
        expect(excessOverStable(canary, { ...stable, bad: stable.bad + 1 }, limit)).toBeLessThanOrEqual(excess + 1e-6);
      }
    }),
    { numRuns: 500 },
  );
});
