import { expect, it } from 'vitest';
import type { Log } from '../ports/log.ts';
import { handClock, settled } from '../../test/world.ts';
import { loop } from './loop.ts';

const silent = (): void => {};
const quiet: Log = { debug: silent, info: silent, warn: silent, error: silent };

function stage(round: (signal: AbortSignal) => Promise<number>, log = quiet) {
  const clock = handClock();
  const stopping = new AbortController();
  return { clock, stop: () => stopping.abort(), it: loop({ name: 'test', round, clock, log }, stopping.signal) };
}

it('never begins a round before the last one has ended', async () => {
  let open = 0;
  let most = 0;
  const gates: (() => void)[] = [];
  const { it: turning, stop } = stage(async () => {
    most = Math.max(most, (open += 1));
    await new Promise<void>((resolve) => gates.push(resolve));
    open--;
    return 0;
  });
  for (let nudge = 0; nudge < 5; nudge++) {
    turning.nudge();
    await settled();
    gates.pop()?.();
    await settled();
  }
  stop();
  gates.pop()?.();
  await turning.done;
  expect(most).toBe(1);
});

it('sleeps as long as the round says, and a nudge ends the sleep', async () => {
  let rounds = 0;
  const {
    clock,
    it: turning,
    stop,
  } = stage(async () => {
    rounds++;
    return 1_000;
  });
  await settled();
  clock.advance(999);
  await settled();
  expect(rounds).toBe(1);
  clock.advance(1);
  await settled();
  expect(rounds).toBe(2);
  turning.nudge();
  await settled();
  expect(rounds).toBe(3);
  stop();
  await turning.done;
  expect(clock.sleepers).toBe(0);
});

it('does not lose a nudge that comes while a round is running', async () => {
  let rounds = 0;
  let gate = silent;
  const { it: turning, stop } = stage(async () => {
    rounds++;
    if (rounds === 1) await new Promise<void>((resolve) => (gate = resolve));
    return 60_000;
  });
  turning.nudge();
  gate();
  await settled();
  expect(rounds).toBe(2);
  stop();
  await turning.done;
});

it('goes on after a round that failed, and says so', async () => {
  const errors: string[] = [];
  let rounds = 0;
  const log: Log = { ...quiet, error: (_fields, message) => void errors.push(message) };
  const {
    clock,
    it: turning,
    stop,
  } = stage(async () => {
    rounds++;
    if (rounds === 1) throw new Error('the store is away');
    return 60_000;
  }, log);
  await settled();
  expect(errors).toEqual(['the test loop failed a round and goes on']);
  clock.advance(1_000);
  await settled();
  expect(rounds).toBe(2);
  expect(turning.lastRoundMs).toBe(clock.monotonicMs());
  stop();
  await turning.done;
});

it('makes up for no round that it missed', async () => {
  let rounds = 0;
  const {
    clock,
    it: turning,
    stop,
  } = stage(async () => {
    rounds++;
    return 1_000;
  });
  await settled();
  clock.advance(3_600_000);
  await settled();
  expect(rounds).toBe(2);
  stop();
  await turning.done;
});
