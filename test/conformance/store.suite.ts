/** What every store promises, whatever it is made of. Run by `store.test.ts` on each of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { create } from '../../src/domain/create.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Decision } from '../../src/domain/decide.ts';
import { replay } from '../../src/domain/evolve.ts';
import { after, Instant, ReleaseId, TargetId, Weight } from '../../src/domain/ids.ts';
import type { Input } from '../../src/domain/input.ts';
import type { TargetFact } from '../../src/domain/event.ts';
import type { Claimed, Commit, Store, TargetSpec } from '../../src/ports/store.ts';
import { ann, aPlan, HOUR, NOON, verdictOf } from '../story.ts';

export type OpenStore = (now: () => Instant) => Promise<Store>;

const APP = TargetId('checkout/edge/app');
const spec: TargetSpec = {
  id: APP,
  service: 'checkout',
  router: 'edge',
  route: 'app',
  cell: 'eu',
  slots: ['blue', 'green'],
  management: 'enforce',
};
const audit = { actor: 'ann', action: 'test', subject: 'x', reason: null, data: { a: 1 } };

export function storeSuite(name: string, open: OpenStore): void {
  describe(`store ${name}`, () => {
    let nowMs = NOON as number;
    let store: Store;
    const tick = (ms: number): void => void (nowMs += ms);

    beforeEach(async () => {
      nowMs = NOON;
      store = await open(() => Instant(nowMs));
      await store.configure(
        [
          { name: 'checkout', slots: ['blue', 'green'] },
          { name: 'search', slots: ['a', 'b'] },
        ],
        [spec],
      );
      await store.setStable('checkout', { slot: null, version: '1' }, audit);
    });
    afterEach(() => store.close());

    let serial = 0;
    async function started({
      service = 'checkout',
      behind = null,
      notify = [],
    }: { service?: string; behind?: ReleaseId | null; notify?: readonly string[] } = {}) {
      const id = ReleaseId(`r${++serial}`);
      const { next, events } = create(
        {
          id,
          plan: aPlan({ service }),
          version: '2',
          stableVersion: '1',
          first: false,
          startPaused: false,
          promotion: { kind: 'swap' },
          targets: [APP],
          settleMs: 30_000,
          behind,
          by: ann,
        },
        Instant(nowMs),
      );
      const expectActive = (await store.active(service))?.release.id ?? null;
      const made = await store.create({ release: next, events, audit, notify, dueAt: Instant(nowMs), expectActive });
      return { id, made, next, events };
    }
    const load = async (id: ReleaseId): Promise<Claimed> => {
      const found = await store.load(id);
      if (!found) throw new Error(`no ${id}`);
      return found;
    };
    const commitOf = (claimed: Claimed, decision: Pick<Decision, 'next' | 'events'>, more: Partial<Commit> = {}): Commit => ({
      id: claimed.release.id,
      revision: claimed.revision,
      next: decision.next,
      events: decision.events,
      intents: [],
      measurements: [],
      checkStates: [],
      service: null,
      audit: null,
      notify: [],
      dueAt: Instant(nowMs),
      lease: null,
      ...more,
    });
    async function take(id: ReleaseId, input: Input, more: Partial<Commit> = {}) {
      const claimed = await load(id);
      return store.commit(commitOf(claimed, decide(claimed.release, input, Instant(nowMs)), more));
    }
    const ready: Input = { kind: 'prepared', failure: null };
    const rollback: Input = { kind: 'command', command: { verb: 'rollback', reason: null }, actor: ann };

    it('keeps a release as it was made, with its events from the first on', async () => {
      const { id, next, events } = await started();
      expect((await store.release(id))?.release).toEqual(next);
      expect((await store.releaseEvents(id, { afterSeq: 0, limit: 10 })).rows).toEqual(events);
      expect(replay((await store.releaseEvents(id, { afterSeq: 0, limit: 10 })).rows)).toEqual(next);
    });

    it('refuses a second active release of a service, and one made on an old view of it', async () => {
      const { id } = await started();
      expect((await started()).made).toMatchObject({ ok: false, error: { kind: 'stale' } });
      const { next, events } = create(
        {
          id: ReleaseId('late'),
          plan: aPlan(),
          version: '3',
          stableVersion: '1',
          first: false,
          startPaused: false,
          promotion: { kind: 'swap' },
          targets: [APP],
          settleMs: 1,
          behind: id,
          by: ann,
        },
        Instant(nowMs),
      );
      const made = await store.create({ release: next, events, audit, notify: [], dueAt: Instant(nowMs), expectActive: null });
      expect(made).toMatchObject({ ok: false, error: { kind: 'stale' } });
      expect(await store.release(ReleaseId('late'))).toBeNull();
    });

    it('keeps queued releases in the order of asking, beside the active one', async () => {
      const { id } = await started();
      const second = await started({ behind: id });
      tick(5);
      const third = await started({ behind: second.id });
      expect((await store.queued('checkout')).map(({ release }) => release.id)).toEqual([second.id, third.id]);
      expect((await store.active('checkout'))?.release.id).toBe(id);
    });

    it('does not let a queued release start while another is active', async () => {
      const { id } = await started();
      const queued = await started({ behind: id });
      expect(await take(queued.id, { kind: 'unblocked', stableVersion: '1' })).toMatchObject({
        ok: false,
        error: { kind: 'stale' },
      });
      await take(id, rollback);
      expect(await take(queued.id, { kind: 'unblocked', stableVersion: '1' })).toMatchObject({ ok: true });
    });

    it('refuses a commit on an old revision and writes nothing of it', async () => {
      const { id } = await started();
      const old = await load(id);
      await take(id, ready);
      const [release, events, target] = [
        await store.release(id),
        await store.events({ afterPosition: 0, limit: 100 }),
        await store.targets(null),
      ];
      const late = commitOf(old, decide(old.release, rollback, Instant(nowMs)), {
        audit,
        notify: ['book'],
        intents: [{ target: APP, secondShare: Weight(9) }],
        service: { stableSlot: 'green', stableVersion: '9' },
      });
      expect(await store.commit(late)).toMatchObject({ ok: false, error: { kind: 'stale' } });
      expect([await store.release(id), await store.events({ afterPosition: 0, limit: 100 }), await store.targets(null)]).toEqual([
        release,
        events,
        target,
      ]);
      expect(await store.service('checkout')).toMatchObject({ stableVersion: '1' });
      expect((await store.deliveries({ limit: 10, before: null })).rows).toEqual([]);
    });

    it('writes everything of a commit together: state, events, intents, roles, audit, outbox, checks', async () => {
      const { id } = await started();
      const claimed = await load(id);
      const decision = decide(claimed.release, ready, Instant(nowMs));
      const row = {
        check: 'errors',
        end: Instant(nowMs),
        measurement: { kind: 'value' as const, at: Instant(nowMs), value: 1 },
        verdict: verdictOf('pass'),
      };
      const done = await store.commit(
        commitOf(claimed, decision, {
          intents: [{ target: APP, secondShare: Weight(500) }],
          audit,
          notify: ['book'],
          measurements: [row],
          checkStates: [{ check: 'errors', state: { n: 1 }, verdict: verdictOf('pass') }],
          service: { stableSlot: 'green', stableVersion: '2' },
        }),
      );
      expect(done).toMatchObject({
        ok: true,
        value: { revision: claimed.revision + 1, targets: [{ desiredSecond: 500, seq: 1, verifiedSecond: null }] },
      });
      expect((await store.release(id))?.release).toEqual(decision.next);
      expect(await store.service('checkout')).toMatchObject({ stableSlot: 'green', stableVersion: '2' });
      expect(await store.checkStates(id)).toMatchObject([{ check: 'errors', state: { n: 1 } }]);
      expect((await store.measurements(id, { check: null, limit: 10, before: null })).rows).toEqual([row]);
      expect((await store.deliveries({ limit: 10, before: null })).rows).toMatchObject([
        { notifier: 'book', state: 'pending', eventId: `${id}/3` },
      ]);
      expect((await store.audit({ limit: 1, before: null })).rows).toMatchObject([{ action: 'test', data: { a: 1 } }]);
    });

    it('counts intents per target across releases, and forgets what was verified with each', async () => {
      const { id } = await started();
      await take(id, ready, { intents: [{ target: APP, secondShare: Weight(500) }] });
      await store.updateTarget({
        id: APP,
        seq: 1,
        change: { verifiedSecond: Weight(500), verifiedSeq: 1, verifiedAt: Instant(nowMs), boots: { n1: 'b' } },
        adopt: null,
        events: [],
        notify: [],
      });
      expect(await store.targets('checkout')).toMatchObject([{ verifiedSecond: 500, verifiedSeq: 1, boots: { n1: 'b' } }]);
      await take(id, rollback, { intents: [{ target: APP, secondShare: Weight(0) }] });
      expect(await store.targets('checkout')).toMatchObject([{ desiredSecond: 0, seq: 2, verifiedSecond: null, verifiedSeq: 1 }]);
    });

    it('writes the same measurement once', async () => {
      const { id } = await started();
      const row = {
        check: 'errors',
        end: Instant(nowMs),
        measurement: { kind: 'value' as const, at: Instant(nowMs), value: 1 },
        verdict: verdictOf('pass'),
      };
      await take(id, ready, { measurements: [row] });
      await take(id, rollback, { measurements: [{ ...row, measurement: { ...row.measurement, value: 2 } }] });
      expect((await store.measurements(id, { check: 'errors', limit: 10, before: null })).rows).toEqual([row]);
    });

    it('pages measurements from the newest, of one check or of all', async () => {
      const { id } = await started();
      const rows = [1, 2, 3].map((n) => ({
        check: n === 2 ? 'other' : 'errors',
        end: Instant(nowMs + n),
        measurement: { kind: 'value' as const, at: Instant(nowMs + n), value: n },
        verdict: verdictOf('pass'),
      }));
      await take(id, ready, { measurements: rows });
      const first = await store.measurements(id, { check: null, limit: 2, before: null });
      expect(first.rows.map((row) => row.end - nowMs)).toEqual([3, 2]);
      expect(
        (await store.measurements(id, { check: null, limit: 2, before: first.next })).rows.map((row) => row.end - nowMs),
      ).toEqual([1]);
      expect((await store.measurements(id, { check: 'errors', limit: 5, before: null })).rows).toHaveLength(2);
    });

    it('claims what is due, the most overdue first, and never more than asked for', async () => {
      const { id } = await started();
      tick(10);
      const other = await started({ service: 'search' });
      expect((await store.claimDue({ worker: 'w', leaseMs: 1_000, limit: 1 })).map(({ release }) => release.id)).toEqual([id]);
      expect((await store.claimDue({ worker: 'w', leaseMs: 1_000, limit: 5 })).map(({ release }) => release.id)).toEqual([
        other.id,
      ]);
      expect(await store.claimDue({ worker: 'w', leaseMs: 1_000, limit: 5 })).toEqual([]);
    });

    it('gives a claimed release to nobody else until its lease has run out by store time', async () => {
      await started();
      const [claimed] = await store.claimDue({ worker: 'w1', leaseMs: 1_000, limit: 5 });
      expect(claimed).toMatchObject({
        service: { name: 'checkout' },
        targets: [{ id: APP }],
        checkStates: [],
        leaseUntil: nowMs + 1_000,
      });
      tick(999);
      expect(await store.claimDue({ worker: 'w2', leaseMs: 1_000, limit: 5 })).toEqual([]);
      tick(1);
      expect(await store.claimDue({ worker: 'w2', leaseMs: 1_000, limit: 5 })).toHaveLength(1);
    });

    it('gives a lease back only when it is still held', async () => {
      const { id } = await started();
      await store.claimDue({ worker: 'w1', leaseMs: 1_000, limit: 5 });
      await store.yieldLease({ id, worker: 'w2', dueAt: after(Instant(nowMs), HOUR) });
      tick(1_000);
      expect(await store.claimDue({ worker: 'w2', leaseMs: 1_000, limit: 5 })).toHaveLength(1);
      await store.yieldLease({ id, worker: 'w2', dueAt: after(Instant(nowMs), 50) });
      expect(await store.claimDue({ worker: 'w1', leaseMs: 1_000, limit: 5 })).toEqual([]);
      tick(50);
      expect(await store.claimDue({ worker: 'w1', leaseMs: 1_000, limit: 5 })).toHaveLength(1);
    });

    it('lets a commit take a lease over, and give it away', async () => {
      const { id } = await started();
      await store.claimDue({ worker: 'w1', leaseMs: HOUR, limit: 5 });
      await take(id, ready, { lease: { worker: 'w2', ms: HOUR } });
      expect(await store.claimDue({ worker: 'w1', leaseMs: 1, limit: 5 })).toEqual([]);
      await take(id, rollback, { lease: null });
      expect(await store.claimDue({ worker: 'w1', leaseMs: 1, limit: 5 })).toHaveLength(1);
    });

    it('never claims a release that has ended', async () => {
      const { id } = await started();
      await take(id, rollback);
      expect((await store.release(id))?.release.phase.kind).toBe('rolledBack');
      tick(HOUR);
      expect(await store.claimDue({ worker: 'w', leaseMs: 1, limit: 5 })).toEqual([]);
      expect((await store.nextDueAt()).release).toBeNull();
      expect(await store.active('checkout')).toBeNull();
    });

    it('wakes a release at once, and never puts one off', async () => {
      const { id } = await started();
      await take(id, ready, { dueAt: after(Instant(nowMs), HOUR) });
      expect(await store.claimDue({ worker: 'w', leaseMs: 1, limit: 5 })).toEqual([]);
      await store.wake(id);
      expect(await store.claimDue({ worker: 'w', leaseMs: 1, limit: 5 })).toHaveLength(1);
      await store.wake(ReleaseId('nobody'));
    });

    it('counts crashes in a row until a commit comes through', async () => {
      const { id } = await started();
      await store.claimDue({ worker: 'w', leaseMs: HOUR, limit: 1 });
      expect(await store.recordCrash({ id, worker: 'w', error: 'boom', dueAt: Instant(nowMs) })).toBe(1);
      expect(await store.recordCrash({ id, worker: 'w', error: 'boom', dueAt: Instant(nowMs) })).toBe(2);
      expect((await store.claimDue({ worker: 'w2', leaseMs: 1, limit: 1 }))[0]).toMatchObject({ crashes: 2 });
      await take(id, ready);
      expect((await store.release(id))?.crashes).toBe(0);
    });

    it('tells when the next of each queue is due', async () => {
      expect((await store.nextDueAt()).release).toBeNull();
      const { id } = await started({ notify: ['book'] });
      expect(await store.nextDueAt()).toMatchObject({ release: nowMs, outbox: nowMs });
      await take(id, ready, { dueAt: after(Instant(nowMs), 700) });
      expect((await store.nextDueAt()).release).toBe(nowMs + 700);
      expect((await store.nextDueAt()).target).toBeGreaterThanOrEqual(nowMs);
    });

    const drift: TargetFact = {
      type: 'drift.seen',
      node: 'n1',
      servedSecond: Weight(1),
      wantedSecond: Weight(0),
      restarted: false,
    };
    const targetEvent = (seq: number) => ({
      id: `${APP}/${seq}`,
      target: APP,
      service: 'checkout',
      seq,
      at: Instant(nowMs),
      sentence: 'drifted',
      ...drift,
    });

    it('refuses a note on an older intent of a target, and an event that another came before', async () => {
      const { id } = await started();
      await take(id, ready, { intents: [{ target: APP, secondShare: Weight(500) }] });
      const note = { id: APP, change: { differs: 'x', driftAt: Instant(nowMs) }, adopt: null, notify: [] };
      expect(await store.updateTarget({ ...note, seq: 0, events: [] })).toMatchObject({ ok: false, error: { kind: 'stale' } });
      expect(await store.updateTarget({ ...note, seq: 1, events: [targetEvent(1)] })).toMatchObject({
        ok: true,
        value: { differs: 'x', driftAt: nowMs, eventSeq: 1 },
      });
      expect(await store.updateTarget({ ...note, seq: 1, events: [targetEvent(1)], change: { differs: 'y' } })).toMatchObject({
        ok: false,
      });
      expect(await store.targets(null)).toMatchObject([{ differs: 'x', eventSeq: 1 }]);
      expect((await store.targetEvents(APP, { afterSeq: 0, limit: 5 })).rows).toEqual([targetEvent(1)]);
    });

    it('goes on from a higher number when it is told to, unless there is a newer intent', async () => {
      const { id } = await started();
      const past = { id: APP, seq: 0, change: { seq: 901 }, adopt: null, events: [], notify: [] };
      expect(await store.updateTarget(past)).toMatchObject({ ok: true, value: { seq: 901 } });
      expect(await store.updateTarget(past)).toMatchObject({ ok: false, error: { kind: 'stale' } });
      await take(id, ready, { intents: [{ target: APP, secondShare: Weight(500) }] });
      expect(await store.targets('checkout')).toMatchObject([{ seq: 902, desiredSecond: 500 }]);
    });

    it('takes what somebody else set as wanted, with the next seq', async () => {
      const adopted = await store.updateTarget({ id: APP, seq: 0, change: {}, adopt: Weight(2_500), events: [], notify: [] });
      expect(adopted).toMatchObject({ ok: true, value: { desiredSecond: 2_500, seq: 1, verifiedSecond: null } });
      await started();
      const late = await store.updateTarget({
        id: APP,
        seq: 1,
        change: { differs: 'x' },
        adopt: Weight(9_000),
        events: [],
        notify: [],
      });
      expect(late).toMatchObject({ ok: false, error: { kind: 'stale' } });
      expect(await store.targets('checkout')).toMatchObject([{ desiredSecond: 2_500, seq: 1, differs: null }]);
    });

    it('gives each managed target in its rhythm, with the release that moves it', async () => {
      tick(5_000);
      expect(await store.claimDueTargets({ worker: 'w', everyMs: 5_000, limit: 10 })).toMatchObject([
        { target: { id: APP }, service: { name: 'checkout' }, active: null },
      ]);
      expect(await store.claimDueTargets({ worker: 'w', everyMs: 5_000, limit: 10 })).toEqual([]);
      const { id } = await started();
      tick(5_000);
      expect(await store.claimDueTargets({ worker: 'w', everyMs: 5_000, limit: 10 })).toMatchObject([{ active: { id } }]);
      expect(await store.claimTarget(APP)).toMatchObject({ active: { id } });
      expect(await store.claimTarget(TargetId('nobody'))).toBeNull();
    });

    it('keeps weights and roles when it is configured again, and lets go of what is left out', async () => {
      const { id } = await started();
      await take(id, ready, { intents: [{ target: APP, secondShare: Weight(500) }] });
      await store.configure([{ name: 'checkout', slots: ['blue', 'green'] }], [{ ...spec, cell: 'us' }]);
      expect(await store.targets(null)).toMatchObject([{ cell: 'us', desiredSecond: 500, seq: 1 }]);
      expect(await store.service('checkout')).toMatchObject({ stableVersion: '1', stableSlot: 'blue' });
      await store.configure([], []);
      expect(await store.targets(null)).toEqual([]);
      expect((await load(id)).targets).toEqual([]);
      await store.configure([], [spec]);
      expect(await store.targets(null)).toMatchObject([{ desiredSecond: 500 }]);
    });

    it('puts a target that is added later on what is stable by then', async () => {
      await store.setStable('checkout', { slot: 'green', version: '2' }, audit);
      const later = { ...spec, id: TargetId('checkout/flags/app'), router: 'flags' };
      await store.configure([{ name: 'checkout', slots: ['blue', 'green'] }], [later]);
      expect(await store.targets(null)).toMatchObject([{ id: later.id, desiredSecond: 10_000, seq: 0 }]);
    });

    it('says which version is stable, and of an unknown service nothing', async () => {
      expect(await store.setStable('checkout', { slot: 'green', version: '7' }, audit)).toMatchObject({
        stableSlot: 'green',
        stableVersion: '7',
      });
      expect(await store.setStable('nobody', { slot: null, version: '7' }, audit)).toBeNull();
      expect((await store.services()).map(({ name: each }) => each)).toEqual(['checkout', 'search']);
    });

    it('sets what is stable only while it is as it was seen, and tells every version of a service apart', async () => {
      const at = async () => (await store.service('checkout'))?.updatedAt;
      const set = (version: string, expect: Instant | null) =>
        store.setStable('checkout', { slot: null, version, expect }, audit);
      const before = await at();
      if (!before) throw new Error('checkout is there');
      expect(await set('2', before)).toMatchObject({ stableVersion: '2' });
      expect(await set('3', before)).toBeNull();
      expect(await at()).toBeGreaterThan(before);
      expect((await store.service('checkout'))?.stableVersion).toBe('2');
    });

    it('keeps every version of a plan, and no new one for the same text', async () => {
      const save = async (document: string, expect?: number) => {
        const saved = await store.savePlan({ name: 'p', service: 'checkout', document, expect: expect ?? null }, audit);
        return saved.ok ? saved.value.version : saved.error.kind;
      };
      expect([await save('a'), await save('a'), await save('b', 1), await save('c', 1)]).toEqual([1, 1, 2, 'stale']);
      expect([
        (await store.plan('p', null))?.document,
        (await store.plan('p', 1))?.document,
        await store.plan('p', 9),
        await store.plan('q', null),
      ]).toEqual(['b', 'a', null, null]);
      await store.savePlan({ name: 'a', service: 'checkout', document: 'x' }, audit);
      const first = await store.plans({ limit: 1, cursor: null });
      expect([first.rows[0]?.name, first.next]).toEqual(['a', 'a']);
      expect(
        (await store.plans({ limit: 5, cursor: first.next })).rows.map(({ name: each, version }) => [each, version]),
      ).toEqual([['p', 2]]);
    });

    it('lists releases from the newest, page by page, though several were made in the same instant', async () => {
      const ids: ReleaseId[] = [];
      for (let n = 0; n < 5; n++) {
        const { id } = await started();
        await take(id, rollback);
        ids.push(id);
      }
      const seen: string[] = [];
      for (let cursor: string | null = null; ;) {
        const page = await store.releases({ service: 'checkout', phases: null, limit: 2, cursor });
        seen.push(...page.rows.map(({ release }) => release.id));
        if (page.next === null) break;
        cursor = page.next;
      }
      expect(seen).toEqual(ids.toSorted().toReversed());
      expect((await store.releases({ service: null, phases: ['promoted'], limit: 5, cursor: null })).rows).toEqual([]);
      expect((await store.releases({ service: null, phases: ['rolledBack'], limit: 5, cursor: 'rubbish' })).rows).toHaveLength(5);
      expect((await store.releases({ service: 'search', phases: null, limit: 5, cursor: null })).rows).toEqual([]);
    });

    it('finds releases by a part of their service, version or id, whatever the case', async () => {
      const { id, next } = await started();
      const { version } = next;
      await take(id, rollback);
      const other = await started();
      const found = async (text: string): Promise<readonly string[]> =>
        (await store.releases({ service: null, phases: null, search: text, limit: 5, cursor: null })).rows.map(
          ({ release }) => release.id,
        );
      expect((await found('CHECK')).toSorted()).toEqual([id, other.id].toSorted());
      expect((await found(version)).toSorted()).toEqual([id, other.id].toSorted());
      expect(await found(id.toLowerCase())).toEqual([id]);
      expect(await found('no such thing')).toEqual([]);
      expect(await found('%')).toEqual([]);
      const running = await store.releases({
        service: null,
        phases: ['queued', 'starting'],
        search: 'check',
        limit: 5,
        cursor: null,
      });
      expect(running.rows.map(({ release }) => release.id)).toEqual([other.id]);
    });

    it('numbers all events as they were committed, for readers who come back', async () => {
      const { id } = await started();
      await take(id, ready);
      const all = await store.events({ afterPosition: 0, limit: 100 });
      expect(all.map(({ event }) => event.seq)).toEqual([1, 2, 3]);
      expect(await store.lastPosition()).toBe(all.at(-1)?.position);
      expect((await store.events({ afterPosition: all[0]?.position ?? 0, limit: 1 }))[0]?.event.seq).toBe(2);
      const first = await store.releaseEvents(id, { afterSeq: 0, limit: 2 });
      expect([first.rows.length, first.next]).toEqual([2, 2]);
      expect((await store.releaseEvents(id, { afterSeq: 2, limit: 2 })).next).toBeNull();
    });

    it('hands out one event per notifier and subject, in order, again after a retry, and goes on after one was parked', async () => {
      const { id } = await started({ notify: ['book', 'pager'] });
      const claim = async () =>
        (await store.claimOutbox({ worker: 'w', leaseMs: 1_000, limit: 10 })).map(
          (row) => `${row.notifier} ${row.event.seq} ${row.attempts}`,
        );
      const seqOf = async (notifier: string, seq: number) =>
        (await store.deliveries({ limit: 50, before: null })).rows.find(
          (row) => row.notifier === notifier && row.eventId === `${id}/${seq}`,
        )?.seq ?? 0;
      expect(await claim()).toEqual(['book 1 0', 'pager 1 0']);
      expect(await claim()).toEqual([]);
      await store.settle({ seq: await seqOf('book', 1), outcome: { kind: 'delivered' } });
      await store.settle({
        seq: await seqOf('pager', 1),
        outcome: { kind: 'retry', at: after(Instant(nowMs), 500), detail: 'busy', counts: true },
      });
      expect(await claim()).toEqual(['book 2 0']);
      tick(500);
      expect(await claim()).toEqual(['pager 1 1']);
      await store.settle({ seq: await seqOf('pager', 1), outcome: { kind: 'parked', detail: 'gone' } });
      expect(await claim()).toEqual(['pager 2 0']);
      tick(1_000);
      expect(await claim()).toEqual(['book 2 0', 'pager 2 0']);
      expect((await store.deliveries({ limit: 50, before: null })).rows.filter(({ state }) => state !== 'pending')).toMatchObject(
        [
          { notifier: 'pager', state: 'parked', detail: 'gone', attempts: 2 },
          { notifier: 'book', state: 'delivered', attempts: 1 },
        ],
      );
    });

    it('counts what is under way: releases that stand alike together, and the oldest row that each notifier waits for', async () => {
      expect(await store.tally()).toEqual({ releases: [], outbox: [] });
      const first = await started({ notify: ['book', 'pager'] });
      tick(1_000);
      const ended = await started({ service: 'search' });
      await take(ended.id, rollback);
      const alike = { service: 'checkout', phase: 'queued', hold: null, unverified: false, quarantined: false };
      await started({ behind: first.id });
      await started({ behind: first.id });
      expect((await store.tally()).releases).toHaveLength(2);
      expect((await store.tally()).releases).toEqual(
        expect.arrayContaining([
          { ...alike, phase: 'starting', count: 1 },
          { ...alike, count: 2 },
        ]),
      );
      await take(first.id, { kind: 'prepared', failure: { reason: 'preflight', detail: 'no such slot' } }, { notify: ['book'] });
      await take(first.id, { kind: 'crashed', error: 'a bug' });
      expect((await store.tally()).releases).toContainEqual({
        ...alike,
        phase: 'starting',
        hold: 'preflight',
        quarantined: true,
        count: 1,
      });
      const waiting = async () => (await store.tally()).outbox.toSorted((a, b) => (a.notifier < b.notifier ? -1 : 1));
      expect(await waiting()).toEqual([
        { notifier: 'book', pending: 3, oldestAt: NOON },
        { notifier: 'pager', pending: 2, oldestAt: NOON },
      ]);
      for (const { seq } of (await store.deliveries({ limit: 50, before: null })).rows.filter(
        (row) => row.eventId.startsWith(`${first.id}/`) && Number(row.eventId.split('/')[1]) <= 2,
      ))
        await store.settle({ seq, outcome: { kind: 'delivered' } });
      expect(await waiting()).toEqual([{ notifier: 'book', pending: 1, oldestAt: NOON + 1_000 }]);
    });

    it('forgets what is old and over, and nothing that runs, waits, or is audit', async () => {
      const old = await started({ notify: ['book'] });
      await take(old.id, rollback);
      const running = await started();
      const entries = (await store.audit({ limit: 50, before: null })).rows.length;
      tick(HOUR);
      expect(await store.retain(Instant(nowMs))).toBeGreaterThan(0);
      expect((await store.releaseEvents(old.id, { afterSeq: 0, limit: 5 })).rows).toEqual([]);
      expect((await store.releaseEvents(running.id, { afterSeq: 0, limit: 5 })).rows).toHaveLength(2);
      expect((await store.deliveries({ limit: 5, before: null })).rows).toHaveLength(2);
      expect((await store.audit({ limit: 50, before: null })).rows).toHaveLength(entries);
      expect((await store.release(old.id))?.release.phase.kind).toBe('rolledBack');
    });

    it('pages the audit from the newest', async () => {
      for (let n = 0; n < 4; n++)
        await store.setStable('checkout', { slot: null, version: `${n}` }, { ...audit, subject: `s${n}` });
      const first = await store.audit({ limit: 3, before: null });
      expect(first.rows.map(({ subject }) => subject)).toEqual(['s3', 's2', 's1']);
      expect((await store.audit({ limit: 3, before: first.next })).rows[0]?.subject).toBe('s0');
    });

    it('finds the rows of the audit that say a text, in any of the places that people write to', async () => {
      const write = (version: string, more: Partial<typeof audit> | { readonly reason: string }) =>
        store.setStable('checkout', { slot: null, version }, { ...audit, ...more });
      await write('1', { actor: 'Bert' });
      await write('2', { action: 'service.stable' });
      await write('3', { subject: 'bertha' });
      await write('4', { reason: 'as BERT said: 100 %_' });
      const found = async (text: string, before: number | null = null) =>
        (await store.audit({ limit: 2, before, text })).rows.map(({ actor, action, subject }) => `${actor} ${action} ${subject}`);
      expect(await found('bert')).toEqual(['ann test x', 'ann test bertha']);
      expect(await found('.STABLE')).toEqual(['ann service.stable x']);
      expect(await found('%_')).toHaveLength(1);
      expect(await found('_')).toHaveLength(1);
      const first = await store.audit({ limit: 2, before: null, text: 'bert' });
      expect(await found('bert', first.next)).toEqual(['Bert test x']);
    });

    it('lets one of two workers win a race, whoever that is', async () => {
      const { id } = await started();
      const [one, two] = [await load(id), await load(id)];
      const results = await Promise.all(
        [one, two].map((claimed) => store.commit(commitOf(claimed, decide(claimed.release, ready, Instant(nowMs))))),
      );
      expect(results.map(({ ok }) => ok).toSorted()).toEqual([false, true]);
      expect((await store.releaseEvents(id, { afterSeq: 0, limit: 10 })).rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    });

    it('answers and tells its time', async () => {
      await store.ping();
      expect(await store.now()).toBe(nowMs);
    });
  });
}
