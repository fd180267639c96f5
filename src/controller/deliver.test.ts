import { expect, it } from 'vitest';
import { HOUR, SECOND } from '../../test/story.ts';
import { world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { deliver } from './deliver.ts';

const calm = new AbortController().signal;

async function round(w: World): Promise<number> {
  const rows = await w.store.claimOutbox({ worker: 'w1', leaseMs: SECOND, limit: 32 });
  for (const row of rows) await deliver(w.ctx, row, calm);
  return rows.length;
}

const states = async (w: World): Promise<readonly string[]> =>
  (await w.store.deliveries({ limit: 10, before: null })).rows.map(({ state }) => state).toReversed();

it('delivers the events of a release in their order, each under its own id', async () => {
  const w = await world();
  const id = await w.start();
  while (0 < (await round(w))) continue;
  expect(w.notifier.heard.map((notice) => notice.id)).toEqual([`${id}/1`, `${id}/2`]);
  expect(w.notifier.heard[0]).toMatchObject({
    type: 'release.created',
    subject: id,
    sentence: expect.stringContaining('ci asked for a release'),
  });
  expect(await states(w)).toEqual(['delivered', 'delivered']);
});

it('tries again later when nobody answers, and lets nothing overtake', async () => {
  const w = await world();
  const id = await w.start();
  w.notifier.error = { kind: 'unreachable', detail: 'connection refused' };
  await round(w);
  expect(await round(w)).toBe(0);
  w.notifier.error = null;
  w.clock.advance(SECOND);
  await round(w);
  await round(w);
  expect(w.notifier.heard.map((notice) => notice.id)).toEqual([`${id}/1`, `${id}/2`]);
});

it('waits longer with every failure', async () => {
  const w = await world();
  await w.start();
  w.notifier.error = { kind: 'unreachable', detail: 'connection refused' };
  const waits: number[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    await round(w);
    let waitedMs = 0;
    for (; (await w.store.claimOutbox({ worker: 'w2', leaseMs: 0, limit: 1 })).length === 0; waitedMs += 250)
      w.clock.advance(250);
    waits.push(waitedMs);
  }
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(new Set(waits).size).toBe(5);
});

it('parks what was refused, where it can be seen, and goes on with the next', async () => {
  const w = await world();
  await w.start();
  w.notifier.error = { kind: 'refused', detail: '410 gone' };
  await round(w);
  w.notifier.error = null;
  await round(w);
  expect(await states(w)).toEqual(['parked', 'delivered']);
  expect((await w.store.deliveries({ limit: 10, before: null })).rows.at(-1)?.detail).toBe('410 gone');
  expect(w.logged.join()).toContain('gave up delivering');
});

it('parks what could not be delivered for days', async () => {
  const w = await world();
  await w.start();
  w.notifier.error = { kind: 'unreachable', detail: 'connection refused' };
  await round(w);
  w.clock.advance(76 * HOUR);
  await round(w);
  expect(await states(w)).toEqual(['parked', 'pending']);
});

it('parks what is for a notifier that nobody configured', async () => {
  const w = await world({ service: { notify: ['gone'] } });
  await w.start();
  await round(w);
  expect((await w.store.deliveries({ limit: 10, before: null })).rows.at(-1)).toMatchObject({
    state: 'parked',
    detail: 'no notifier named gone is configured',
  });
});
