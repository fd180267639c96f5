import { expect, it } from 'vitest';
import type { CheckView } from '../../../../src/contract/wire.ts';
import { difference } from './check-tile.tsx';

type Evidence = NonNullable<CheckView['evidence']>;
const ratio = { estimate: 0.949, low: 0.81, high: 1.11 };
const evidence = {
  canary: { n: 400, bad: 96, value: 61 },
  stable: { n: 800, bad: 144, value: 58 },
  limit: 500,
  weighed: { ratio, slow: { atMs: 40, leastMs: 40, mostMs: 40 } },
} as unknown as Evidence;

it('counts slow requests at the bound that the ratio is about, and says that it is of the whole release', () => {
  const said = difference(evidence, 'ms');
  expect(said).toContain('0.949 times as many requests slower than 40 ms as stable since the release began');
  expect(said).not.toContain('500');
  const moved = { ...evidence, weighed: { ratio, slow: { atMs: 80, leastMs: 20, mostMs: 160 } } } as unknown as Evidence;
  expect(difference(moved, 'ms')).toContain("slower than 20 to 160 ms, as stable's own quantile moved, as stable since");
});

it('compares shares without a bound', () => {
  const shares = { ...evidence, canary: { n: 100, bad: 2, value: 0.02 }, stable: { n: 100, bad: 1, value: 0.01 } };
  const said = difference({ ...shares, weighed: { ...evidence.weighed, slow: null } } as unknown as Evidence, 'share');
  expect(said).toContain('+1 percentage points');
  expect(said).toContain("0.949 times stable's since the release began");
});
