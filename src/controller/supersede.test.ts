import { expect, it } from 'vitest';
import { ReleaseId } from '../domain/ids.ts';
import { isEnded } from '../domain/release.ts';
import type { Store } from '../ports/store.ts';
import { ann, ci } from '../../test/story.ts';
import { quickPlan, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { commands } from './commands.ts';

const request = { plan: quickPlan(), version: '1.1.0', first: false, paused: false, onBusy: null, reason: null } as const;
const [FIRST, QUEUED, TAKING] = [ReleaseId('R1'), ReleaseId('R2'), ReleaseId('R3')];

/** One runs, and one waits. */
async function busy(): Promise<World> {
  const w = await world();
  const id = await w.start();
  await w.until(id, ({ phase }) => phase.kind === 'watching');
  await w.commands.start({ ...request, version: '1.2.0', onBusy: 'queue' }, ci);
  return w;
}

/** Commits so often, and is dead then: nothing that it calls comes back. */
function dyingAfter(w: World, writes: number): Store {
  let left = writes;
  const dead = new Promise<never>(() => {});
  const dies =
    <A extends readonly unknown[], T>(method: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (left <= 0) return dead;
      left -= 1;
      const answer = await method(...args);
      return left <= 0 ? dead : answer;
    };
  const { store } = w;
  return { ...store, create: dies(store.create), commit: dies(store.commit) };
}

it.each([
  ['before anything was taken back', 1, ['watching', 'queued', 'queued']],
  ['when only the one that runs was', 2, ['rollingBack', 'queued', 'queued']],
  ['when all were', 3, ['rollingBack', 'superseded', 'queued']],
])('takes the place of all before it although whoever started it was killed %s', async (_when, writes, phases) => {
  const w = await busy();
  const handed: string[] = [];
  const dying = commands({ ...w.ctx, store: dyingAfter(w, writes) }, ({ release }) => void handed.push(release.id));
  void dying.start({ ...request, version: '1.3.0', onBusy: 'supersede' }, ann);
  const phaseOf = async (id: ReleaseId) => (await w.store.release(id))?.release.phase.kind;
  const all = () => Promise.all([FIRST, QUEUED, TAKING].map(phaseOf));
  await expect.poll(all).toEqual(phases);

  // The next process: its own tick is due at once, and so is what it takes back.
  await w.tick(TAKING);
  expect(await all()).toEqual(['rollingBack', 'superseded', 'queued']);
  expect((await w.release(FIRST)).rollback).toMatchObject({ cause: { kind: 'superseded', by: TAKING }, by: { name: 'ann' } });
  if (writes === 1)
    expect((await w.store.claimDue({ worker: 'w2', leaseMs: 1_000, limit: 9 })).map(({ release }) => release.id)).toContain(
      FIRST,
    );
  expect(await w.until(FIRST, isEnded)).toMatchObject({ phase: { kind: 'superseded' } });
  expect(await w.until(TAKING, ({ phase }) => phase.kind === 'watching')).toMatchObject({ stableVersion: '1.0.0' });
});

it('leaves alone what came after it, and what waits its turn takes nobody back', async () => {
  const w = await busy();
  await w.commands.start({ ...request, version: '1.3.0', onBusy: 'supersede' }, ci);
  await w.commands.start({ ...request, version: '1.4.0', onBusy: 'queue' }, ci);
  for (const id of [TAKING, ReleaseId('R4')]) await w.tick(id);
  expect((await w.release(ReleaseId('R4'))).phase).toEqual({ kind: 'queued', behind: TAKING });
  expect((await w.release(TAKING)).phase.kind).toBe('queued');
});
