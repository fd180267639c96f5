import { expect, it } from 'vitest';
import { Instant } from '../domain/ids.ts';
import { atFirstStep, MINUTE, SECOND, story } from '../../test/story.ts';
import { nextDue, phaseAligned } from './due.ts';

const calm = { failedTries: 0, random: 0.5 };

it('looks again at once after a weight was read back, so that the baseline is taken', () => {
  const told = atFirstStep();
  expect(nextDue(told.release, told.latest, { now: told.now, ...calm })).toBe(told.now);
});

it('measures in the rhythm of the plan, and is there at the moment a step ends', () => {
  const told = atFirstStep();
  const { phase } = told.release;
  const until = phase.kind === 'watching' ? phase.until : told.now;
  expect(nextDue(told.release, [], { now: told.now, ...calm }) - told.now).toBeLessThanOrEqual(10 * SECOND);
  expect(nextDue(told.release, [], { now: Instant(until - 1), ...calm })).toBe(until);
});

it('keeps the rhythm after the end of a step has passed, instead of coming round at once for ever', () => {
  const told = atFirstStep();
  told.wait(10 * MINUTE);
  expect(nextDue(told.release, [], { now: told.now, ...calm })).toBeGreaterThan(told.now);
});

it('looks again at the deadline even when the next try would be later', () => {
  const told = story().prepared();
  const deadline = told.release.deadlineAt ?? told.now;
  expect(nextDue(told.release, [], { now: Instant(deadline - 100), failedTries: 9, random: 0.5 })).toBe(deadline);
});

it('tries a lowering again within a second, however often it failed', () => {
  const told = atFirstStep().ask('rollback');
  for (const failedTries of [1, 5, 50])
    expect(nextDue(told.release, [], { now: told.now, failedTries, random: 0.99 }) - told.now).toBeLessThanOrEqual(SECOND);
});

it('spreads releases over the interval, each with a rhythm of its own', () => {
  const now = Instant(1_800_000_000_000);
  const phases = new Set(Array.from({ length: 200 }, (_, index) => phaseAligned(`R${index}`, 10_000, now) % 10_000));
  expect(phases.size).toBeGreaterThan(150);
  for (let ms = 0; ms < 30_000; ms += 777) {
    const at = Instant(now + ms);
    const next = phaseAligned('R1', 10_000, at);
    expect(next - at).toBeGreaterThan(0);
    expect(next - at).toBeLessThanOrEqual(10_000);
    expect(phaseAligned('R1', 10_000, next) - next).toBe(10_000);
  }
});
