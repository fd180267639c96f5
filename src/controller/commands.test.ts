import { expect, it } from 'vitest';
import { ReleaseId } from '../domain/ids.ts';
import type { Command } from '../domain/release.ts';
import { isEnded } from '../domain/release.ts';
import { err } from '../lib/result.ts';
import { ann, aPlan, bob, ci, SECOND } from '../../test/story.ts';
import { quickPlan, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';

const request = { plan: quickPlan(), version: '1.1.0', first: false, paused: false, onBusy: null, reason: null } as const;
const whatever = { actor: ann, ifMatch: null } as const;
const rollback: Command = { verb: 'rollback', reason: null };
const pause: Command = { verb: 'pause', reason: null };

async function watched(w: World): Promise<ReleaseId> {
  const id = await w.start();
  await w.until(id, ({ phase }) => phase.kind === 'watching');
  return id;
}

it('refuses to start what cannot be released, and says what to do', async () => {
  const w = await world();
  const refused = async (change: Partial<Parameters<typeof w.commands.start>[0]>) => {
    const started = await w.commands.start({ ...request, ...change }, ci);
    return started.ok ? null : started.error;
  };
  expect(await refused({ plan: aPlan({ service: 'nothing' }) })).toMatchObject({
    kind: 'not_found',
    detail: 'no service named nothing: add it to headgate.yaml',
  });
  expect(await refused({ version: '1.0.0' })).toMatchObject({
    kind: 'invalid',
    detail: '1.0.0 is the stable version of checkout already',
  });
  expect((await refused({ first: true }))?.detail).toContain('this is not its first release');
  await w.store.configure([], []);
  expect((await refused({}))?.detail).toContain('has no target');
});

it('asks for the stable version, or for the word that this is the first release', async () => {
  const w = await world({ stable: null });
  const started = await w.commands.start(request, ci);
  expect(started).toMatchObject({ ok: false, error: { kind: 'invalid' } });
  const first = await w.commands.start({ ...request, first: true }, ci);
  if (!first.ok) throw new Error(first.error.detail);
  expect(await w.until(first.value.release.id, isEnded)).toMatchObject({ phase: { kind: 'promoted' }, first: true });
  expect(w.provider.questions).toEqual([]);
  expect(await w.store.service('checkout')).toMatchObject({ stableVersion: '1.1.0', stableSlot: 'green' });
  expect((await w.store.audit({ limit: 10, before: null })).rows.map(({ action }) => action)).toContain('release.start');
});

it('refuses a second release of a busy service, and names the one that is there', async () => {
  const w = await world();
  const id = await watched(w);
  const second = await w.commands.start({ ...request, version: '1.2.0' }, ci);
  expect(second).toMatchObject({ ok: false, error: { kind: 'busy' } });
  if (!second.ok) expect(second.error.detail).toContain(id);
});

it('lets one of two that start at the same moment through, and refuses the other', async () => {
  const w = await world();
  const started = await Promise.all(['1.1.0', '1.2.0', '1.1.0'].map((version) => w.commands.start({ ...request, version }, ci)));
  expect(started.map(({ ok }) => ok).filter(Boolean)).toEqual([true]);
  for (const each of started) if (!each.ok) expect(each.error.kind).toBe('busy');
  expect((await w.store.releases({ service: 'checkout', phases: null, limit: 10, cursor: null })).rows.length).toBe(1);
});

it('queues when asked to, behind the last one that waits', async () => {
  const w = await world();
  const first = await watched(w);
  const queue = async (version: string) => {
    const made = await w.commands.start({ ...request, version, onBusy: 'queue' }, ci);
    return made.ok ? made.value.release : null;
  };
  const second = await queue('1.2.0');
  const third = await queue('1.3.0');
  expect(second?.phase).toEqual({ kind: 'queued', behind: first });
  expect(third?.phase).toEqual({ kind: 'queued', behind: second?.id });
});

it('supersedes what is there: it goes back, and the new release starts from the stable version', async () => {
  const w = await world();
  const first = await watched(w);
  const made = await w.commands.start({ ...request, version: '1.2.0', onBusy: 'supersede' }, ci);
  if (!made.ok) throw new Error(made.error.detail);
  const second = made.value.release.id;
  expect(w.handed.slice(-2).map(({ release }) => [release.id, release.phase.kind])).toEqual([
    [first, 'rollingBack'],
    [second, 'queued'],
  ]);
  expect(await w.until(first, isEnded)).toMatchObject({ phase: { kind: 'superseded' }, rollback: { cause: { by: second } } });
  expect(w.router.nodes.get('n1')?.share).toBe(0);
  expect(await w.until(second, ({ phase }) => phase.kind === 'watching')).toMatchObject({ step: 0, stableVersion: '1.0.0' });
});

it('supersedes those that wait as well', async () => {
  const w = await world();
  await watched(w);
  await w.commands.start({ ...request, version: '1.2.0', onBusy: 'queue' }, ci);
  await w.commands.start({ ...request, version: '1.3.0', onBusy: 'supersede' }, ci);
  expect((await w.release(ReleaseId('R2'))).phase.kind).toBe('superseded');
});

it('starts the same version again after it was rolled back, from the first step', async () => {
  const w = await world();
  const id = await watched(w);
  await w.commands.send(id, rollback, whatever);
  await w.until(id, isEnded);
  const again = await w.start();
  expect(again).not.toBe(id);
  const release = await w.until(again, ({ phase }) => phase.kind === 'watching');
  expect(release).toMatchObject({ step: 0, rollback: null, verdict: 'inconclusive' });
  expect(await w.until(again, isEnded)).toMatchObject({ phase: { kind: 'promoted' } });
});

it('hands a release to be worked on as soon as it was stored or a command was committed, with the command in the audit log', async () => {
  const w = await world();
  const id = await watched(w);
  const sent = await w.commands.send(id, { verb: 'rollback', reason: 'support is drowning' }, whatever);
  expect(sent).toMatchObject({ ok: true, value: { release: { phase: { kind: 'rollingBack' } } } });
  expect(w.handed.map(({ release }) => release.phase.kind)).toEqual(['starting', 'rollingBack']);
  const [entry] = (await w.store.audit({ limit: 1, before: null })).rows;
  expect(entry).toMatchObject({ actor: 'ann', action: 'release.rollback', subject: id, reason: 'support is drowning' });
});

it('takes a rollback that is asked for twice as one', async () => {
  const w = await world();
  const id = await watched(w);
  const sent = await Promise.all([ann, bob, ann].map((actor) => w.commands.send(id, rollback, { actor, ifMatch: null })));
  expect(sent.every(({ ok }) => ok)).toBe(true);
  expect((await w.types(id)).filter((type) => type === 'rollback.decided')).toEqual(['rollback.decided']);
  expect(await w.commands.send(id, rollback, whatever)).toMatchObject({ ok: true });
});

it('never refuses a pause or a rollback for an old version of the release, but all that raises', async () => {
  const w = await world();
  const id = await watched(w);
  const old = { actor: ann, ifMatch: 1 };
  expect(await w.commands.send(id, { verb: 'promote', full: false, force: false, reason: 'x' }, old)).toMatchObject({
    ok: false,
    error: { kind: 'precondition' },
  });
  expect(await w.commands.send(id, pause, old)).toMatchObject({ ok: true });
  expect(await w.commands.send(id, { verb: 'resume', reason: null }, old)).toMatchObject({
    ok: false,
    error: { kind: 'precondition' },
  });
  expect(await w.commands.send(id, rollback, old)).toMatchObject({ ok: true });
});

it('commits many commands at once one after the other, and a rollback among them wins', async () => {
  const w = await world();
  const id = await watched(w);
  const promote: Command = { verb: 'promote', full: false, force: true, reason: 'race' };
  await Promise.all([pause, promote, rollback, promote, pause].map((command) => w.commands.send(id, command, whatever)));
  const release = await w.release(id);
  expect(release.rollback?.cause.kind).toBe('person');
  expect(release.wanted).toBe(0);
  const { rows } = await w.store.releaseEvents(id, { afterSeq: 0, limit: 100 });
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
});

it('passes on why a command is not taken, and knows a release that is not there', async () => {
  const w = await world();
  const id = await watched(w);
  expect(await w.commands.send(id, { verb: 'approve', reason: null }, whatever)).toMatchObject({
    ok: false,
    error: { kind: 'not_accepted', detail: 'a release that is watching cannot be approved' },
  });
  expect(await w.commands.send(ReleaseId('none'), pause, whatever)).toMatchObject({ ok: false, error: { kind: 'not_found' } });
});

it('says that the store could not be written, and leaves the release as it was', async () => {
  let busy = false;
  const w = await world({
    wrap: (store) => ({
      ...store,
      commit: async (commit) => (busy ? err({ kind: 'busy', detail: 'disk full' }) : store.commit(commit)),
    }),
  });
  const id = await watched(w);
  busy = true;
  const sent = await w.commands.send(id, pause, whatever);
  expect(sent).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
  if (!sent.ok) expect(sent.error.detail).toContain('disk full');
  expect((await w.release(id)).phase.kind).toBe('watching');
});

it('gives up in the end when somebody else always commits first', async () => {
  let racing = false;
  const w = await world({
    wrap: (store) => ({
      ...store,
      commit: async (commit) => (racing ? err({ kind: 'stale', detail: 'old revision' }) : store.commit(commit)),
    }),
  });
  const id = await watched(w);
  racing = true;
  expect(await w.commands.send(id, pause, whatever)).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
});

it('runs back, again and to the end in sequence', async () => {
  const w = await world();
  const first = await watched(w);
  await w.commands.send(first, rollback, whatever);
  await w.until(first, isEnded);
  const second = await w.start();
  await w.until(second, (release) => release.phase.kind === 'watching' && release.verdict === 'pass');
  expect(await w.commands.send(second, { verb: 'promote', full: true, force: false, reason: null }, whatever)).toMatchObject({
    ok: true,
  });
  await w.until(second, isEnded);
  expect(await w.store.service('checkout')).toMatchObject({ stableVersion: '1.1.0' });
});

it('keeps the plan of a running release as it was when the release started', async () => {
  const w = await world();
  const plan = quickPlan();
  const id = await w.start(plan);
  await w.store.savePlan(
    { name: plan.name, service: plan.service, document: 'steps: [100%]' },
    { actor: 'ann', action: 'plan.save', subject: plan.name, reason: null, data: {} },
  );
  w.clock.advance(SECOND);
  await w.tick(id);
  expect((await w.release(id)).plan).toEqual(plan);
});

it('goes from good to bad to bad to good, with the last good one stable throughout', async () => {
  const w = await world();
  const stable: (string | null | undefined)[] = [];
  for (const [version, value] of [
    ['2', 0.1],
    ['3', 0.95],
    ['4', 0.95],
    ['5', 0.1],
  ] as const) {
    w.provider.value = value;
    await w.until(await w.start(quickPlan(), { version }), isEnded);
    stable.push((await w.store.service('checkout'))?.stableVersion);
  }
  expect(stable).toEqual(['2', '2', '2', '5']);
});

it('gives every release a deadline of its own, from its start', async () => {
  const w = await world();
  const first = await watched(w);
  await w.commands.send(first, rollback, whatever);
  await w.until(first, isEnded);
  w.clock.advance(60 * SECOND);
  const second = await w.release(await w.start());
  expect(second.deadlineAt).toBe(w.clock.now() + second.plan.deadlineMs);
});

it('releases an older version like any other', async () => {
  const w = await world();
  await w.until(await w.start(), isEnded);
  const back = await w.start(quickPlan(), { version: '1.0.0' });
  expect(await w.until(back, isEnded)).toMatchObject({ phase: { kind: 'promoted' }, stableVersion: '1.1.0' });
  expect(await w.store.service('checkout')).toMatchObject({ stableVersion: '1.0.0', stableSlot: 'blue' });
});
