import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

it('reads durations as people write them', () => {
  const cases = {
    '0s': 0,
    '500ms': 500,
    '30s': 30_000,
    '5m': 300_000,
    '1h30m': 5_400_000,
    '2d': 172_800_000,
    ' 15m ': 900_000,
    '1m500ms': 60_500,
  };
  for (const [text, ms] of Object.entries(cases)) expect(parseDuration(text), text).toBe(ms);
});

it('refuses what is not a duration', () => {
  for (const text of ['', ' ', '5', 'm', '5 m', '-5m', '1.5h', '5M', '30m1h', '5m5m', 'soon', `${'9'.repeat(20)}d`])
    expect(parseDuration(text), text).toBeNull();
});

it('writes every whole number of milliseconds so that it is read back as the same', () => {
  fc.assert(fc.property(fc.nat({ max: 10 ** 12 }), (ms) => parseDuration(formatDuration(ms)) === ms));
});

it('writes the shortest form', () => {
  expect(formatDuration(90_000)).toBe('1m30s');
  expect(formatDuration(0)).toBe('0s');
  expect(formatDuration(-5)).toBe('0s');
});
