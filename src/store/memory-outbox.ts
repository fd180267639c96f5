/** The outbox in memory: one queue per notifier and subject, of which only the head may be sent. */
import type { ReleaseEvent, TargetEvent } from '../domain/event.ts';
import { after, Instant } from '../domain/ids.ts';
import type { DeliveryView, OutboxRow, Store, Tally } from '../ports/store.ts';
import { page } from './page.ts';
import { subjectOf } from './rows.ts';

type Row = OutboxRow & {
  readonly dueAt: Instant;
  readonly leaseUntil: Instant;
  readonly state: DeliveryView['state'];
  readonly detail: string | null;
  readonly settledAt: Instant | null;
};

export function memoryOutbox(now: () => Instant) {
  const rows = new Map<number, Row>();
  const queues = new Map<string, number[]>();
  let lastSeq = 0;
  const methods: Pick<Store, 'claimOutbox' | 'settle' | 'deliveries'> = {
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
    async settle({ seq, outcome }) {
      const row = rows.get(seq);
      if (!row || row.state !== 'pending') return;
      const tried = { ...row, attempts: row.attempts + 1, leaseUntil: Instant(0) };
      if (outcome.kind === 'retry') {
        rows.set(seq, { ...tried, dueAt: outcome.at, detail: outcome.detail });
        return;
      }
      rows.set(seq, {
        ...tried,
        state: outcome.kind,
        settledAt: now(),
        detail: outcome.kind === 'parked' ? outcome.detail : null,
      });
      const key = keyOf(row);
      const rest = (queues.get(key) ?? []).filter((queued) => queued !== seq);
      if (rest.length > 0) queues.set(key, rest);
      else queues.delete(key);
    },
    async deliveries({ limit, before }) {
      const shown = [...rows.values()].filter(({ seq }) => before === null || seq < before).toReversed();
      return page(shown.map(viewOf), limit, ({ seq }) => seq);
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
      for (const notifier of notify) {
        const seq = ++lastSeq;
        const row = pending(seq, notifier, event, now());
        rows.set(seq, row);
        const queue = queues.get(keyOf(row));
        if (queue) queue.push(seq);
        else queues.set(keyOf(row), [seq]);
      }
    },
    retain(olderThan: Instant): number {
      const old = [...rows.values()].filter((row) => row.state !== 'pending' && row.createdAt < olderThan);
      for (const { seq } of old) rows.delete(seq);
      return old.length;
    },
  };
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

const pending = (seq: number, notifier: string, event: ReleaseEvent | TargetEvent, at: Instant): Row => ({
  seq,
  notifier,
  subject: subjectOf(event),
  event,
  attempts: 0,
  createdAt: at,
  dueAt: at,
  leaseUntil: Instant(0),
  state: 'pending',
  detail: null,
  settledAt: null,
});

const keyOf = ({ notifier, subject }: Pick<Row, 'notifier' | 'subject'>): string => `${notifier} ${subject}`;

const viewOf = ({ seq, notifier, subject, event, state, attempts, detail, createdAt, settledAt }: Row): DeliveryView => ({
  seq,
  notifier,
  subject,
  eventId: event.id,
  type: event.type,
  state,
  attempts,
  detail,
  createdAt,
  settledAt,
});
