import { expect, it } from 'vitest';
import type { Recorder } from '../ports/recorder.ts';
import { handClock, settled } from '../../test/world.ts';
import { calls } from './calls.ts';

const silent = (): void => {};
const recorder: Recorder = {
  tick: silent,
  lag: silent,
  routerCall: silent,
  providerCall: silent,
  delivery: silent,
  event: silent,
  weight: silent,
  drift: silent,
  breaker: silent,
  verdict: silent,
  timeToSafe: silent,
  ended: silent,
  webhook: silent,
  flagRead: silent,
  storeFailed: silent,
  stock: silent,
};
const signal = new AbortController().signal;
const spec = { dependency: 'router edge', ms: 1_000, signal, lowering: false };
const sick = async (): Promise<boolean> => false;
const isHealthy = (answer: boolean): boolean => answer;

it('leaves a dependency alone after five failures, and tries it again after a while', async () => {
  const clock = handClock();
  const out = calls(clock, recorder);
  for (let call = 0; call < 5; call++) await out.call(spec, sick, isHealthy);
  expect(out.open()).toEqual(['router edge']);
  expect(await out.call(spec, async () => true, isHealthy)).toEqual({
    ok: false,
    error: 'router edge failed 5 times in a row and is left alone for a moment',
  });
  clock.advance(5_000);
  expect(await out.call(spec, async () => true, isHealthy)).toEqual({ ok: true, value: true });
  expect(out.open()).toEqual([]);
});

it('never keeps a lowering from being tried', async () => {
  const out = calls(handClock(), recorder);
  let tried = 0;
  for (let call = 0; call < 20; call++)
    await out.call(
      { ...spec, lowering: true },
      async () => {
        tried++;
        return false;
      },
      isHealthy,
    );
  expect(tried).toBe(20);
  expect(out.open()).toEqual(['router edge']);
});

it('does not punish one dependency for another', async () => {
  const out = calls(handClock(), recorder);
  for (let call = 0; call < 5; call++) await out.call(spec, sick, isHealthy);
  expect(await out.call({ ...spec, dependency: 'router eu' }, async () => true, isHealthy)).toMatchObject({ ok: true });
});

it('goes on at the deadline although the callee ignores its signal, and leaves no timer', async () => {
  const clock = handClock();
  const out = calls(clock, recorder);
  const call = out.call(spec, () => new Promise<boolean>(() => {}), isHealthy);
  await settled();
  clock.advance(1_000);
  expect(await call).toEqual({ ok: false, error: 'router edge: no answer within 1000 ms' });
  expect(clock.sleepers).toBe(0);
});

it('turns an exception of an adapter into a failed call', async () => {
  const out = calls(handClock(), recorder);
  const call = out.call(spec, async (): Promise<boolean> => Promise.reject(new Error('a bug')), isHealthy);
  expect(await call).toEqual({ ok: false, error: 'router edge: Error: a bug' });
});

it('does not count our own cancelling against the dependency', async () => {
  const out = calls(handClock(), recorder);
  for (let call = 0; call < 10; call++) {
    const abort = new AbortController();
    const hanging = out.call({ ...spec, signal: abort.signal }, () => new Promise<boolean>(() => {}), isHealthy);
    abort.abort(new Error('a lowering takes over'));
    await expect(hanging).rejects.toThrow('a lowering takes over');
  }
  expect(out.open()).toEqual([]);
});
