import { expect, it } from 'vitest';
import { admit, CLOSED, report } from './breaker.ts';
import type { BreakerState } from './breaker.ts';

const OPTIONS = { failures: 3, openMs: 1000, maxOpenMs: 5000 };

const fail = (state: BreakerState, nowMs: number): BreakerState => report(state, false, nowMs, OPTIONS);
const opened = (): BreakerState => fail(fail(fail(CLOSED, 0), 0), 0);

it('opens after so many failures in a row, and not when a success lies between', () => {
  expect(admit(fail(fail(CLOSED, 0), 0), 0, OPTIONS).admitted).toBe(true);
  expect(admit(opened(), 0, OPTIONS).admitted).toBe(false);
  const interrupted = report(fail(fail(CLOSED, 0), 0), true, 0, OPTIONS);
  expect(admit(fail(fail(interrupted, 0), 0), 0, OPTIONS).admitted).toBe(true);
});

it('lets one probe out when it was open long enough, and nobody else meanwhile', () => {
  expect(admit(opened(), 999, OPTIONS).admitted).toBe(false);
  const { admitted, next } = admit(opened(), 1000, OPTIONS);
  expect(admitted).toBe(true);
  expect(admit(next, 1001, OPTIONS).admitted).toBe(false);
});

it('closes after a good probe and forgets the failures', () => {
  const { next } = admit(opened(), 1000, OPTIONS);
  expect(report(next, true, 1100, OPTIONS)).toEqual(CLOSED);
});

it('opens for twice as long with every failed probe, up to a limit', () => {
  let state = opened();
  let nowMs = 0;
  for (const openMs of [1000, 2000, 4000, 5000, 5000]) {
    expect(admit(state, nowMs + openMs - 1, OPTIONS).admitted).toBe(false);
    nowMs += openMs;
    const { admitted, next } = admit(state, nowMs, OPTIONS);
    expect(admitted).toBe(true);
    state = fail(next, nowMs);
  }
});

it('hands out another probe when one was never heard of again', () => {
  const { next } = admit(opened(), 1000, OPTIONS);
  expect(admit(next, 1999, OPTIONS).admitted).toBe(false);
  expect(admit(next, 2000, OPTIONS).admitted).toBe(true);
});

it('does not stay open longer for calls that went out before it opened', () => {
  expect(fail(opened(), 900)).toEqual(opened());
});
