import { expect, it } from 'vitest';
import { decide } from '../domain/decide.ts';
import { isEnded } from '../domain/release.ts';
import { ann, commanded } from '../../test/story.ts';
import { fakeRouter, quickPlan, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { record } from './record.ts';

/** The same world with a recorder that remembers the events it heard of. */
function counted(w: World) {
  const events: string[] = [];
  return { events, ctx: { ...w.ctx, recorder: { ...w.ctx.recorder, event: (type: string) => void events.push(type) } } };
}

async function watched(w: World) {
  const id = await w.start();
  await w.until(id, ({ phase }) => phase.kind === 'watching');
  const claimed = await w.store.load(id);
  if (!claimed) throw new Error('started');
  return { id, claimed };
}

it('counts every event by its type, once, and only after it was committed', async () => {
  const w = await world();
  const { claimed } = await watched(w);
  const { ctx, events } = counted(w);
  const decision = decide(claimed.release, commanded('rollback'), w.clock.now());
  expect(await record(ctx, claimed, { decision })).toMatchObject({ ok: true });
  expect(events).toEqual(['rollback.decided', 'weight.intended']);
  expect(await record(ctx, claimed, { decision })).toMatchObject({ ok: false, error: { kind: 'stale' } });
  expect(events).toEqual(['rollback.decided', 'weight.intended']);
});

it('makes one intent for every target, each with the next number of its own target', async () => {
  const w = await world({ routers: [fakeRouter('edge'), fakeRouter('eu')] });
  const { claimed } = await watched(w);
  const recorded = await record(w.ctx, claimed, { decision: decide(claimed.release, commanded('rollback'), w.clock.now()) });
  expect(
    recorded.ok && recorded.value.targets.map(({ desiredSecond, seq, verifiedSecond }) => [desiredSecond, seq, verifiedSecond]),
  ).toEqual([
    [0, 2, null],
    [0, 2, null],
  ]);
});

it('keeps the lease only while there is an intent to obey', async () => {
  const w = await world();
  const { id, claimed } = await watched(w);
  const paused = await record(w.ctx, claimed, { decision: decide(claimed.release, commanded('pause'), w.clock.now()) });
  if (!paused.ok) throw new Error(paused.error.detail);
  expect((await w.store.load(id))?.leaseUntil).toBe(0);
  await record(w.ctx, paused.value, {
    decision: decide(paused.value.release, commanded('rollback', { by: ann }), w.clock.now()),
  });
  expect((await w.store.load(id))?.leaseUntil).toBeGreaterThan(w.clock.now());
});

it('tells the notifiers of the service and of the plan, each once', async () => {
  const w = await world();
  await w.start(quickPlan({ notify: ['oncall', 'payments'] }));
  const { rows } = await w.store.deliveries({ limit: 10, before: null });
  expect(rows.map(({ notifier, eventId }) => `${notifier} ${eventId}`).toSorted()).toEqual([
    'oncall R1/1',
    'oncall R1/2',
    'payments R1/1',
    'payments R1/2',
  ]);
});

it('wakes what waits in the queue as soon as a release has ended', async () => {
  const w = await world();
  const { id } = await watched(w);
  const made = await w.commands.start(
    { plan: quickPlan(), version: '1.2.0', first: false, paused: false, onBusy: 'queue', reason: null },
    ann,
  );
  if (!made.ok) throw new Error(made.error.detail);
  const second = made.value.release.id;
  await w.tick(second);
  await w.until(id, isEnded);
  expect((await w.store.load(second))?.dueAt).toBeLessThanOrEqual(w.clock.now());
});
