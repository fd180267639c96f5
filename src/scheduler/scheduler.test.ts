import { expect, it } from 'vitest';
import { commands } from '../controller/commands.ts';
import type { Commands } from '../controller/commands.ts';
import { isEnded } from '../domain/release.ts';
import type { ReleaseId } from '../domain/ids.ts';
import type { PhaseKind } from '../domain/release.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { Store } from '../ports/store.ts';
import { ann, SECOND } from '../../test/story.ts';
import { nodeOf, quickPlan, settled, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { scheduler } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';

type Running = World & { readonly running: Scheduler; readonly ask: Commands };

async function scheduled(options: Parameters<typeof world>[0] = {}): Promise<Running> {
  const w = await world(options);
  const running = scheduler(w.ctx);
  return { ...w, running, ask: commands(w.ctx, (claimed) => running.work(claimed)) };
}

/** Lets time pass second by second until it is so. */
async function pass(w: Running, reached: () => Promise<boolean>): Promise<void> {
  for (let second = 0; second < 600; second++) {
    await settled();
    if (await reached()) return;
    w.clock.advance(SECOND);
    w.running.nudge();
  }
  throw new Error('never reached');
}

const reaches = (w: Running, id: ReleaseId, kind: PhaseKind) => (): Promise<boolean> =>
  w.release(id).then(({ phase }) => phase.kind === kind);

async function stopped(w: Running): Promise<void> {
  const stopping = w.running.stop(SECOND);
  for (let second = 0; second < 5; second++) {
    await settled();
    w.clock.advance(SECOND);
  }
  await stopping;
}

it('takes a release to its end by itself, delivers its events and reconciles its target', async () => {
  const w = await scheduled();
  const id = await w.start();
  await pass(w, reaches(w, id, 'promoted'));
  await pass(w, async () => w.notifier.heard.some(({ type }) => type === 'release.promoted'));
  const types = await w.types(id);
  expect(w.notifier.heard.map(({ type }) => type)).toEqual(types);
  nodeOf(w.router).share = 0;
  nodeOf(w.router).boot = 'boot-2';
  await pass(w, async () => nodeOf(w.router).share === 10_000);
  await stopped(w);
});

it('never works twice on one release at the same time', async () => {
  const w = await scheduled();
  const { measure } = w.provider;
  let inside = 0;
  let most = 0;
  w.provider.measure = async (question, signal) => {
    most = Math.max(most, (inside += 1));
    await w.clock.sleep(2 * SECOND);
    inside--;
    return measure(question, signal);
  };
  const id = await w.start();
  await pass(w, async () => 0 < inside);
  for (let again = 0; again < 3; again++) {
    const claimed = await w.store.load(id);
    if (claimed) w.running.work(claimed);
    await settled();
    expect(inside).toBe(1);
  }
  await pass(w, reaches(w, id, 'promoted'));
  expect(most).toBe(1);
  await stopped(w);
});

it('lets a rollback overtake a tick that hangs', async () => {
  const w = await scheduled();
  const id = await w.start();
  await pass(w, reaches(w, id, 'watching'));
  const signals: AbortSignal[] = [];
  w.provider.measure = (_question, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  await pass(w, async () => 0 < signals.length);
  const before = w.clock.monotonicMs();
  await w.ask.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  await settled();
  await settled();
  expect(nodeOf(w.router).share).toBe(0);
  expect(w.clock.monotonicMs()).toBe(before);
  // What hung is cancelled, so that its lease and its connections are not kept for nothing.
  expect(signals[0]?.aborted).toBe(true);
  await pass(w, reaches(w, id, 'rolledBack'));
  await stopped(w);
});

it('lets a rollback overtake a raise that hangs, and undoes the raise when it lands late', async () => {
  const w = await scheduled();
  const id = await w.start();
  let land: () => void = () => {};
  w.router.during = (operation) => (operation === 'apply' ? new Promise((resolve) => (land = resolve)) : undefined);
  await pass(w, async () => w.router.writes.length === 1);
  w.router.during = () => {};
  await w.ask.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  await pass(w, reaches(w, id, 'settling'));
  land();
  await settled();
  expect(nodeOf(w.router).share).toBe(1000);
  await pass(w, reaches(w, id, 'rolledBack'));
  expect(nodeOf(w.router).share).toBe(0);
  await stopped(w);
});

/** Every commit of one release throws: a bug in what handles it. */
const poisoned = (store: Store, isPoison: () => boolean): Store => ({
  ...store,
  commit: async (commit) => {
    const quarantines = commit.events.some(({ type }) => type === 'release.quarantined' || type === 'rollback.decided');
    if (!quarantines && commit.next.rollback === null && isPoison()) throw new Error('a bug');
    return store.commit(commit);
  },
});

it('quarantines a release after three crashes in a row, and takes it back on command', async () => {
  let poison = false;
  const w = await scheduled({ wrap: (store) => poisoned(store, () => poison) });
  const id = await w.start();
  await pass(w, reaches(w, id, 'watching'));
  poison = true;
  await pass(w, async () => (await w.release(id)).quarantined !== null);
  expect(await w.release(id)).toMatchObject({ quarantined: 'Error: a bug', phase: { kind: 'watching' } });
  expect(w.logged.filter((line) => line.includes('crashed')).length).toBe(3);
  await w.ask.send(id, { verb: 'rollback', reason: null }, { actor: ann, ifMatch: null });
  await pass(w, reaches(w, id, 'rolledBack'));
  expect(nodeOf(w.router).share).toBe(0);
  await stopped(w);
});

it('forgets crashes that were followed by a tick that went well', async () => {
  let crashes = 2;
  const w = await scheduled({ wrap: (store) => poisoned(store, () => 0 < crashes--) });
  const id = await w.start();
  await pass(w, reaches(w, id, 'promoted'));
  expect((await w.release(id)).quarantined).toBeNull();
  await stopped(w);
});

it('does not blame the release for a store that is away', async () => {
  let away = false;
  const unavailable = (): boolean => {
    if (away) throw new StoreUnavailable('disk full');
    return false;
  };
  const w = await scheduled({ wrap: (store) => poisoned(store, unavailable) });
  const id = await w.start();
  await pass(w, reaches(w, id, 'watching'));
  away = true;
  await pass(w, async () => 4 < w.logged.filter((line) => line.includes('crashed')).length);
  away = false;
  await pass(w, reaches(w, id, 'promoted'));
  expect(await w.types(id)).not.toContain('release.quarantined');
  await stopped(w);
});

it('is not silent while the store is away, and is when only a restart would bring it back', async () => {
  let away: StoreUnavailable | null = null;
  const wrap = (store: Store): Store => ({
    ...store,
    claimDueTargets: (claim) => (away ? Promise.reject(away) : store.claimDueTargets(claim)),
  });
  const w = await scheduled({ wrap });
  const silentAfter40s = async (error: StoreUnavailable): Promise<number> => {
    away = error;
    const beganMs = w.clock.monotonicMs();
    await pass(w, async () => beganMs + 40 * SECOND < w.clock.monotonicMs());
    return w.running.silentMs();
  };
  await pass(w, async () => 0 < w.clock.monotonicMs());
  expect(await silentAfter40s(new StoreUnavailable('disk full'))).toBeLessThan(5 * SECOND);
  expect(await silentAfter40s(new StoreUnavailable('closed after a failed sync', { forGood: true }))).toBeGreaterThan(
    30 * SECOND,
  );
  away = null;
  await pass(w, async () => w.running.silentMs() < 5 * SECOND);
  await stopped(w);
});

it('stops without claiming anything more, and waits for what runs', async () => {
  const w = await scheduled();
  const id = await w.start();
  let release: () => void = () => {};
  w.router.during = (operation) => (operation === 'apply' ? new Promise((resolve) => (release = resolve)) : undefined);
  await pass(w, async () => w.router.writes.length === 1);
  let over = false;
  const stopping = w.running.stop(10 * SECOND).then(() => (over = true));
  await settled();
  expect(over).toBe(false);
  release();
  await stopping;
  expect(over).toBe(true);
  expect((await w.release(id)).phase.kind).toBe('watching');
});

it('stops in the end even when what runs hangs', async () => {
  const w = await scheduled();
  await w.start();
  w.router.mode = 'hangs';
  await pass(w, async () => w.router.writes.length === 1);
  await stopped(w);
});

it('goes on from the stored phase after a restart', async () => {
  const w = await scheduled();
  const id = await w.start(quickPlan());
  await pass(w, reaches(w, id, 'watching'));
  await stopped(w);
  const again: Running = { ...w, running: scheduler(w.ctx) };
  w.clock.advance(60 * SECOND);
  await pass(again, async () => isEnded(await w.release(id)));
  expect((await w.release(id)).phase.kind).toBe('promoted');
  await stopped(again);
});
