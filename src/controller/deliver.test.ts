import { expect, it } from 'vitest';
import { ann, HOUR, SECOND } from '../../test/story.ts';
import { fakeNotifier, quickPlan, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { isEnded } from '../domain/release.ts';
import { ok } from '../lib/result.ts';
import { deliver } from './deliver.ts';
import { enableEndpoint, endpointsOf, replay } from './webhooks.ts';

const calm = new AbortController().signal;
const asked = { by: ann, reason: null };
const ALL_PARKED = { from: null, release: null, limit: 1_000 };

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
  w.clock.advance(6 * SECOND);
  await round(w);
  await round(w);
  expect(w.notifier.heard.map((notice) => notice.id)).toEqual([`${id}/1`, `${id}/2`]);
});

/** Advances until the row is due, in steps, and says how long that took. */
async function waited(w: World, stepMs: number): Promise<number> {
  let ms = 0;
  for (; (await w.store.claimOutbox({ worker: 'w2', leaseMs: 0, limit: 1 })).length === 0; ms += stepMs) w.clock.advance(stepMs);
  return ms;
}

it('waits longer with every failure, by the schedule of the standard, and gives up after the tenth', async () => {
  const w = await world();
  await w.start();
  w.notifier.error = { kind: 'refused', detail: 'it answered 404' };
  const waits: number[] = [];
  for (let attempt = 1; attempt < 10; attempt++) {
    await round(w);
    waits.push(await waited(w, waits.length === 0 ? SECOND : 60 * SECOND));
  }
  const hours = waits.map((ms) => ms / HOUR);
  const schedule = [5 / 3_600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24];
  for (const [index, planned] of schedule.entries()) {
    expect(hours[index]).toBeGreaterThanOrEqual(planned);
    expect(hours[index]).toBeLessThan(planned * 1.1 + 1 / 59);
  }
  await round(w);
  expect((await deliveries(w))[0]).toMatchObject({ state: 'parked', attempts: 10, detail: 'tried 10 times: it answered 404' });
});

const deliveries = async (w: World) => (await w.store.deliveries({ limit: 10, before: null })).rows.toReversed();

it('comes again when the receiver says so, within bounds, and does not count that as one of its tries', async () => {
  const w = await world();
  await w.start();
  for (const [asked, ms] of [
    [40 * SECOND, 40 * SECOND],
    [0, SECOND],
    [99 * HOUR, HOUR],
  ] as const) {
    w.notifier.error = { kind: 'unreachable', detail: 'it answered 429', retryAfterMs: asked };
    await round(w);
    expect(await waited(w, SECOND)).toBe(ms);
  }
  expect((await deliveries(w))[0]).toMatchObject({ attempts: 0, detail: 'it answered 429' });
});

it('does not count as a try what its breaker held back', async () => {
  const w = await world();
  await w.start();
  w.notifier.error = { kind: 'unreachable', detail: 'connection refused' };
  const failing = async () => {
    throw new Error('connection refused');
  };
  const spec = { dependency: 'notifier oncall', ms: 1_000, signal: calm, lowering: false };
  for (let n = 0; n < 5; n++) await w.ctx.calls.call(spec, failing, () => false);
  await round(w);
  expect((await deliveries(w))[0]).toMatchObject({
    state: 'pending',
    attempts: 0,
    detail: expect.stringContaining('left alone'),
  });
  w.notifier.error = null;
  w.clock.advance(60 * SECOND);
  while (0 < (await round(w))) continue;
  expect(await states(w)).toEqual(['delivered', 'delivered']);
});

it('parks what no other try could help, where it can be seen, and goes on with the next', async () => {
  const w = await world();
  await w.start();
  w.notifier.error = { kind: 'unfit', detail: 'invalid_blocks' };
  await round(w);
  w.notifier.error = null;
  await round(w);
  expect(await states(w)).toEqual(['parked', 'delivered']);
  expect((await deliveries(w))[0]?.detail).toBe('invalid_blocks');
  expect(w.logged.join()).toContain('gave up delivering');
});

it('delivers no more to a receiver that is gone, and keeps for it what happens', async () => {
  const w = await world();
  const id = await w.start();
  w.notifier.error = { kind: 'gone', detail: 'it answered 410' };
  await round(w);
  w.notifier.error = null;
  await w.until(id, isEnded);
  expect(await round(w)).toBe(0);
  const rows = (await w.store.deliveries({ limit: 100, before: null })).rows;
  expect(rows.length).toBeGreaterThan(5);
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['parked']));
  expect(await endpointsOf(w.ctx)).toMatchObject([{ notifier: 'oncall', reason: 'it answered 410', parked: rows.length }]);
  expect(w.logged.join()).toContain('delivers to oncall no more');
  expect(await replay(w.ctx, 'oncall', ALL_PARKED, asked)).toMatchObject({ ok: false, error: { kind: 'not_accepted' } });
  await enableEndpoint(w.ctx, 'oncall', asked);
  expect(await replay(w.ctx, 'oncall', ALL_PARKED, asked)).toEqual(ok({ queued: rows.length, more: false, next: null }));
  while (0 < (await round(w))) continue;
  expect(w.notifier.heard.map((notice) => notice.id)).toEqual(rows.map((_row, index) => `${id}/${index + 1}`));
});

it('replays from any event, of one release or of all, so much at a time, to who hears of them', async () => {
  const w = await world();
  const id = await w.start(quickPlan({ notify: ['extra'] }));
  const [extra, other] = [fakeNotifier('extra'), fakeNotifier('other')];
  const notifiers = new Map([...w.ctx.notifiers, ['extra', extra], ['other', other]]);
  const ctx = { ...w.ctx, notifiers };
  while (0 < (await round(w))) continue;
  await w.until(id, isEnded);
  const all = (await w.types(id)).length;
  const from = (event: string | number, limit = 1_000) => replay(ctx, 'extra', { from: event, release: null, limit }, asked);
  expect(await from(`${id}/${all - 1}`)).toEqual(ok({ queued: 2, more: false, next: null }));
  const first = await from(`${id}/1`, 3);
  expect(first).toMatchObject({ ok: true, value: { queued: 3, more: true } });
  const next = first.ok ? (first.value.next ?? 0) : 0;
  expect(await from(next)).toEqual(ok({ queued: all - 3, more: false, next: null }));
  expect(await replay(ctx, 'other', { from: 1, release: null, limit: 10 }, asked)).toMatchObject({ value: { queued: 0 } });
  expect(await replay(ctx, 'extra', { from: 1, release: 'r9', limit: 10 }, asked)).toMatchObject({ value: { queued: 0 } });
  expect(await replay(ctx, 'extra', { from: 'r9/1', release: null, limit: 10 }, asked)).toMatchObject({ ok: false });
  expect(await replay(ctx, 'none', ALL_PARKED, asked)).toMatchObject({ error: { kind: 'not_found' } });
});

it('parks what could not be delivered for days', async () => {
  const w = await world();
  await w.start();
  w.notifier.error = { kind: 'unreachable', detail: 'connection refused' };
  await round(w);
  w.clock.advance(85 * HOUR);
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
