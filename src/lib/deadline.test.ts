import { expect, it } from 'vitest';
import { DeadlineExceeded, withDeadline } from './deadline.ts';
import type { Sleeper } from './deadline.ts';

const never = (): Promise<never> => new Promise<never>(() => {});

/** A clock whose only sleeper wakes when told to; `sleeping` counts timers that are still set. */
function handClock(): {
  readonly clock: Sleeper;
  readonly ring: () => void;
  readonly sleeping: () => number;
} {
  const sleepers = new Set<() => void>();
  return {
    clock: {
      sleep: (_ms, signal) =>
        new Promise((resolve) => {
          const wake = (): void => {
            sleepers.delete(wake);
            resolve();
          };
          sleepers.add(wake);
          signal?.addEventListener('abort', wake, { once: true });
        }),
    },
    ring: () => sleepers.forEach((wake) => wake()),
    sleeping: () => sleepers.size,
  };
}

const calm = (): AbortSignal => new AbortController().signal;

it('gives the answer of one that is in time, and leaves no timer', async () => {
  const { clock, sleeping } = handClock();
  await expect(withDeadline(clock, { ms: 100, signal: calm() }, () => Promise.resolve('answer'))).resolves.toBe('answer');
  expect(sleeping()).toBe(0);
});

it('gives the error of one that fails in time, and leaves no timer', async () => {
  const { clock, sleeping } = handClock();
  await expect(withDeadline(clock, { ms: 100, signal: calm() }, () => Promise.reject(new Error('refused')))).rejects.toThrow(
    'refused',
  );
  expect(sleeping()).toBe(0);
});

const throwing = (): Promise<never> => {
  throw new Error('at once');
};

it('leaves no timer when the call throws before it waits', async () => {
  const { clock, sleeping } = handClock();
  await expect(withDeadline(clock, { ms: 100, signal: calm() }, throwing)).rejects.toThrow('at once');
  expect(sleeping()).toBe(0);
});

it('goes on at the deadline even when the callee ignores its signal', async () => {
  const { clock, ring } = handClock();
  let inner: AbortSignal | null = null;
  const call = withDeadline(clock, { ms: 100, signal: calm() }, (signal) => {
    inner = signal;
    return never();
  });
  ring();
  await expect(call).rejects.toThrow(DeadlineExceeded);
  await expect(call).rejects.toThrow('no answer within 100 ms');
  expect(inner).toMatchObject({ aborted: true });
});

it('does not let a failure after the deadline escape', async () => {
  const { clock, ring } = handClock();
  const late = Promise.withResolvers<never>();
  const call = withDeadline(clock, { ms: 100, signal: calm() }, () => late.promise);
  ring();
  await expect(call).rejects.toThrow(DeadlineExceeded);
  late.reject(new Error('late'));
  // An unhandled rejection would fail this run.
  await Promise.resolve();
});

it('passes a cancelling on, with its reason, and leaves no timer', async () => {
  const { clock, sleeping } = handClock();
  const parent = new AbortController();
  let inner: AbortSignal | null = null;
  const call = withDeadline(clock, { ms: 100, signal: parent.signal }, (signal) => {
    inner = signal;
    return never();
  });
  parent.abort(new Error('taken over'));
  await expect(call).rejects.toThrow('taken over');
  expect(inner).toMatchObject({ aborted: true });
  expect(sleeping()).toBe(0);
});

it('does not even begin when it was cancelled before', async () => {
  const { clock, sleeping } = handClock();
  let began = false;
  const call = withDeadline(clock, { ms: 100, signal: AbortSignal.abort(new Error('over')) }, () => {
    began = true;
    return Promise.resolve();
  });
  await expect(call).rejects.toThrow('over');
  expect(began).toBe(false);
  expect(sleeping()).toBe(0);
});
