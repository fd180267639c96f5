/** What every store promises of webhooks that came in and of flags. Run by `inbox.test.ts` on each of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { after, Instant } from '../../src/domain/ids.ts';
import type { InboxPayload, StoredFlag } from '../../src/ports/inbox.ts';
import type { Store } from '../../src/ports/store.ts';
import { NOON } from '../story.ts';
import type { OpenStore } from './store.suite.ts';

const DAY = 86_400_000;
const audit = { actor: 'ann', action: 'webhook.retry', subject: 'inbox/1', reason: null, data: null };
const hook = (body: string): InboxPayload => ({ kind: 'webhook', body, encoding: 'utf8' });

export function inboxSuite(name: string, open: OpenStore): void {
  describe(`inbox ${name}`, () => {
    let nowMs: number;
    let store: Store;
    beforeEach(async () => {
      nowMs = NOON;
      store = await open(() => Instant(nowMs));
    });
    afterEach(() => store.close());
    const keep = (key: string, { source = 'ld', limit = 100 } = {}) =>
      store.keepWebhook({ source, key, payload: hook(`{"of":"${key}"}`), limit });
    const claim = () => store.claimInbox({ leaseMs: 10_000, limit: 10 });
    const shown = async (query: Partial<Parameters<Store['inbox']>[0]> = {}) =>
      store.inbox({ source: null, state: null, limit: 10, before: null, ...query });

    it('keeps each delivery of a source once, whatever became of it', async () => {
      expect(await keep('a')).toBe('kept');
      expect(await keep('a')).toBe('known');
      expect(await keep('a', { source: 'unleash' })).toBe('kept');
      const [row] = await claim();
      await store.settleInbox({ seq: row?.seq ?? 0, outcome: { kind: 'done', detail: 'nothing changed' } });
      expect(await keep('a')).toBe('known');
      expect((await shown({ source: 'ld' })).rows).toMatchObject([
        { key: 'a', state: 'done', detail: 'nothing changed', attempts: 1, settledAt: NOON, payload: hook('{"of":"a"}') },
      ]);
    });

    it('knows a delivery that was dropped for two years more, of its own source alone, and no look of ours', async () => {
      await keep('a');
      await store.keepWebhook({ source: 'ld', key: 'poll:1', payload: { kind: 'poll', flag: 'x' }, limit: 9 });
      await keep('waits');
      for (const { seq, key } of await claim())
        if (key !== 'waits') await store.settleInbox({ seq, outcome: { kind: 'done', detail: 'nothing changed' } });
      nowMs += 91 * DAY;
      await store.retain(Instant(nowMs - 90 * DAY));
      expect((await shown()).rows.map(({ key }) => key)).toEqual(['waits']);
      expect([await keep('a'), await keep('poll:1'), await keep('a', { source: 'unleash' })]).toEqual(['known', 'kept', 'kept']);
      nowMs += 2 * 365 * DAY;
      await store.retain(Instant(nowMs - 3 * 365 * DAY));
      expect(await keep('a')).toBe('kept');
    });

    it('keeps only so many of a source waiting, and knows a repetition even then', async () => {
      expect(await Promise.all(['a', 'b', 'c'].map((key) => keep(key, { limit: 2 })))).toEqual(['kept', 'kept', 'full']);
      expect(await keep('a', { limit: 2 })).toBe('known');
      expect(await keep('c', { source: 'unleash', limit: 2 })).toBe('kept');
      expect(await store.inboxTally()).toEqual([
        { source: 'ld', pending: 2 },
        { source: 'unleash', pending: 1 },
      ]);
      const [row] = await claim();
      await store.settleInbox({ seq: row?.seq ?? 0, outcome: { kind: 'parked', detail: 'unreadable' } });
      expect(await keep('c', { limit: 2 })).toBe('kept');
    });

    it('gives each row to one worker at a time, oldest first, and again when its lease is over', async () => {
      expect(await store.nextInboxAt()).toBeNull();
      await keep('a');
      nowMs += 5;
      await keep('b');
      expect(await store.nextInboxAt()).toBe(NOON);
      expect((await claim()).map(({ key }) => key)).toEqual(['a', 'b']);
      expect(await claim()).toEqual([]);
      expect(await store.nextInboxAt()).toBe(NOON + 10_005);
      nowMs += 10_000;
      expect((await claim()).map(({ key, attempts }) => [key, attempts])).toEqual([
        ['a', 0],
        ['b', 0],
      ]);
    });

    it('tries again when it was told to, and counts', async () => {
      await keep('a');
      const [row] = await claim();
      const at = after(Instant(nowMs), 2_000);
      await store.settleInbox({ seq: row?.seq ?? 0, outcome: { kind: 'retry', at, detail: 'ld: 503' } });
      expect(await claim()).toEqual([]);
      expect(await store.nextInboxAt()).toBe(at);
      nowMs += 2_000;
      expect(await claim()).toMatchObject([{ key: 'a', attempts: 1 }]);
      expect((await shown()).rows).toMatchObject([{ state: 'pending', detail: 'ld: 503' }]);
    });

    it('tries a parked row again when somebody asks, audited, and no other', async () => {
      await keep('a');
      const [row] = await claim();
      const seq = row?.seq ?? 0;
      expect(await store.retryInbox(seq, audit)).toBe(false);
      await store.settleInbox({ seq, outcome: { kind: 'parked', detail: 'no JSON' } });
      expect(await store.nextInboxAt()).toBeNull();
      expect(await store.retryInbox(seq, audit)).toBe(true);
      expect(await store.retryInbox(seq, audit)).toBe(false);
      expect(await store.retryInbox(999, audit)).toBe(false);
      expect((await store.audit({ limit: 9, before: null })).rows).toHaveLength(1);
      expect(await claim()).toMatchObject([{ key: 'a', attempts: 0 }]);
    });

    it('keeps the answer of a request with a key with what was done, and does it once', async () => {
      await keep('a');
      const [row] = await claim();
      const seq = row?.seq ?? 0;
      const once = { principal: 'person:ann', key: 'k', digest: 'd', answer: (done: boolean) => ({ done }) };
      expect(await store.retryInbox(seq, audit, once)).toBe(false);
      expect(await store.answered('person:ann', 'k')).toBeNull();
      await store.settleInbox({ seq, outcome: { kind: 'parked', detail: 'no JSON' } });
      expect(await store.retryInbox(seq, audit, once)).toBe(true);
      expect(await store.answered('person:ann', 'k')).toEqual({ digest: 'd', answer: { done: true } });
      const [again] = await claim();
      await store.settleInbox({ seq: again?.seq ?? 0, outcome: { kind: 'parked', detail: 'no JSON' } });
      expect(await store.retryInbox(seq, audit, once)).toBe(false);
      expect((await shown()).rows).toMatchObject([{ state: 'parked' }]);
      expect((await store.audit({ limit: 9, before: null })).rows).toHaveLength(1);
    });

    it('settles a row once: a worker that comes late changes nothing', async () => {
      await keep('a');
      const [row] = await claim();
      const seq = row?.seq ?? 0;
      await store.settleInbox({ seq, outcome: { kind: 'done', detail: 'told' } });
      await store.settleInbox({ seq, outcome: { kind: 'parked', detail: 'late' } });
      expect((await shown()).rows).toMatchObject([{ state: 'done', detail: 'told', attempts: 1 }]);
    });

    it('shows newest first, by page, source and state', async () => {
      for (const key of ['a', 'b', 'c']) await keep(key);
      await keep('d', { source: 'unleash' });
      const first = await shown({ source: 'ld', limit: 2 });
      expect(first.rows.map(({ key }) => key)).toEqual(['c', 'b']);
      const second = await shown({ source: 'ld', limit: 2, before: first.next });
      expect([second.rows.map(({ key }) => key), second.next]).toEqual([['a'], null]);
      expect((await shown({ state: 'parked' })).rows).toEqual([]);
      expect((await shown({ state: 'pending' })).rows).toHaveLength(4);
    });

    it('forgets what is settled and old, and never what waits', async () => {
      for (const key of ['a', 'b']) await keep(key);
      const [row] = await claim();
      await store.settleInbox({ seq: row?.seq ?? 0, outcome: { kind: 'done', detail: 'told' } });
      nowMs += 1_000;
      expect(await store.retain(Instant(nowMs))).toBe(1);
      expect((await shown()).rows.map(({ key }) => key)).toEqual(['b']);
    });

    it('keeps what is known of a flag, one row for each', async () => {
      const seen: StoredFlag = {
        source: 'ld',
        flag: 'checkout-v2',
        state: {
          exists: true,
          enabled: true,
          percent: 25,
          variations: { on: 25, off: 75 },
          revision: '7',
          updatedBy: 'ann',
          fingerprint: 'f7',
        },
        readAt: NOON,
        lookedAt: NOON,
        failure: null,
        change: null,
      };
      expect(await store.flag('ld', 'checkout-v2')).toBeNull();
      await store.saveFlag(seen);
      await store.saveFlag({ ...seen, source: 'a', flag: 'z' });
      expect(await store.flag('ld', 'checkout-v2')).toEqual(seen);
      const failing = { ...seen, lookedAt: after(NOON, 60_000), failure: 'ld: 503' };
      await store.saveFlag(failing);
      expect(await store.flags()).toEqual([{ ...seen, source: 'a', flag: 'z' }, failing]);
    });
  });
}
