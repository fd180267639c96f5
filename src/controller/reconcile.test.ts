import { expect, it } from 'vitest';
import { Weight } from '../domain/ids.ts';
import { isEnded } from '../domain/release.ts';
import { ann, SECOND } from '../../test/story.ts';
import { APP, fakeRouter, nodeOf, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { reconcile } from './reconcile.ts';

const calm = new AbortController().signal;
const look = (w: World): Promise<void> => reconcile(w.ctx, APP, calm);
const seen = async (w: World): Promise<readonly string[]> =>
  (await w.store.targetEvents(APP, { afterSeq: 0, limit: 100 })).rows.map(({ type }) => type);

async function watched(w: World) {
  const id = await w.start();
  await w.until(id, ({ phase }) => phase.kind === 'watching');
  return id;
}

it('writes nothing and says nothing while all is as wanted', async () => {
  const w = await world();
  await watched(w);
  const writes = w.router.writes.length;
  const { verifiedAt } = await w.target();
  await look(w);
  w.clock.advance(10 * SECOND);
  await look(w);
  expect(w.router.writes.length).toBe(writes);
  expect(await seen(w)).toEqual([]);
  // That it was read again is known all the same, and not when one did not answer.
  expect((await w.target()).verifiedAt).toBe(verifiedAt);
  const readMs = w.clock.monotonicMs();
  expect(w.ctx.looks.get(APP)).toBe(readMs);
  w.clock.advance(10 * SECOND);
  nodeOf(w.router).up = false;
  await look(w);
  expect(w.ctx.looks.get(APP)).toBe(readMs);
});

it('lowers at once what is served above wanted', async () => {
  const w = await world();
  await watched(w);
  nodeOf(w.router).share = 7000;
  await look(w);
  expect(nodeOf(w.router).share).toBe(1000);
  expect(w.router.writes.at(-1)).toMatchObject({ direction: 'lower' });
  expect(await seen(w)).toEqual(['drift.seen', 'drift.repaired']);
  expect(await w.target()).toMatchObject({ driftAt: w.clock.now(), differs: null });
});

it('leaves it so when somebody lowered it by hand, and notes it once', async () => {
  const w = await world();
  const id = await watched(w);
  const writes = w.router.writes.length;
  nodeOf(w.router).share = 0;
  await look(w);
  await look(w);
  expect(w.router.writes.length).toBe(writes);
  expect(await seen(w)).toEqual(['drift.seen']);
  w.clock.advance(10 * SECOND);
  await w.tick(id);
  expect((await w.release(id)).hold).toMatchObject({ reason: 'lowered_by_hand' });
  expect(nodeOf(w.router).share).toBe(0);
});

it('raises again what a restart has lowered', async () => {
  const w = await world();
  await watched(w);
  const node = nodeOf(w.router);
  node.share = 0;
  node.boot = 'boot-2';
  await look(w);
  expect(node.share).toBe(1000);
  expect(await w.target()).toMatchObject({ boots: { n1: 'boot-2' }, differs: null });
});

it('remembers a restart that changed nothing', async () => {
  const w = await world();
  await watched(w);
  nodeOf(w.router).boot = 'boot-2';
  await look(w);
  expect(await w.target()).toMatchObject({ boots: { n1: 'boot-2' } });
  // So what is lowered afterwards was lowered by a hand.
  nodeOf(w.router).share = 0;
  await look(w);
  expect(nodeOf(w.router).share).toBe(0);
});

it('goes on with the nodes that answer, and says so when one does not', async () => {
  const w = await world({ routers: [fakeRouter('edge', ['n1', 'n2'])] });
  const id = await watched(w);
  nodeOf(w.router, 'n2').up = false;
  await look(w);
  await look(w);
  expect(await seen(w)).toEqual(['target.unreachable']);
  nodeOf(w.router, 'n2').up = true;
  await look(w);
  expect(await seen(w)).toEqual(['target.unreachable', 'target.back']);
  expect((await w.release(id)).phase.kind).toBe('watching');
});

it('keeps the weight that an end names as long as the target is managed', async () => {
  const w = await world();
  const id = await watched(w);
  await w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  await w.until(id, isEnded);
  nodeOf(w.router).share = 1000;
  await look(w);
  expect(nodeOf(w.router).share).toBe(0);
});

it('knows after the roles have swapped that less of the second slot is the new version lowered, not raised', async () => {
  const w = await world();
  await w.until(await w.start(), isEnded);
  // Green is stable at 100 %; somebody sends a third to blue, which is now the canary's place: exposure above wanted.
  nodeOf(w.router).share = 6600;
  await look(w);
  expect(nodeOf(w.router).share).toBe(10_000);
});

it('adopts between releases what somebody set, where the target is so managed', async () => {
  const w = await world({ management: 'adopt' });
  nodeOf(w.router).share = 2500;
  await look(w);
  expect(nodeOf(w.router).share).toBe(2500);
  expect(await w.target()).toMatchObject({ desiredSecond: Weight(2500), seq: 1 });
  expect(await seen(w)).toEqual(['drift.adopted']);
});

it('adopts nothing that its nodes do not agree on, and puts them right instead', async () => {
  const w = await world({ management: 'adopt', routers: [fakeRouter('edge', ['n1', 'n2'])] });
  nodeOf(w.router).share = 2500;
  nodeOf(w.router, 'n2').share = 10_000;
  await look(w);
  expect([nodeOf(w.router).share, nodeOf(w.router, 'n2').share]).toEqual([0, 0]);
});

it('adopts nothing while a release is active', async () => {
  const w = await world({ management: 'adopt' });
  await watched(w);
  nodeOf(w.router).share = 7000;
  await look(w);
  expect(nodeOf(w.router).share).toBe(1000);
});

it('leaves a raise to the release that is making it, and undoes a late one at once', async () => {
  const w = await world();
  const id = await w.start();
  w.router.mode = 'rejects';
  await w.tick(id);
  w.router.mode = 'works';
  const writes = w.router.writes.length;
  await look(w);
  expect(w.router.writes.length).toBe(writes);
  await w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  nodeOf(w.router).share = 1000;
  await look(w);
  expect(nodeOf(w.router).share).toBe(0);
});

it('tries to lower in every round, however often that failed', async () => {
  const w = await world();
  await watched(w);
  nodeOf(w.router).share = 7000;
  w.router.mode = 'rejects';
  const before = w.router.writes.length;
  for (let round = 0; round < 12; round++) {
    await look(w);
    w.clock.advance(5 * SECOND);
  }
  expect(w.router.writes.length - before).toBeGreaterThanOrEqual(12);
  w.router.mode = 'works';
  await look(w);
  expect(nodeOf(w.router).share).toBe(1000);
});

it('drops what it found out about an intent that is not the newest any more', async () => {
  const w = await world();
  const id = await watched(w);
  nodeOf(w.router).share = 7000;
  w.router.during = async (operation) => {
    w.router.during = () => {};
    if (operation === 'read') await w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  };
  await look(w);
  expect(await w.target()).toMatchObject({ desiredSecond: 0, verifiedSecond: null, driftAt: null });
});
