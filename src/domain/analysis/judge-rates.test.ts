/**
 * How often the judge is wrong, and how soon it is right, by simulated requests from fixed seeds, through all of it:
 * counters, intervals, evidence. The engine alone is calibrated in `evidence/calibration.test.ts`.
 */
import { expect, it } from 'vitest';
import type { JudgeState } from './judge.ts';
import { contextAt, judgeOne, ratioCheck, simulated } from './judge.fixtures.ts';
import type { Traffic } from './judge.fixtures.ts';

const GOOD = { perSecond: 100, weight: 0.05, canaryErrors: 0.01, stableErrors: 0.01 };
const HALF_AN_HOUR = 180;

/** After how many intervals the check fails; null when it does not. */
function failsAfter(seed: number, traffic: Traffic, intervals: number): number | null {
  let state: JudgeState | null = null;
  let interval = 0;
  for (const { seconds, answer } of simulated(seed, traffic, intervals)) {
    const judged = judgeOne(ratioCheck(), state, answer, contextAt(seconds));
    if (judged.verdict.verdict === 'fail') return interval;
    ({ state } = judged);
    interval++;
  }
  return null;
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

it('takes back at most 1 % of good canaries in half an hour of looking every ten seconds', () => {
  const alarms = seeds(100).filter((seed) => failsAfter(seed, GOOD, HALF_AN_HOUR) !== null);
  expect(alarms.length).toBeLessThanOrEqual(1);
});

it('finds five times the errors in every run, half of the time within two minutes, never in two intervals', () => {
  const found = seeds(100).map((seed) => failsAfter(seed, { ...GOOD, canaryErrors: 0.05 }, 60));
  expect(found).not.toContain(null);
  const sorted = found.map((intervals) => intervals ?? Infinity).toSorted((a, b) => a - b);
  expect(sorted[50]).toBeLessThanOrEqual(12);
  expect(sorted[0]).toBeGreaterThanOrEqual(3);
});
