import { expect, it } from 'vitest';
import { clock, figure, moment, percent, share, span, unbroken } from './format.ts';

it('writes weights and shares with as many digits as tell something', () => {
  expect([percent(0), percent(50), percent(2_500), percent(10_000)]).toEqual(['0 %', '0.5 %', '25 %', '100 %']);
  expect([share(0), share(0.012345), share(1), share(0.000001)]).toEqual(['0 %', '1.23 %', '100 %', '< 0.001 %']);
  expect([figure(12_345.6), figure(0.98765), figure(999.94)]).toEqual(['12,346', '0.988', '1,000']);
});

it('says how long in the two largest units', () => {
  expect([0, 999, 42_000, 65_000, 3_600_000, 3_900_000, 90_000_000].map(span)).toEqual([
    '0 s',
    '1 s',
    '42 s',
    '1 min 5 s',
    '1 h',
    '1 h 5 min',
    '1 d 1 h',
  ]);
});

it('counts down without jumping about, and never below nothing', () => {
  expect([-5, 0, 1, 42_000, 725_000, 11_045_000, 90_000_000].map(clock)).toEqual([
    '0:00',
    '0:00',
    '0:01',
    '0:42',
    '12:05',
    '3:04:05',
    '1 d 1 h',
  ]);
});

it('writes a moment as short as it can be told from others', () => {
  const now = new Date(2026, 10, 21, 15, 0, 0).getTime();
  expect(moment(new Date(2026, 10, 21, 14, 3, 9).getTime(), now)).toBe('14:03:09');
  expect(moment(new Date(2026, 10, 19, 14, 3, 9).getTime(), now)).toBe('19 Nov 14:03');
  expect(moment(new Date(2025, 0, 2, 4, 3, 9).getTime(), now)).toBe('2 Jan 2025 04:03');
});

it('keeps a figure with its unit', () => {
  expect(unbroken('at 25 %; p95 40 ms')).toBe('at 25\u00a0%; p95 40\u00a0ms');
});
