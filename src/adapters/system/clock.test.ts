import { expect, it } from 'vitest';
import { HOUR, MINUTE, NOON, SECOND } from '../../../test/story.ts';
import { steadyClock, systemClock } from './clock.ts';

/** A machine whose two clocks only the test moves. */
function machine() {
  const at = { wallMs: NOON as number, monotonicMs: 0 };
  const clock = steadyClock({ wallMs: () => at.wallMs, monotonicMs: () => at.monotonicMs, sleep: async () => {} });
  return {
    clock,
    passes(ms: number): void {
      at.wallMs += ms;
      at.monotonicMs += ms;
    },
    isSet(ms: number): void {
      at.wallMs += ms;
    },
    passesOnlyMonotonic(ms: number): void {
      at.monotonicMs += ms;
    },
  };
}

it('goes on as if nothing were, and says so, when the clock of the machine is set a day on', () => {
  const { clock, isSet, passes } = machine();
  isSet(24 * HOUR);
  expect(clock.now()).toBe(NOON);
  passes(MINUTE);
  // A hundredth of a minute beyond it: a hold of five minutes lasts three seconds less, and not nothing.
  expect(clock.now()).toBe(NOON + MINUTE + 600);
  expect(clock.stepMs()).toBeCloseTo(24 * HOUR - 600, 0);
});

it('never goes back, and does not stand still, when the clock of the machine is set back', () => {
  const { clock, isSet, passes } = machine();
  isSet(-HOUR);
  let before: number = clock.now();
  for (let second = 0; second < 60; second++) {
    passes(SECOND);
    expect(clock.now()).toBeGreaterThanOrEqual(before + 0.98 * SECOND);
    before = clock.now();
  }
  expect(clock.stepMs()).toBeLessThan(-58 * MINUTE);
});

it('follows the ordinary corrections of the clock of the machine, slowly, and then is right', () => {
  const { clock, isSet, passes } = machine();
  isSet(500);
  passes(MINUTE);
  expect(clock.now()).toBe(NOON + MINUTE + 500);
  expect(clock.stepMs()).toBe(0);
});

it('does not let a monotonic clock that falls back take time away', () => {
  const { clock, passes, passesOnlyMonotonic } = machine();
  passes(MINUTE);
  const before = clock.now();
  passesOnlyMonotonic(-SECOND);
  expect(clock.now()).toBeGreaterThanOrEqual(before);
});

it('sleeps until its time or its signal, whichever is first', async () => {
  const clock = systemClock();
  const startedMs = clock.monotonicMs();
  await clock.sleep(5);
  await clock.sleep(60_000, AbortSignal.timeout(5));
  expect(clock.monotonicMs() - startedMs).toBeLessThan(10_000);
});
