import { expect, it } from 'vitest';
import { after, ALL, complement, heavier, Instant, NONE, percent, ReleaseId, TargetId, Weight } from './ids.ts';

it('refuses a weight that is not a whole number of basis points from 0 to 10000', () => {
  for (const wrong of [-1, 10_001, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => Weight(wrong)).toThrow(/a weight/);
  expect([Weight(0), Weight(1), Weight(10_000)]).toEqual([NONE, 1, ALL]);
});

it('refuses an instant that is not a whole number of milliseconds since 1970', () => {
  for (const wrong of [-1, 1.5, Number.NaN, 2 ** 53]) expect(() => Instant(wrong)).toThrow(/an instant/);
  expect(after(Instant(1_000), 0.6)).toBe(1_001);
});

it('refuses ids that could be mistaken for something else', () => {
  for (const wrong of ['', 'a b', 'a/b', 'x'.repeat(65)]) expect(() => ReleaseId(wrong)).toThrow(/a release id/);
  for (const wrong of ['', 'x'.repeat(301)]) expect(() => TargetId(wrong)).toThrow(/a target id/);
});

it('counts the rest of the whole, and the heavier of two', () => {
  expect(complement(Weight(1))).toBe(9_999);
  expect(heavier(Weight(1), Weight(2))).toBe(2);
});

it('writes weights as people do, to the basis point', () => {
  expect([NONE, Weight(50), Weight(2500), Weight(9_999), ALL].map(percent)).toEqual(['0 %', '0.5 %', '25 %', '99.99 %', '100 %']);
});
