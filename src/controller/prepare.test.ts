import { expect, it } from 'vitest';
import { isEnded } from '../domain/release.ts';
import { err, ok } from '../lib/result.ts';
import { MINUTE, SECOND } from '../../test/story.ts';
import { nodeOf, quickPlan, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';

const share = ({ router }: World): number => nodeOf(router).share;

it('waits at the start for a slot that is not healthy, and starts when it is', async () => {
  const w = await world();
  w.router.healthy = false;
  const id = await w.start();
  await w.tick(id);
  expect(await w.release(id)).toMatchObject({ phase: { kind: 'starting' }, hold: { reason: 'preflight' } });
  expect(w.router.writes).toEqual([]);
  w.router.healthy = true;
  await w.tick(id);
  expect((await w.release(id)).phase.kind).toBe('watching');
});

it('rolls a release back at its deadline when its canary never gets ready', async () => {
  const w = await world();
  w.router.healthy = false;
  const id = await w.start(quickPlan({ deadlineMs: 10 * MINUTE }));
  expect((await w.until(id, isEnded)).rollback?.cause.kind).toBe('deadline');
  expect(w.router.writes).toEqual([]);
});

it('asks the hook of the operator before it starts, with the same key every time', async () => {
  const w = await world();
  w.hooks.defined = ['beforeStart'];
  w.hooks.answer = err('503 from the gate');
  const id = await w.start();
  await w.tick(id);
  await w.tick(id);
  expect((await w.release(id)).hold).toMatchObject({ reason: 'hook' });
  w.hooks.answer = ok('done');
  await w.tick(id);
  expect((await w.release(id)).phase.kind).toBe('watching');
  expect(new Set(w.hooks.calls.map(({ key }) => key))).toEqual(new Set([`${id}/beforeStart`]));
});

const replace = { promotion: { kind: 'replace', withinMs: 5 * MINUTE, otherwise: 'rollback', hook: true } } as const;

it('replaces the stable slot by its hook, then empties the canary slot and keeps the roles', async () => {
  const w = await world({ service: replace });
  w.hooks.defined = ['replaceStable'];
  const id = await w.start();
  expect((await w.until(id, isEnded)).phase.kind).toBe('promoted');
  expect(share(w)).toBe(0);
  expect(await w.store.service('checkout')).toMatchObject({ stableSlot: 'blue', stableVersion: '1.1.0' });
});

it('judges the canary while the hook that replaces stable keeps failing', async () => {
  const w = await world({ service: replace });
  w.hooks.defined = ['replaceStable'];
  w.hooks.answer = err('503');
  const id = await w.start();
  await w.until(id, (release) => release.phase.kind === 'promoting' && release.hold?.reason === 'hook');
  w.provider.value = 0.95;
  w.clock.advance(10 * SECOND);
  await w.tick(id);
  expect((await w.release(id)).rollback?.cause.kind).toBe('check');
});

it('ends the wait for a replacement in time even when its hook keeps failing', async () => {
  const w = await world({ service: replace });
  w.hooks.defined = ['replaceStable'];
  w.hooks.answer = err('503');
  const id = await w.start();
  expect((await w.until(id, isEnded)).rollback?.cause).toEqual({ kind: 'expired', gate: 'replace' });
});
