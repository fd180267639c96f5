/** What others shall hear of: written with the event, sent afterwards, in order per notifier and subject. */
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { Instant } from '../../domain/ids.ts';
import type { DeliveryView, Store } from '../../ports/store.ts';
import { eventOf, instant } from '../rows.ts';
import { page } from '../page.ts';
import type { SqliteContext } from './context.ts';
import { outbox } from './tables.ts';

type Methods = 'claimOutbox' | 'settle' | 'deliveries';

export function outboxMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db, queries } = ctx;
  return {
    claimOutbox: async ({ leaseMs, limit }) => {
      if (ctx.read(() => queries.dueOutbox.all({ at: ctx.now(), limit: 1 })).length === 0) return [];
      return ctx.write(() =>
        queries.dueOutbox.all({ at: ctx.now(), limit }).map((row) => {
          queries.leaseOutbox.run({ seq: row.seq, until: ctx.now() + leaseMs });
          return {
            seq: row.seq,
            notifier: row.notifier,
            subject: row.subject,
            event: eventOf(row.event),
            attempts: row.attempts,
            createdAt: Instant(row.createdAtMs),
          };
        }),
      );
    },
    settle: async ({ seq, outcome }) =>
      void ctx.write(() => {
        const attempts = sql`${outbox.attempts} + 1`;
        const change =
          outcome.kind === 'retry'
            ? { attempts, dueAtMs: outcome.at, leaseUntilMs: 0, detail: outcome.detail }
            : {
                attempts,
                state: outcome.kind,
                leaseUntilMs: 0,
                settledAtMs: ctx.now(),
                detail: outcome.kind === 'parked' ? outcome.detail : null,
              };
        db.update(outbox)
          .set(change)
          .where(and(eq(outbox.seq, seq), eq(outbox.state, 'pending')))
          .run();
      }),
    deliveries: async ({ limit, before }) =>
      ctx.read(() => {
        const rows = db
          .select()
          .from(outbox)
          .where(before === null ? undefined : lt(outbox.seq, before))
          .orderBy(desc(outbox.seq))
          .limit(limit + 1)
          .all();
        return page(rows.map(viewOf), limit, (row) => row.seq);
      }),
  };
}

const viewOf = (row: typeof outbox.$inferSelect): DeliveryView => {
  const event = eventOf(row.event);
  return {
    seq: row.seq,
    notifier: row.notifier,
    subject: row.subject,
    eventId: event.id,
    type: event.type,
    state: row.state === 'delivered' || row.state === 'parked' ? row.state : 'pending',
    attempts: row.attempts,
    detail: row.detail,
    createdAt: Instant(row.createdAtMs),
    settledAt: instant(row.settledAtMs),
  };
};
