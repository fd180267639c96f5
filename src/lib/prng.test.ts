import { expect, it } from 'vitest';
import { hash32, prng } from './prng.ts';

const take = (seed: number, count: number): readonly number[] => {
  const next = prng(seed);
  return Array.from({ length: count }, next);
};

it('gives the same numbers for the same seed, and others for another', () => {
  expect(take(42, 5)).toEqual(take(42, 5));
  expect(take(42, 5)).not.toEqual(take(43, 5));
});

it('gives numbers in [0, 1), evenly', () => {
  const numbers = take(7, 10_000);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  for (let tenth = 0; tenth < 10; tenth++) {
    const inIt = numbers.filter((number) => Math.floor(number * 10) === tenth).length;
    expect(Math.abs(inIt - 1_000)).toBeLessThan(150);
  }
});

it('hashes a text to the same number in every release: sticky clients depend on it', () => {
  expect([hash32(''), hash32('checkout'), hash32('app\u0000client-1')]).toEqual([2_872_998_923, 1_259_066_387, 887_559_279]);
});

it('spreads similar texts over the whole range', () => {
  const buckets = Array.from({ length: 16 }, () => 0);
  for (let index = 0; index < 16_000; index++)
    buckets[hash32(`client-${index}`) >>> 28] = (buckets[hash32(`client-${index}`) >>> 28] ?? 0) + 1;
  for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});
