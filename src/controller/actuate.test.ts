import { expect, it } from 'vitest';
import { ann } from '../../test/story.ts';
import { fakeRouter, nodeOf, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { actuate } from './actuate.ts';

const calm = new AbortController().signal;

async function watched(w: World) {
  const id = await w.start();
  await w.until(id, ({ phase }) => phase.kind === 'watching');
  const service = await w.store.service('checkout');
  if (!service) throw new Error('configured');
  return { id, service };
}

it('writes nothing for an intent that is not the newest any more', async () => {
  const w = await world();
  const { id, service } = await watched(w);
  const old = await w.target();
  await w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  const writes = w.router.writes.length;
  const failures = await actuate(w.ctx, { service, targets: [old], direction: 'raise' }, calm);
  expect(failures).toEqual([{ target: old.id, detail: 'a newer weight is wanted by now' }]);
  expect(w.router.writes.length).toBe(writes);
});

it('writes down what was read back, node by node, with their boot markers', async () => {
  const w = await world({ routers: [fakeRouter('edge', ['n1', 'n2'])] });
  await watched(w);
  expect(await w.target()).toMatchObject({ verifiedSecond: 1000, verifiedSeq: 1, boots: { n1: 'boot-1', n2: 'boot-1' } });
});

it('raises no node when one of them cannot be reached, and says which', async () => {
  const w = await world({ routers: [fakeRouter('edge', ['n1', 'n2'])] });
  const { id, service } = await watched(w);
  await w.commands.send(id, { verb: 'promote', full: false, force: false, reason: 'tested' }, { actor: ann, ifMatch: null });
  nodeOf(w.router, 'n2').up = false;
  const [failure] = await actuate(w.ctx, { service, targets: [await w.target()], direction: 'raise' }, calm);
  expect(failure?.detail).toBe('edge: connection refused; n1 at 10 %, n2 connection refused');
  expect(nodeOf(w.router, 'n1').share).toBe(1000);
});

it('lowers every node that answers, by the shortest path first, and says which did not', async () => {
  const w = await world({ routers: [fakeRouter('edge', ['n1', 'n2'])] });
  const { id, service } = await watched(w);
  await w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  nodeOf(w.router, 'n2').up = false;
  const [failure] = await actuate(w.ctx, { service, targets: [await w.target()], direction: 'lower' }, calm);
  expect(failure?.detail).toContain('n2 connection refused');
  expect(nodeOf(w.router, 'n1').share).toBe(0);
  expect(w.router.writes.slice(1).map(({ operation }) => operation)).toEqual(['cut_off', 'apply']);
});

it('says that a router is not configured instead of taking silence for success', async () => {
  const w = await world();
  const { service } = await watched(w);
  const target = { ...(await w.target()), router: 'gone' };
  const ctx = { ...w.ctx, store: { ...w.store, claimTarget: async () => ({ target, service, active: null }) } };
  expect(await actuate(ctx, { service, targets: [target], direction: 'lower' }, calm)).toEqual([
    { target: target.id, detail: 'no router named gone is configured' },
  ]);
});

it('does not raise again what somebody lowered by hand after it was read back', async () => {
  const w = await world();
  const { service } = await watched(w);
  nodeOf(w.router).share = 300;
  const writes = w.router.writes.length;
  const failures = await actuate(w.ctx, { service, targets: [await w.target()], direction: 'raise' }, calm);
  expect(failures).toEqual([{ target: 'checkout/edge/app', detail: 'n1 at 3 %, lowered by hand' }]);
  expect([nodeOf(w.router).share, w.router.writes.length]).toEqual([300, writes]);
});

it('lowers past a number that nobody was given, goes on from there, and raises under none', async () => {
  const w = await world();
  w.router.kept = 0;
  const { id, service } = await watched(w);
  w.router.kept = 900;
  await w.commands.send(id, { verb: 'promote', full: false, force: false, reason: 'tested' }, { actor: ann, ifMatch: null });
  const [failure] = await actuate(w.ctx, { service, targets: [await w.target()], direction: 'raise' }, calm);
  expect(failure?.detail).toBe('edge has seen 900');
  await w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  expect(await actuate(w.ctx, { service, targets: [await w.target()], direction: 'lower' }, calm)).toEqual([]);
  expect([nodeOf(w.router).share, w.router.kept]).toEqual([0, 901]);
  expect(await w.target()).toMatchObject({ seq: 901, verifiedSeq: 901, verifiedSecond: 0 });
  expect(w.logged).toEqual(['checkout/edge/app shows write 900, and 3 is the last one there was: lowered past it']);
});

it('stays behind a number that was given to somebody else meanwhile', async () => {
  const w = await world();
  w.router.kept = 0;
  const { id, service } = await watched(w);
  await w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  const old = await w.target();
  // Another controller commits and writes after this one has looked at the store, and before it writes.
  w.router.during = async (operation) => {
    if (operation !== 'cut_off') return;
    w.router.during = () => {};
    const moved = { id: old.id, seq: old.seq, change: { seq: old.seq + 1 }, adopt: null, events: [], notify: [] };
    expect(await w.store.updateTarget(moved)).toMatchObject({ ok: true });
    Object.assign(w.router, { kept: old.seq + 1 });
    nodeOf(w.router).share = 2_000;
  };
  const [failure] = await actuate(w.ctx, { service, targets: [old], direction: 'lower' }, calm);
  expect(failure?.detail).toBe('edge has seen 3');
  expect([nodeOf(w.router).share, w.router.kept]).toEqual([2_000, 3]);
});

it('lowers past it even when the store cannot be written', async () => {
  const w = await world();
  w.router.kept = 0;
  const { id, service } = await watched(w);
  await w.commands.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  w.router.kept = 900;
  const busy = async () => ({ ok: false as const, error: { kind: 'busy' as const, detail: 'the disk is full' } });
  const ctx = { ...w.ctx, store: { ...w.store, updateTarget: busy } };
  expect(await actuate(ctx, { service, targets: [await w.target()], direction: 'lower' }, calm)).toEqual([]);
  expect(nodeOf(w.router).share).toBe(0);
});
