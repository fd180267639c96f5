import { expect, it } from 'vitest';
import { prng } from '../lib/prng.ts';
import { assignRandom, assignSticky } from './assign.ts';
import { ALL, NONE, Weight } from './ids.ts';

const keys = Array.from({ length: 5_000 }, (_, index) => `client-${index}`);

it('never moves a client away from the second slot by raising its share', () => {
  const steps = [NONE, Weight(1), Weight(100), Weight(2500), Weight(9_999), ALL];
  for (const key of keys) {
    const path = steps.map((share) => assignSticky('app', key, share));
    expect(path).toEqual(path.toSorted((a, b) => a - b));
  }
});

it('sends nobody at nothing, everybody at the whole, and about a quarter at a quarter', () => {
  const count = (share: Weight): number => keys.filter((key) => assignSticky('app', key, share) === 1).length;
  expect(count(NONE)).toBe(0);
  expect(count(ALL)).toBe(keys.length);
  expect(Math.abs(count(Weight(2500)) - 1_250)).toBeLessThan(150);
});

it('does not let the same clients be first on every route', () => {
  const first = (route: string) => keys.filter((key) => assignSticky(route, key, Weight(100)) === 1);
  const both = first('a').filter((key) => first('b').includes(key));
  expect(both.length).toBeLessThan(10);
});

it('sends requests without a key by chance, in proportion', () => {
  const next = prng(1);
  const sent = Array.from({ length: 10_000 }, () => assignRandom(Weight(1000), next())).filter((slot) => slot === 1).length;
  expect(Math.abs(sent - 1_000)).toBeLessThan(120);
  expect(assignRandom(NONE, 0)).toBe(0);
  expect(assignRandom(ALL, 0.999_999)).toBe(1);
});
