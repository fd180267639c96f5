/** The outbox in memory: one queue per notifier and subject, of which only the head may be sent. */
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { after, Instant } from '../domain/ids.ts';
import type { DeliveryView, EndpointState, Failing, OutboxRow, Store, Tally } from '../ports/store.ts';
import type { MemoryAnswers } from './memory-answers.ts';
import { page } from './page.ts';
import { subjectOf } from './rows.ts';

type Row = OutboxRow & {
  readonly dueAt: Instant;
  readonly leaseUntil: Instant;
  readonly state: DeliveryView['state'];
  readonly detail: string | null;
  readonly settledAt: Instant | null;
};

type Book = {
  readonly now: () => Instant;
  readonly rows: Map<number, Row>;
  readonly queues: Map<string, number[]>;
  readonly off: Map<string, { readonly at: Instant; readonly reason: string }>;
  lastSeq: number;
};

type Methods = 'claimOutbox' | 'settle' | 'deliveries' | 'delivery' | 'endpoints' | 'enableEndpoint' | 'requeue';

export function memoryOutbox(
  now: () => Instant,
  audited: (entry: Parameters<Store['writeAudit']>[0]) => void,
  answers: Pick<MemoryAnswers, 'has' | 'keep'>,
) {
  const book: Book = { now, rows: new Map(), queues: new Map(), off: new Map(), lastSeq: 0 };
  const { rows, queues } = book;
  const methods: Pick<Store, Methods> = {
    async claimOutbox({ leaseMs, limit }) {
      const at = now();
      const heads = [...queues.values()]
        .flatMap((queue) => rows.get(queue[0] ?? 0) ?? [])
        .filter((row) => row.dueAt <= at && row.leaseUntil <= at);
      return heads
        .toSorted((a, b) => a.seq - b.seq)
        .slice(0, limit)
        .map((row) => {
          rows.set(row.seq, { ...row, leaseUntil: after(at, leaseMs) });
          return row;
        });
    },
    settle: async (delivery) => settle(book, delivery),
    async deliveries({ limit, before, notifier, state, subject }) {
      const shown = [...rows.values()].filter(
        (row) =>
          (before === null || row.seq < before) &&
          (notifier === undefined || row.notifier === notifier) &&
          (state === undefined || row.state === state) &&
          (subject === undefined || row.subject === subject),
      );
      return page(shown.toReversed().map(viewOf), limit, ({ seq }) => seq);
    },
    async delivery(seq) {
      const row = rows.get(seq);
      return row ? viewOf(row) : null;
    },
    endpoints: async (notifiers) => notifiers.toSorted().map((notifier) => standing(book, notifier)),
    async enableEndpoint(notifier, entry) {
      book.off.delete(notifier);
      for (const row of rows.values())
        if (row.notifier === notifier && row.state === 'pending') rows.set(row.seq, { ...row, dueAt: now() });
      audited(entry);
    },
    async requeue(requeue, entry, once) {
      if (answers.has(once)) return [];
      const seqs = chosen(book, requeue).map(({ event, notifier }) => again(book, event, notifier));
      audited(entry);
      if (seqs.length > 0) answers.keep(once, seqs);
      return seqs;
    },
  };
  return {
    methods,
    /** When the head of each queue may be sent. */
    dueTimes: (): readonly Instant[] =>
      [...queues.values()].flatMap((queue) => {
        const row = rows.get(queue[0] ?? 0);
        return row ? [row.dueAt < row.leaseUntil ? row.leaseUntil : row.dueAt] : [];
      }),
    tally: () => waiting([...queues.values()].flat().flatMap((seq) => rows.get(seq) ?? [])),
    add(event: ReleaseEvent | TargetEvent, notify: readonly string[]): void {
      for (const notifier of notify) enqueue(book, event, notifier);
    },
    retain(olderThan: Instant): number {
      const old = [...rows.values()].filter((row) => row.state !== 'pending' && row.createdAt < olderThan);
      for (const { seq } of old) rows.delete(seq);
      return old.length;
    },
  };
}

function enqueue(book: Book, event: ReleaseEvent | TargetEvent, notifier: string): number {
  const { now, rows, queues, off } = book;
  book.lastSeq += 1;
  const seq = book.lastSeq;
  const at = now();
  const reason = off.get(notifier)?.reason;
  const row: Row = {
    seq,
    notifier,
    subject: subjectOf(event),
    event,
    attempts: 0,
    createdAt: at,
    dueAt: at,
    leaseUntil: Instant(0),
    state: reason === undefined ? 'pending' : 'parked',
    detail: reason === undefined ? null : disabled(reason),
    settledAt: reason === undefined ? null : at,
  };
  rows.set(seq, row);
  if (row.state === 'parked') return seq;
  const queue = queues.get(keyOf(row));
  if (queue) queue.push(seq);
  else queues.set(keyOf(row), [seq]);
  return seq;
}

const disabled = (reason: string): string => `not tried, the endpoint is disabled: ${reason}`;

function settle({ now, rows, queues, off }: Book, { seq, outcome }: Parameters<Store['settle']>[0]): void {
  const row = rows.get(seq);
  if (!row || row.state !== 'pending') return;
  const free = { ...row, leaseUntil: Instant(0) };
  if (outcome.kind === 'retry') {
    const attempts = row.attempts + (outcome.counts ? 1 : 0);
    rows.set(seq, { ...free, attempts, dueAt: outcome.at, detail: outcome.detail });
    return;
  }
  const settled = { ...free, attempts: row.attempts + 1, settledAt: now() };
  const leave = ({ seq: left, ...at }: Row): void => {
    const rest = (queues.get(keyOf(at)) ?? []).filter((queued) => queued !== left);
    if (rest.length > 0) queues.set(keyOf(at), rest);
    else queues.delete(keyOf(at));
  };
  leave(row);
  if (outcome.kind === 'delivered') return void rows.set(seq, { ...settled, state: 'delivered', detail: null });
  rows.set(seq, { ...settled, state: 'parked', detail: outcome.detail });
  if (outcome.kind === 'parked') return;
  off.set(row.notifier, { at: now(), reason: outcome.detail });
  for (const other of rows.values()) {
    if (other.notifier !== row.notifier || other.state !== 'pending') continue;
    leave(other);
    rows.set(other.seq, {
      ...other,
      leaseUntil: Instant(0),
      state: 'parked',
      settledAt: now(),
      detail: disabled(outcome.detail),
    });
  }
}

function standing({ rows, off }: Book, notifier: string): EndpointState {
  const mine = [...rows.values()].filter((row) => row.notifier === notifier);
  const pending = mine.filter(({ state }) => state === 'pending');
  const down = off.get(notifier);
  const [oldest] = pending;
  return {
    notifier,
    disabledAt: down?.at ?? null,
    reason: down?.reason ?? null,
    pending: pending.length,
    oldestPendingAt: oldest?.createdAt ?? null,
    parked: mine.filter(({ state }) => state === 'parked').length,
    lastDeliveryAt: mine.findLast(({ state }) => state === 'delivered')?.settledAt ?? null,
    failing: oldest ? failingOf(oldest) : null,
  };
}

const failingOf = ({ createdAt: since, detail, attempts: tries, dueAt: nextAt }: Row): Failing | null =>
  detail === null ? null : { since, detail, tries, nextAt };

function chosen({ rows }: Book, requeue: Parameters<Store['requeue']>[0]): readonly Pick<Row, 'event' | 'notifier'>[] {
  if (requeue.kind === 'events') return requeue.events.map((event) => ({ event, notifier: requeue.notifier }));
  if (requeue.kind === 'row') {
    const row = rows.get(requeue.seq);
    return row && (row.state === 'delivered' || row.state === 'parked') ? [row] : [];
  }
  const { notifier, subject, limit } = requeue;
  return [...rows.values()]
    .filter((row) => row.notifier === notifier && row.state === 'parked' && (subject === null || row.subject === subject))
    .slice(0, limit);
}

function again(book: Book, event: ReleaseEvent | TargetEvent, notifier: string): number {
  for (const row of book.rows.values())
    if (row.notifier === notifier && row.state === 'parked' && row.event.id === event.id)
      book.rows.set(row.seq, { ...row, state: 'replaced' });
  return enqueue(book, event, notifier);
}

function waiting(rows: readonly Row[]): Tally['outbox'] {
  const byNotifier = Map.groupBy(
    rows.toSorted((a, b) => a.seq - b.seq),
    ({ notifier }) => notifier,
  );
  return [...byNotifier].flatMap(([notifier, [oldest, ...others]]) =>
    oldest ? [{ notifier, pending: 1 + others.length, oldestAt: oldest.createdAt }] : [],
  );
}

const keyOf = ({ notifier, subject }: Pick<Row, 'notifier' | 'subject'>): string => `${notifier} ${subject}`;

const viewOf = ({ seq, notifier, subject, event, state, dueAt, ...row }: Row): DeliveryView => ({
  seq,
  notifier,
  subject,
  eventId: event.id,
  type: event.type,
  state,
  attempts: row.attempts,
  detail: row.detail,
  createdAt: row.createdAt,
  dueAt: state === 'pending' ? dueAt : null,
  settledAt: row.settledAt,
});
