import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

const OPTIONS = { firstMs: 1_000, maxMs: 30_000 };

it('doubles from one attempt to the next, up to its limit', () => {
  expect([1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs(OPTIONS, attempt, 1))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ]);
});

it('spreads attempts over the upper half of the wait, and never goes beyond it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -5, max: 10_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const ceiling = backoffMs(OPTIONS, attempt, 1);
        const ms = backoffMs(OPTIONS, attempt, random);
        expect(ms).toBeGreaterThanOrEqual(ceiling / 2);
        expect(ms).toBeLessThanOrEqual(Math.min(ceiling, OPTIONS.maxMs));
        expect(Number.isInteger(ms)).toBe(true);
      },
    ),
  );
});
