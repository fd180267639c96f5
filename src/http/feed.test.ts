/** One reader of the log for all: whoever follows gets everything from its position on, in order, once. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LoggedEvent } from '../ports/store.ts';
import { feed } from './feed.ts';

const entry = (position: number): LoggedEvent => ({ position, event: { id: `e${position}` } as unknown as LoggedEvent['event'] });

/** `committed`: how many there were before; all of them are older than what is kept. */
function world(committed = 0) {
  let last = committed;
  let asked = 0;
  const sleepers: (() => void)[] = [];
  const closing = new AbortController();
  const made = feed({
    store: {
      async events({ afterPosition, limit }) {
        asked += 1;
        if (asked > 10_000) throw new Error('the store is asked without end');
        const from = Math.max(committed, afterPosition);
        const count = Math.max(0, Math.min(limit, last - from));
        return Array.from({ length: count }, (_, index) => entry(from + index + 1));
      },
      lastPosition: async () => last,
    },
    clock: {
      sleep: (_ms, signal) =>
        new Promise((resolve) => {
          sleepers.push(resolve);
          signal?.addEventListener('abort', () => resolve(), { once: true });
        }),
    },
    closing: closing.signal,
  });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  return {
    made,
    closing,
    asked: () => asked,
    commit: (count: number) => void (last += count),
    async pass() {
      for (const wake of sleepers.splice(0)) wake();
      await settled();
    },
    settled,
  };
}

async function follow(made: ReturnType<typeof feed>, from: number, got: number[], signal: AbortSignal): Promise<void> {
  let position = from;
  while (!signal.aborted) {
    const found = await made.after(position, signal);
    for (const each of found) got.push(each.position);
    position = found.at(-1)?.position ?? position;
  }
}

it('gives everybody everything from where they were, in order and once, however late they come and however much there is', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ commits: fc.integer({ min: 0, max: 900 }), joins: fc.option(fc.nat()), leaves: fc.boolean() }), {
        maxLength: 20,
      }),
      async (rounds) => {
        const w = world();
        const followers: { from: number; got: number[]; stop: AbortController }[] = [];
        let last = 0;
        for (const { commits, joins, leaves } of rounds) {
          w.commit(commits);
          last += commits;
          if (joins !== null) {
            const follower = { from: joins % (last + 1), got: [], stop: new AbortController() };
            followers.push(follower);
            void follow(w.made, follower.from, follower.got, follower.stop.signal);
          }
          if (leaves && followers.length > 1) followers[0]?.stop.abort();
          await w.pass();
        }
        for (let round = 0; round < 100; round++) await w.pass();
        for (const { from, got, stop } of followers) {
          const wanted = Array.from({ length: last - from }, (_, index) => from + index + 1);
          expect(got).toEqual(stop.signal.aborted ? wanted.slice(0, got.length) : wanted);
        }
        for (const { stop } of followers) stop.abort();
        await w.settled();
        w.closing.abort();
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

it('asks the store as often for a thousand as for one, and not at all when nobody waits', async () => {
  const w = world();
  const stop = new AbortController();
  const got = Array.from({ length: 1_000 }, (): number[] => []);
  for (const each of got) void follow(w.made, 0, each, stop.signal);
  await w.settled();
  expect(w.asked()).toBe(1);
  w.commit(3);
  await w.pass();
  expect(w.asked()).toBeLessThan(4);
  expect(got.every((each) => each.join() === '1,2,3')).toBe(true);
  stop.abort();
  await w.pass();
  const before = w.asked();
  for (let round = 0; round < 5; round++) await w.pass();
  expect(w.asked()).toBe(before);
});

it('tells everybody who waits when the store fails, and reads on for the next', async () => {
  let fails = true;
  const made = feed({
    store: {
      events: async () => (fails ? Promise.reject(new Error('gone')) : [entry(1)]),
      lastPosition: async () => 1,
    },
    clock: { sleep: async () => {} },
    closing: new AbortController().signal,
  });
  const { signal } = new AbortController();
  await expect(Promise.all([made.after(0, signal), made.after(0, signal)])).rejects.toThrow('gone');
  fails = false;
  expect((await made.after(0, signal)).map(({ position }) => position)).toEqual([1]);
});

it('takes a position that never was for the newest one, so that nobody else waits for it', async () => {
  const w = world();
  w.commit(5);
  const stop = new AbortController();
  const { signal } = stop;
  const [honest, ahead]: [number[], number[]] = [[], []];
  void follow(w.made, 5, honest, signal);
  await w.settled();
  void follow(w.made, 999_999_999_999_999, ahead, signal);
  await w.settled();
  w.commit(2);
  for (let round = 0; round < 5; round++) await w.pass();
  expect([honest, ahead]).toEqual([
    [6, 7],
    [6, 7],
  ]);
  expect(w.asked()).toBeLessThan(20);
  stop.abort();
});

it('does not look for what is older than what is kept again and again', async () => {
  const w = world(100);
  const stop = new AbortController();
  const { signal } = stop;
  const [late, current]: [number[], number[]] = [[], []];
  void follow(w.made, 100, current, signal);
  await w.settled();
  void follow(w.made, 50, late, signal);
  await w.settled();
  w.commit(2);
  for (let round = 0; round < 5; round++) await w.pass();
  expect([current, late]).toEqual([
    [101, 102],
    [101, 102],
  ]);
  expect(w.asked()).toBeLessThan(20);
  stop.abort();
});
