/** Webhooks that came in and what is known of flags, in memory. */
import { after, Instant } from '../domain/ids.ts';
import { SEEN_KEPT_MS } from '../ports/inbox.ts';
import type { InboxRow, InboxStore, InboxView, StoredFlag } from '../ports/inbox.ts';
import type { AuditEntry } from '../ports/store.ts';
import type { MemoryAnswers } from './memory-answers.ts';
import { page } from './page.ts';

type Row = InboxView & { readonly leaseUntil: Instant };

type MemoryInbox = { readonly methods: InboxStore; retain(olderThan: Instant): number };

export function memoryInbox(
  now: () => Instant,
  audited: (entry: AuditEntry) => void,
  answers: Pick<MemoryAnswers, 'has' | 'keep'>,
): MemoryInbox {
  const rows = new Map<number, Row>();
  const dropped = droppedWebhooks(now);
  let lastSeq = 0;
  const ofState = (state: InboxView['state']): readonly Row[] => [...rows.values()].filter((row) => row.state === state);
  const incoming: Pick<InboxStore, 'keepWebhook' | 'inbox' | 'retryInbox' | 'inboxTally'> = {
    async keepWebhook({ source, key, payload, limit }) {
      if ([...rows.values()].some((row) => row.source === source && row.key === key)) return 'known';
      if (dropped.has(source, key)) return 'known';
      if (limit <= ofState('pending').filter((row) => row.source === source).length) return 'full';
      const seq = ++lastSeq;
      const fresh = { attempts: 0, state: 'pending', detail: null, receivedAt: now(), dueAt: now(), settledAt: null } as const;
      rows.set(seq, { seq, source, key, payload, ...fresh, leaseUntil: Instant(0) });
      return 'kept';
    },
    async inbox({ source, state, limit, before }) {
      const found = [...rows.values()].filter(
        (row) =>
          (source === null || row.source === source) &&
          (state === null || row.state === state) &&
          (before === null || row.seq < before),
      );
      return page(found.toReversed().map(viewOf), limit, ({ seq }) => seq);
    },
    async retryInbox(seq, audit, once) {
      const row = rows.get(seq);
      if (row?.state !== 'parked' || answers.has(once)) return false;
      rows.set(seq, { ...row, state: 'pending', attempts: 0, dueAt: now(), leaseUntil: Instant(0), settledAt: null });
      audited(audit);
      answers.keep(once, true);
      return true;
    },
    inboxTally: async () => tallies(ofState('pending')),
  };
  const working: Pick<InboxStore, 'claimInbox' | 'settleInbox' | 'nextInboxAt'> = {
    async claimInbox({ leaseMs, limit }) {
      const at = now();
      const due = ofState('pending').filter((row) => row.dueAt <= at && row.leaseUntil <= at);
      const claimed = due.toSorted((a, b) => a.dueAt - b.dueAt || a.seq - b.seq).slice(0, limit);
      for (const row of claimed) rows.set(row.seq, { ...row, leaseUntil: after(at, leaseMs) });
      return claimed.map(rowOf);
    },
    async settleInbox({ seq, outcome }) {
      const row = rows.get(seq);
      if (row?.state !== 'pending') return;
      const tried = { ...row, attempts: row.attempts + 1, leaseUntil: Instant(0), detail: outcome.detail };
      if (outcome.kind === 'retry') rows.set(seq, { ...tried, dueAt: outcome.at });
      else rows.set(seq, { ...tried, state: outcome.kind, settledAt: now() });
    },
    nextInboxAt: async () =>
      ofState('pending')
        .map(openAt)
        .toSorted((a, b) => a - b)[0] ?? null,
  };
  return {
    methods: { ...incoming, ...working, ...memoryFlags() },
    retain(olderThan) {
      const old = [...rows.values()].filter((row) => row.state !== 'pending' && row.receivedAt < olderThan);
      for (const { seq } of old) rows.delete(seq);
      return old.length + dropped.add(old);
    },
  };
}

function tallies(waiting: readonly Row[]) {
  const bySource = [...Map.groupBy(waiting, ({ source }) => source)];
  const counted = bySource.map(([source, rows]) => ({ source, pending: rows.length }));
  return counted.toSorted((a, b) => (a.source < b.source ? -1 : 1));
}

/** When it is to be worked on, by whoever comes then. */
const openAt = ({ dueAt, leaseUntil }: Row): Instant => (dueAt < leaseUntil ? leaseUntil : dueAt);

/** Known again when they are repeated, for long after. */
function droppedWebhooks(now: () => Instant) {
  const seen = new Map<string, Instant>();
  const nameOf = (source: string, key: string): string => JSON.stringify([source, key]);
  return {
    has: (source: string, key: string): boolean => seen.has(nameOf(source, key)),
    /** How many are forgotten for that. */
    add(rows: readonly InboxRow[]): number {
      for (const { source, key, payload, receivedAt } of rows)
        if (payload.kind === 'webhook') seen.set(nameOf(source, key), receivedAt);
      const old = [...seen].filter(([, at]) => at < now() - SEEN_KEPT_MS);
      for (const [name] of old) seen.delete(name);
      return old.length;
    },
  };
}

function memoryFlags(): Pick<InboxStore, 'saveFlag' | 'flag' | 'flags'> {
  const stored = new Map<string, StoredFlag>();
  const keyOf = (source: string, flag: string): string => JSON.stringify([source, flag]);
  return {
    saveFlag: async (row) => void stored.set(keyOf(row.source, row.flag), row),
    flag: async (source, flag) => stored.get(keyOf(source, flag)) ?? null,
    flags: async () =>
      [...stored.values()].toSorted((a, b) =>
        a.source === b.source ? (a.flag < b.flag ? -1 : 1) : a.source < b.source ? -1 : 1,
      ),
  };
}

const rowOf = ({ seq, source, key, payload, attempts, receivedAt }: InboxRow): InboxRow => ({
  seq,
  source,
  key,
  payload,
  attempts,
  receivedAt,
});

const viewOf = ({ state, detail, dueAt, settledAt, ...row }: Row): InboxView => ({
  ...rowOf(row),
  state,
  detail,
  dueAt,
  settledAt,
});
