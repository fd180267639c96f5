import { expect, it } from 'vitest';
import { ReleaseId } from '../domain/ids.ts';
import { isEnded } from '../domain/release.ts';
import type { PhaseKind, Release } from '../domain/release.ts';
import { quarantine } from './quarantine.ts';
import { tick } from './tick.ts';
import { ann, ci, HOUR, MINUTE, SECOND } from '../../test/story.ts';
import { fakeRouter, nodeOf, quickPlan, world } from '../../test/world.ts';
import type { World } from '../../test/world.ts';

const isIn = (kind: PhaseKind) => (release: Release) => release.phase.kind === kind;
const share = ({ router }: World): number => nodeOf(router).share;
const rollback = { verb: 'rollback', reason: null } as const;

it('takes a good release through its steps to full weight, and swaps the roles without a write', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, isIn('settling'));
  const writes = w.router.writes.length;
  const before = await w.store.service('checkout');
  const release = await w.until(id, isEnded);
  expect(release.phase.kind).toBe('promoted');
  expect(before).toMatchObject({ stableSlot: 'blue', stableVersion: '1.0.0' });
  expect(await w.store.service('checkout')).toMatchObject({ stableSlot: 'green', stableVersion: '1.1.0' });
  expect(w.router.writes.length).toBe(writes);
  expect(w.router.writes.map((write) => write.share)).toEqual([1000, 5000, 10_000]);
  expect(w.router.writes.map((write) => write.seq)).toEqual([1, 2, 3]);
});

it('lets the second release go down in shares of the second slot, which is stable by then', async () => {
  const w = await world();
  await w.until(await w.start(), isEnded);
  const id = await w.start(quickPlan(), { version: '1.2.0' });
  await w.until(id, isEnded);
  expect(w.router.writes.map((write) => write.share)).toEqual([1000, 5000, 10_000, 9000, 5000, 0]);
  expect(await w.store.service('checkout')).toMatchObject({ stableSlot: 'blue', stableVersion: '1.2.0' });
});

it('writes a weight only after the intent for it was committed', async () => {
  const w = await world();
  const wanted: number[] = [];
  w.router.during = async (operation) => {
    if (operation !== 'apply') return;
    const { desiredSecond, seq } = await w.target();
    expect(w.router.writes.at(-1)).toMatchObject({ share: desiredSecond, seq });
    wanted.push(desiredSecond);
  };
  await w.until(await w.start(), isEnded);
  expect(wanted).toEqual([1000, 5000, 10_000]);
});

it('takes a bad release back within the tick that saw it', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, isIn('watching'));
  w.provider.value = 0.95;
  w.clock.advance(10 * SECOND);
  await w.tick(id);
  expect(share(w)).toBe(0);
  expect((await w.release(id)).phase).toMatchObject({ kind: 'settling', outcome: 'rolledBack' });
  expect((await w.until(id, isEnded)).phase.kind).toBe('rolledBack');
  expect(await w.store.service('checkout')).toMatchObject({ stableSlot: 'blue', stableVersion: '1.0.0' });
});

it('changes the weight at most once per tick', async () => {
  const w = await world();
  const id = await w.start();
  for (let round = 0; round < 60 && !isEnded(await w.release(id)); round++) {
    const before = w.router.writes.length;
    await w.tick(id);
    expect(w.router.writes.length - before).toBeLessThanOrEqual(1);
    w.clock.advance(10 * SECOND);
  }
  expect((await w.release(id)).phase.kind).toBe('promoted');
});

it('finishes after a death between the commit of an intent and its write', async () => {
  const w = await world();
  const id = await w.start();
  w.router.during = (operation) => {
    if (operation === 'apply') throw new Error('the process dies here');
  };
  // The adapter's exception is a failed call: what was committed stays, as after a death.
  await w.tick(id);
  expect(await w.release(id)).toMatchObject({ phase: { kind: 'shifting' }, wanted: 1000 });
  expect(share(w)).toBe(0);
  w.router.during = () => {};
  await w.tick(id);
  expect(share(w)).toBe(1000);
  expect((await w.release(id)).phase.kind).toBe('watching');
  expect(w.router.writes.map(({ seq }) => seq)).toEqual([1, 1]);
});

it('finishes after a death between the write and the commit that reads it back', async () => {
  const w = await world();
  const id = await w.start();
  let dying = true;
  const dead = {
    ...w.ctx,
    store: {
      ...w.store,
      commit: async (commit: Parameters<typeof w.store.commit>[0]) => {
        if (dying && commit.events.some(({ type }) => type === 'weight.verified')) throw new Error('the process dies here');
        return w.store.commit(commit);
      },
    },
  };
  const claimed = await w.store.load(id);
  if (!claimed) throw new Error('started');
  await expect(tick(dead, claimed, new AbortController().signal)).rejects.toThrow('dies here');
  expect(share(w)).toBe(1000);
  dying = false;
  await w.tick(id);
  expect((await w.release(id)).phase.kind).toBe('watching');
});

it('writes nothing when somebody else committed first', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, isIn('watching'));
  w.provider.value = 0.95;
  w.router.during = async (operation) => {
    w.router.during = () => {};
    if (operation === 'read') await w.commands.send(id, { verb: 'pause', reason: null }, { actor: ann, ifMatch: null });
  };
  const before = await w.types(id);
  expect((await w.tick(id)).outcome).toBe('stale');
  expect(await w.types(id)).toEqual([...before, 'release.paused']);
  expect(share(w)).toBe(1000);
});

it('judges while a router cannot be written, and asks for the way back there, too', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, (release) => release.phase.kind === 'watching' && release.verdict === 'pass');
  w.router.mode = 'rejects';
  await w.until(id, isIn('shifting'));
  expect((await w.release(id)).hold).toMatchObject({ reason: 'router' });
  w.provider.value = 0.95;
  w.clock.advance(10 * SECOND);
  await w.tick(id);
  expect(await w.release(id)).toMatchObject({
    phase: { kind: 'rollingBack' },
    rollback: { cause: { kind: 'check', check: 'cpu' } },
  });
  w.router.mode = 'works';
  expect((await w.until(id, isEnded)).phase.kind).toBe('rolledBack');
});

it('goes on serving what it served while a router is unreachable, and goes on when it is back', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, isIn('watching'));
  const node = nodeOf(w.router);
  node.up = false;
  w.clock.advance(MINUTE);
  await w.tick(id);
  expect(await w.release(id)).toMatchObject({ phase: { kind: 'watching' }, hold: { reason: 'router' }, wanted: 1000 });
  expect(node.share).toBe(1000);
  node.up = true;
  expect((await w.until(id, isEnded)).phase.kind).toBe('promoted');
});

it('retries a raise with growing waits, and a lowering within a second', async () => {
  const w = await world();
  const id = await w.start();
  w.router.mode = 'rejects';
  const waits: number[] = [];
  for (let round = 0; round < 8; round++) {
    const { yieldUntil } = await w.tick(id);
    const wait = (yieldUntil ?? (await w.store.load(id))?.dueAt ?? w.clock.now()) - w.clock.now();
    waits.push(wait);
    w.clock.advance(wait);
  }
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits.at(-1)).toBeGreaterThan(10 * SECOND);
  await w.commands.send(id, rollback, { actor: ann, ifMatch: null });
  for (let round = 0; round < 5; round++) {
    await w.tick(id);
    const dueAt = (await w.store.load(id))?.dueAt ?? w.clock.now();
    expect(dueAt - w.clock.now()).toBeLessThanOrEqual(SECOND);
    w.clock.advance(SECOND);
  }
});

it('rolls back at the deadline while the router refuses the raise', async () => {
  const w = await world();
  const id = await w.start(quickPlan({ deadlineMs: 10 * MINUTE }));
  w.router.mode = 'rejects';
  expect((await w.until(id, (release) => release.rollback !== null)).rollback?.cause.kind).toBe('deadline');
  expect(w.clock.monotonicMs()).toBeLessThanOrEqual(10 * MINUTE + SECOND);
});

it('does not believe an acknowledgement: a weight that is not read back is not on', async () => {
  const w = await world();
  const id = await w.start();
  w.router.mode = 'lies';
  await w.tick(id);
  const release = await w.release(id);
  expect(release.phase.kind).toBe('shifting');
  expect(release.hold?.detail).toContain('acknowledged, but another share is served');
});

it('names the targets that could not be reached and lowers the others', async () => {
  const eu = fakeRouter('eu');
  const w = await world({ routers: [fakeRouter('edge'), eu] });
  const id = await w.start();
  await w.until(id, isIn('watching'));
  const node = nodeOf(eu);
  node.up = false;
  await w.commands.send(id, rollback, { actor: ann, ifMatch: null });
  await w.tick(id);
  const release = await w.release(id);
  expect(share(w)).toBe(0);
  expect(release.phase.kind).toBe('rollingBack');
  expect(release.hold?.detail).toContain('checkout/eu/app');
  expect(release.hold?.detail).not.toContain('checkout/edge/app');
  expect((await w.until(id, (found) => found.unverified)).phase.kind).toBe('rollingBack');
  node.up = true;
  expect(await w.until(id, isEnded)).toMatchObject({ phase: { kind: 'rolledBack' }, unverified: false });
  expect(node.share).toBe(0);
});

it('holds for a provider that fails or is silent, and never promotes without it', async () => {
  for (const [mode, value, reason] of [
    ['fails', 0.1, 'provider'],
    ['works', null, 'no_data'],
  ] as const) {
    const w = await world();
    const id = await w.start(quickPlan({ deadlineMs: HOUR }));
    await w.until(id, isIn('watching'));
    w.provider.mode = mode;
    w.provider.value = value;
    expect((await w.until(id, (release) => release.hold !== null)).hold).toMatchObject({ reason });
    expect(share(w)).toBe(1000);
    expect((await w.until(id, isEnded)).rollback?.cause.kind).toBe('deadline');
  }
});

it('cuts off a provider that hangs, and counts it as an error', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, isIn('watching'));
  w.provider.mode = 'hangs';
  for (let round = 0; round < 3; round++) {
    const ticking = w.tick(id);
    while (w.provider.questions.length <= round) await Promise.resolve();
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    w.clock.advance(5 * SECOND);
    await ticking;
    w.clock.advance(5 * SECOND);
  }
  expect((await w.release(id)).verdict).toBe('error');
});

it('names a provider and a router that are not configured instead of passing', async () => {
  const w = await world();
  const plan = quickPlan();
  const cpu = plan.checks['cpu'];
  if (!cpu) throw new Error('has a check');
  const id = await w.start({ ...plan, checks: { cpu: { ...cpu, provider: 'gone' } } });
  const held = await w.until(id, (release) => release.hold !== null);
  expect(held.hold?.detail).toContain('no provider named gone is configured');
});

it('leaves a quarantined release alone, and takes it back on command', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, isIn('watching'));
  await quarantine(w.ctx, id, 'boom');
  w.provider.value = 0.95;
  w.clock.advance(MINUTE);
  const reads = w.provider.questions.length;
  await w.tick(id);
  expect(await w.release(id)).toMatchObject({ quarantined: 'boom', phase: { kind: 'watching' } });
  expect(w.provider.questions.length).toBe(reads);
  await w.commands.send(id, rollback, { actor: ann, ifMatch: null });
  expect((await w.until(id, isEnded)).phase.kind).toBe('rolledBack');
  expect(share(w)).toBe(0);
});

it('starts queued releases one after the other, in the order they were asked for', async () => {
  const w = await world();
  const first = await w.start();
  const ask = (version: string) =>
    w.commands.start({ plan: quickPlan(), version, first: false, paused: false, onBusy: 'queue', reason: null }, ci);
  await ask('1.2.0');
  w.clock.advance(1);
  await ask('1.3.0');
  const [second, third] = [ReleaseId('R2'), ReleaseId('R3')];
  await w.tick(third);
  await w.tick(second);
  expect((await w.release(second)).phase.kind).toBe('queued');
  await w.until(first, isEnded);
  await w.tick(third);
  expect((await w.release(third)).phase.kind).toBe('queued');
  await w.tick(second);
  expect(await w.release(second)).toMatchObject({ phase: { kind: 'starting' }, stableVersion: '1.1.0' });
});

it('holds what is served when drift is seen, and judges only what came after', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, (release) => release.verdict === 'pass');
  const node = nodeOf(w.router);
  node.share = 7000;
  w.clock.advance(10 * SECOND);
  await w.tick(id);
  expect(await w.release(id)).toMatchObject({ hold: { reason: 'drift' }, wanted: 1000 });
  node.share = 1000;
  w.clock.advance(10 * SECOND);
  await w.tick(id);
  expect(await w.release(id)).toMatchObject({ hold: null, verdict: 'inconclusive', evidenceSince: w.clock.now() });
});

it('goes back although the canary is gone altogether', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, isIn('watching'));
  w.router.healthy = false;
  w.provider.mode = 'fails';
  await w.commands.send(id, rollback, { actor: ann, ifMatch: null });
  expect((await w.until(id, isEnded)).phase.kind).toBe('rolledBack');
  expect(share(w)).toBe(0);
});

it('goes back while a breaker is open, at the first try that reaches the router', async () => {
  const w = await world();
  const id = await w.start();
  w.router.mode = 'throws';
  for (let round = 0; round < 6; round++) {
    await w.tick(id);
    w.clock.advance(100);
  }
  expect(w.ctx.calls.open()).toEqual(['router edge']);
  w.router.mode = 'works';
  nodeOf(w.router).share = 1000;
  await w.commands.send(id, rollback, { actor: ann, ifMatch: null });
  await w.tick(id);
  expect(share(w)).toBe(0);
});

it('counts for a weight only what was measured since it was read back', async () => {
  const w = await world();
  const id = await w.start();
  await w.until(id, (release) => release.phase.kind === 'watching' && release.step === 1);
  await w.tick(id);
  w.clock.advance(10 * SECOND);
  await w.tick(id);
  const release = await w.release(id);
  expect(release.verdict).toBe('inconclusive');
  expect(w.provider.questions.at(-1)).toMatchObject({
    since: release.evidenceSince,
    canarySlot: 'green',
    canaryVersion: '1.1.0',
  });
});
