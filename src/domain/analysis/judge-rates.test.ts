/**
 * How often the judge is wrong, and how soon it is right, by simulated requests from fixed seeds: the numbers that the
 * choice of `SURE` rests on.
 */
import { expect, it } from 'vitest';
import { judge } from './judge.ts';
import type { JudgeState } from './judge.ts';
import { contextAt, ratioCheck, simulated } from './judge.fixtures.ts';
import type { Traffic } from './judge.fixtures.ts';

const GOOD = { perSecond: 100, weight: 0.05, canaryErrors: 0.01, stableErrors: 0.01 };
const HALF_AN_HOUR = 180;

/** After how many intervals the check fails; null when it does not. */
function failsAfter(seed: number, traffic: Traffic, intervals: number): number | null {
  let state: JudgeState | null = null;
  let interval = 0;
  for (const { seconds, answer } of simulated(seed, traffic, intervals)) {
    const judged = judge(ratioCheck(), state, answer, contextAt(seconds));
    if (judged.verdict.verdict === 'fail') return interval;
    ({ state } = judged);
    interval++;
  }
  return null;
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

it('takes back fewer than 2 % of good canaries in half an hour of looking every ten seconds', () => {
  const alarms = seeds(300).filter((seed) => failsAfter(seed, GOOD, HALF_AN_HOUR) !== null);
  expect(alarms.length / 300).toBeLessThan(0.02);
}, 30_000);

it('finds five times the errors in every run, half of the time within a minute', () => {
  const found = seeds(100).map((seed) => failsAfter(seed, { ...GOOD, canaryErrors: 0.05 }, 30));
  expect(found).not.toContain(null);
  expect(found.filter((intervals) => intervals !== null && intervals <= 6).length).toBeGreaterThan(50);
});
