/** What every store promises of notifiers as receivers: disabled, enabled, queued again. Run by `store.test.ts` on each. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TargetEvent } from '../../src/domain/event.ts';
import { after, Instant, TargetId } from '../../src/domain/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import { NOON } from '../story.ts';
import type { OpenStore } from './store.suite.ts';

const spec = (name: string) => ({
  id: TargetId(name),
  service: 'checkout',
  router: 'edge',
  route: name,
  cell: 'eu',
  slots: ['blue', 'green'] as const,
  management: 'enforce' as const,
});
const audit = { actor: 'ann', action: 'webhook.test', subject: 'book', reason: null, data: {} };

export function outboxSuite(name: string, open: OpenStore): void {
  describe(`outbox of store ${name}`, () => {
    let nowMs = NOON as number;
    let store: Store;
    beforeEach(async () => {
      nowMs = NOON;
      store = await open(() => Instant(nowMs));
      await store.configure([{ name: 'checkout', slots: ['blue', 'green'] }], [spec('a'), spec('b')]);
    });
    afterEach(() => store.close());

    const eventOf = (target: string, seq: number): TargetEvent => ({
      id: `${target}/${seq}`,
      target: TargetId(target),
      service: 'checkout',
      seq,
      at: Instant(nowMs),
      sentence: `${target} is back`,
      type: 'target.back',
    });
    async function happens(target: string, seq: number, notify = ['book', 'pager']): Promise<void> {
      const events = [eventOf(target, seq)];
      const done = await store.updateTarget({ id: TargetId(target), seq: 0, change: {}, adopt: null, events, notify });
      expect(done.ok).toBe(true);
    }
    const claim = () => store.claimOutbox({ worker: 'w', leaseMs: 1_000, limit: 50 });
    const rows = async (filter = {}) =>
      (await store.deliveries({ limit: 50, before: null, ...filter })).rows
        .map(({ notifier, eventId, state }) => `${notifier} ${eventId} ${state}`)
        .toReversed();
    const of = async (notifier: string) => {
      const [state] = await store.endpoints([notifier]);
      if (!state) throw new Error(`${notifier} is not told of`);
      return state;
    };
    const deliverAll = async (): Promise<readonly string[]> => {
      const heard: string[] = [];
      for (let due = await claim(); due.length > 0; due = await claim())
        for (const row of due) {
          heard.push(`${row.notifier} ${row.event.id}`);
          await store.settle({ seq: row.seq, outcome: { kind: 'delivered' } });
        }
      return heard;
    };
    const goneAt = async (notifier: string): Promise<void> => {
      const row = (await claim()).find((each) => each.notifier === notifier);
      await store.settle({ seq: row?.seq ?? 0, outcome: { kind: 'gone', detail: 'it answered 410' } });
    };

    it('tells how each notifier stands, also one that never had anything', async () => {
      await happens('a', 1);
      nowMs += 500;
      await happens('a', 2, ['book']);
      const empty = { pending: 0, oldestPendingAt: null, parked: 0, lastDeliveryAt: null, failing: null };
      const nothing = { disabledAt: null, reason: null, ...empty };
      expect(await store.endpoints(['pager', 'book', 'none'])).toEqual([
        { ...nothing, notifier: 'book', pending: 2, oldestPendingAt: NOON },
        { ...nothing, notifier: 'none' },
        { ...nothing, notifier: 'pager', pending: 1, oldestPendingAt: NOON },
      ]);
      await deliverAll();
      expect(await of('book')).toEqual({ ...nothing, notifier: 'book', lastDeliveryAt: nowMs });
    });

    it('tells why the oldest that waits does not get through, until it does', async () => {
      await happens('a', 1, ['book']);
      nowMs += 500;
      await happens('a', 2, ['book']);
      expect((await of('book')).failing).toBeNull();
      const [row] = await claim();
      const nextAt = Instant(nowMs + 1_000);
      await store.settle({ seq: row?.seq ?? 0, outcome: { kind: 'retry', at: nextAt, detail: 'answered 500', counts: true } });
      expect(await of('book')).toMatchObject({
        pending: 2,
        failing: { since: NOON, detail: 'answered 500', tries: 1, nextAt },
      });
      await happens('b', 1, ['pager']);
      expect((await of('pager')).failing).toBeNull();
      nowMs += 1_000;
      await deliverAll();
      expect((await of('book')).failing).toBeNull();
    });

    it('counts a try that was one, and not one that was held back', async () => {
      await happens('a', 1, ['book']);
      const retry = async (counts: boolean) => {
        const [row] = await claim();
        await store.settle({ seq: row?.seq ?? 0, outcome: { kind: 'retry', at: Instant(nowMs), detail: 'busy', counts } });
        return row?.attempts;
      };
      expect([await retry(false), await retry(true), await retry(true)]).toEqual([0, 0, 1]);
      expect((await store.deliveries({ limit: 1, before: null })).rows[0]).toMatchObject({ attempts: 2, dueAt: nowMs });
    });

    it('disables who is gone: what waits for it is parked, and what comes later, for it alone', async () => {
      await happens('a', 1);
      await happens('a', 2);
      await happens('b', 1);
      await goneAt('book');
      await happens('b', 2);
      expect(await rows({ notifier: 'book' })).toEqual([
        'book a/1 parked',
        'book a/2 parked',
        'book b/1 parked',
        'book b/2 parked',
      ]);
      expect(await rows({ notifier: 'pager', state: 'pending' })).toHaveLength(4);
      expect(await of('book')).toMatchObject({ disabledAt: NOON, reason: 'it answered 410', pending: 0, parked: 4 });
      expect((await store.deliveries({ limit: 1, before: null, notifier: 'book' })).rows[0]?.detail).toContain('disabled');
      expect((await claim()).filter(({ notifier }) => notifier === 'book')).toEqual([]);
    });

    it('delivers again when it is enabled, and what was parked when that is asked for, in its order', async () => {
      for (const seq of [1, 2]) await happens('a', seq);
      await goneAt('book');
      await happens('b', 1);
      await store.enableEndpoint('book', audit);
      expect((await of('book')).disabledAt).toBeNull();
      await happens('b', 2);
      nowMs += 1_000;
      const again = { kind: 'parked', notifier: 'book', limit: 10 } as const;
      expect(await store.requeue({ ...again, subject: 'a' }, audit)).toHaveLength(2);
      expect(await store.requeue({ ...again, subject: null, limit: 1 }, audit)).toHaveLength(1);
      expect(await store.requeue({ ...again, subject: null }, audit)).toEqual([]);
      expect((await deliverAll()).filter((line) => line.startsWith('book'))).toEqual([
        'book b/2',
        'book a/1',
        'book a/2',
        'book b/1',
      ]);
      expect(await rows({ notifier: 'book', state: 'replaced' })).toHaveLength(3);
      expect((await of('book')).parked).toBe(0);
      const { rows: entries } = await store.audit({ limit: 50, before: null });
      expect(entries.filter(({ action }) => action === 'webhook.test')).toHaveLength(4);
    });

    it('makes what waits due at once when a notifier is enabled that was not disabled', async () => {
      await happens('a', 1, ['book']);
      const [row] = await claim();
      const at = after(Instant(nowMs), 3_600_000);
      await store.settle({ seq: row?.seq ?? 0, outcome: { kind: 'retry', at, detail: 'away', counts: true } });
      nowMs += 2_000;
      expect(await claim()).toEqual([]);
      await store.enableEndpoint('book', audit);
      expect(await claim()).toMatchObject([{ attempts: 1 }]);
    });

    it('queues a row again under the same event, whether it was delivered or parked, and no row that waits', async () => {
      await happens('a', 1, ['book']);
      const [first] = await claim();
      const seq = first?.seq ?? 0;
      expect(await store.requeue({ kind: 'row', seq }, audit)).toEqual([]);
      await store.settle({ seq, outcome: { kind: 'delivered' } });
      const [again = 0] = await store.requeue({ kind: 'row', seq }, audit);
      expect(await store.delivery(again)).toMatchObject({ eventId: 'a/1', state: 'pending', attempts: 0 });
      expect(await store.delivery(seq)).toMatchObject({ state: 'delivered' });
      await store.settle({ seq: again, outcome: { kind: 'parked', detail: 'no' } });
      expect(await store.requeue({ kind: 'row', seq: again }, audit)).toHaveLength(1);
      expect(await store.delivery(again)).toMatchObject({ state: 'replaced' });
      expect(await store.requeue({ kind: 'row', seq: again }, audit)).toEqual([]);
      expect(await store.delivery(9_999)).toBeNull();
    });

    it('queues once what is asked for twice under one key', async () => {
      await happens('a', 1, ['book']);
      const [first] = await claim();
      const again = { kind: 'row', seq: first?.seq ?? 0 } as const;
      const once = { principal: 'person:ann', key: 'k', digest: 'd', answer: (seqs: readonly number[]) => ({ seqs }) };
      expect(await store.requeue(again, audit, once)).toEqual([]);
      expect(await store.answered('person:ann', 'k')).toBeNull();
      await store.settle({ seq: again.seq, outcome: { kind: 'delivered' } });
      const seqs = await store.requeue(again, audit, once);
      expect(seqs).toHaveLength(1);
      expect(await store.answered('person:ann', 'k')).toEqual({ digest: 'd', answer: { seqs } });
      expect(await store.requeue(again, audit, once)).toEqual([]);
      expect((await store.deliveries({ limit: 10, before: null })).rows).toHaveLength(2);
    });

    it('queues events that a notifier never had, behind what waits', async () => {
      for (const seq of [1, 2, 3]) await happens('a', seq, ['book']);
      const events = (await store.events({ afterPosition: 0, limit: 10 })).map(({ event }) => event);
      expect(await store.requeue({ kind: 'events', notifier: 'pager', events: events.slice(1) }, audit)).toHaveLength(2);
      expect(await deliverAll()).toEqual(['book a/1', 'pager a/2', 'book a/2', 'pager a/3', 'book a/3']);
    });

    it('pages deliveries by notifier, state and subject', async () => {
      for (const seq of [1, 2, 3]) for (const target of ['a', 'b']) await happens(target, seq);
      expect(await rows({ subject: 'b', notifier: 'pager' })).toEqual([1, 2, 3].map((seq) => `pager b/${seq} pending`));
      expect(await rows({ state: 'delivered' })).toEqual([]);
      const seen: string[] = [];
      for (let before: number | null = null; ;) {
        const page = await store.deliveries({ limit: 2, before, subject: 'a' });
        seen.push(...page.rows.map(({ eventId, notifier }) => `${notifier} ${eventId}`));
        before = page.next;
        if (before === null) break;
      }
      expect(seen).toEqual(['pager a/3', 'book a/3', 'pager a/2', 'book a/2', 'pager a/1', 'book a/1']);
    });

    it('knows where an event stands, and that there is no such one', async () => {
      await happens('a', 1);
      await happens('b', 1);
      expect([await store.positionOf('a/1'), await store.positionOf('b/1')]).toEqual([1, 2]);
      for (const id of ['b/2', 'c/1', 'a', '', '/', 'a/x']) expect(await store.positionOf(id)).toBeNull();
    });
  });
}
