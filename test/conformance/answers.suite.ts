/** What every store promises of requests that come again: the answer lasts as the effect does, or neither. */
import { describe, expect, it } from 'vitest';
import { create } from '../../src/domain/create.ts';
import { decide } from '../../src/domain/decide.ts';
import { Instant, ReleaseId, TargetId } from '../../src/domain/ids.ts';
import { ANSWERS_KEPT_MS } from '../../src/ports/store.ts';
import type { NewRelease, Once } from '../../src/ports/store.ts';
import { aCreation, ann, aPlan, NOON } from '../story.ts';
import type { OpenStore } from './store.suite.ts';

const audit = { actor: 'ann', action: 'test', subject: 'x', reason: null, data: {} };
const once = <T>(key: string, answer: (done: T) => unknown, digest = 'd'): Once<T> => ({
  principal: 'ci:job',
  key,
  digest,
  answer,
});

export function answersSuite(name: string, open: OpenStore): void {
  describe(`answers of ${name}`, () => {
    const opened = async () => {
      let nowMs: number = NOON;
      const store = await open(() => Instant(nowMs));
      const spec = { service: 'checkout', router: 'edge', route: 'app', cell: 'eu', management: 'enforce' as const };
      await store.configure(
        [{ name: 'checkout', slots: ['blue', 'green'] }],
        [{ ...spec, id: TargetId('checkout/edge/app'), slots: ['blue', 'green'] }],
      );
      return { store, pass: (ms: number) => void (nowMs += ms) };
    };
    const made = (id: string, more: Partial<NewRelease> = {}): NewRelease => {
      const { next, events } = create(aCreation({ id: ReleaseId(id), plan: aPlan() }), NOON);
      return { release: next, events, audit, notify: [], dueAt: NOON, expectActive: null, ...more };
    };

    it('keeps the answer of what was made, per principal, and gives it back as it was', async () => {
      const { store } = await opened();
      const answer = once<{ release: { id: string } }>('k1', ({ release }) => ({
        status: 201,
        body: { id: release.id, none: null },
      }));
      expect((await store.create(made('r1', { once: answer }))).ok).toBe(true);
      expect(await store.answered('ci:job', 'k1')).toEqual({
        digest: 'd',
        answer: { status: 201, body: { id: 'r1', none: null } },
      });
      expect(await store.answered('ci:other', 'k1')).toBeNull();
      expect(await store.answered('ci:job', 'k2')).toBeNull();
      await store.close();
    });

    it('keeps no answer of what was refused, and does nothing for a key that has its answer', async () => {
      const { store } = await opened();
      await store.create(made('r1'));
      expect((await store.create(made('r2', { once: once('k', () => 1) }))).ok).toBe(false);
      expect(await store.answered('ci:job', 'k')).toBeNull();
      const found = await store.load(ReleaseId('r1'));
      if (!found) throw new Error('r1 is there');
      const decision = decide(found.release, { kind: 'command', command: { verb: 'rollback', reason: null }, actor: ann }, NOON);
      const commit = {
        ...{ id: found.release.id, revision: found.revision, next: decision.next, events: decision.events, intents: [] },
        ...{ measurements: [], checkStates: [], service: null, audit: null, notify: [], dueAt: NOON, lease: null },
      };
      const { ok } = await store.commit({ ...commit, once: once('k', ({ release, revision }) => [release.seq, revision]) });
      expect(ok).toBe(true);
      expect(await store.answered('ci:job', 'k')).toEqual({ digest: 'd', answer: [decision.next.seq, found.revision + 1] });
      const before = await store.lastPosition();
      const plan = await store.savePlan({ name: 'p', service: 'checkout', document: 'x', once: once('k', () => 2) }, audit);
      expect(plan).toMatchObject({ ok: false, error: { kind: 'stale' } });
      expect(await store.plan('p', null)).toBeNull();
      expect(await store.lastPosition()).toBe(before);
      await store.close();
    });

    it('forgets an answer after seven days, and the key is free again', async () => {
      const { store, pass } = await opened();
      const save = (document: string) =>
        store.savePlan({ name: 'p', service: 'checkout', document, once: once('k', ({ version }) => version) }, audit);
      expect((await save('a')).ok).toBe(true);
      pass(ANSWERS_KEPT_MS);
      expect(await store.retain(Instant(0))).toBe(0);
      expect(await store.answered('ci:job', 'k')).toEqual({ digest: 'd', answer: 1 });
      pass(1);
      expect(await store.answered('ci:job', 'k')).toBeNull();
      expect((await save('b')).ok).toBe(true);
      expect(await store.answered('ci:job', 'k')).toEqual({ digest: 'd', answer: 2 });
      pass(ANSWERS_KEPT_MS + 1);
      expect(await store.retain(Instant(0))).toBe(1);
      await store.close();
    });

    it('finds releases by version, creator, time and part of a word, page by page', async () => {
      const { store, pass } = await opened();
      const ids = ['a1', 'a2', 'b1', 'b2', 'c1'];
      for (const [index, id] of ids.entries()) {
        const by = { kind: 'ci' as const, name: index % 2 === 0 ? 'Build-7' : 'ann' };
        const { next, events } = create(
          aCreation({ id: ReleaseId(id), by, version: `1.${index}`, behind: ReleaseId('x') }),
          Instant(NOON + index),
        );
        expect((await store.create(made(id, { release: next, events }))).ok).toBe(true);
        pass(1);
      }
      const find = async (query: object): Promise<readonly string[]> =>
        (await store.releases({ service: null, phases: null, limit: 10, cursor: null, ...query })).rows.map(
          ({ release }) => release.id,
        );
      expect(await find({ version: '1.3' })).toEqual(['b2']);
      expect(await find({ createdBy: 'ann' })).toEqual(['b2', 'a2']);
      expect(await find({ since: Instant(NOON + 3) })).toEqual(['c1', 'b2']);
      expect(await find({ search: 'build' })).toEqual(['c1', 'b1', 'a1']);
      expect(await find({ search: 'CHECKOUT 1.1' })).toEqual(['a2']);
      expect(await find({ search: '%' })).toEqual([]);
      const first = await store.releases({ service: 'checkout', phases: ['queued'], search: 'build', limit: 2, cursor: null });
      expect(first.rows.map(({ release }) => release.id)).toEqual(['c1', 'b1']);
      expect(await find({ search: 'build', cursor: first.next })).toEqual(['a1']);
      await store.close();
    });
  });
}
