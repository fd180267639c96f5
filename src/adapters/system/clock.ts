/**
 * Time for the service. `now` is anchored to the machine's clock at the start and then advanced by monotonic time, so that
 * a step of that clock does not step dwell times and deadlines; it follows the machine's clock by one part in a hundred at
 * most, which is enough for its ordinary corrections.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';

export type ClockSources = {
  wallMs(): number;
  monotonicMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export type SteadyClock = Clock & {
  /** How far the machine's clock is ahead of ours, in ms: large after a step. */
  stepMs(): number;
};

const SLEW = 0.01;

export function steadyClock({ wallMs, monotonicMs, sleep }: ClockSources): SteadyClock {
  let lastMonotonicMs = monotonicMs();
  let nowMs = wallMs();
  const advance = (): number => {
    const monotonic = monotonicMs();
    const elapsedMs = Math.max(0, monotonic - lastMonotonicMs);
    lastMonotonicMs = monotonic;
    nowMs += elapsedMs;
    const behindMs = wallMs() - nowMs;
    nowMs += Math.sign(behindMs) * Math.min(Math.abs(behindMs), elapsedMs * SLEW);
    return nowMs;
  };
  return {
    now: () => Instant(Math.floor(advance())),
    monotonicMs,
    sleep,
    stepMs: () => wallMs() - advance(),
  };
}

export const systemClock = (): SteadyClock =>
  steadyClock({
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    async sleep(ms, signal) {
      try {
        await delay(Math.min(ms, MAX_TIMER_MS), undefined, signal ? { signal } : {});
      } catch (error) {
        // Being woken by the signal is one of the two ways a sleep ends.
        if (!signal?.aborted) throw error;
      }
    },
  });

/** Longer timers overflow and fire at once. */
const MAX_TIMER_MS = 2_147_483_647;
