/** What others shall hear of: written with the event, sent afterwards, in order per notifier and subject. */
import { and, asc, desc, eq, lt, lte, sql } from 'drizzle-orm';
import { Instant } from '../../domain/ids.ts';
import type { DeliveryView, Store } from '../../ports/store.ts';
import { eventOf, instant } from '../rows.ts';
import { page } from '../page.ts';
import type { SqliteContext } from './context.ts';
import { outbox } from './tables.ts';

type Methods = 'claimOutbox' | 'settle' | 'deliveries';

export function outboxMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db } = ctx;
  const heads = headsQuery(ctx);
  return {
    claimOutbox: async ({ leaseMs, limit }) => {
      if (ctx.read(() => heads.all({ at: ctx.now(), limit: 1 })).length === 0) return [];
      return ctx.write(() =>
        heads.all({ at: ctx.now(), limit }).map((row) => {
          db.update(outbox)
            .set({ leaseUntilMs: ctx.now() + leaseMs })
            .where(eq(outbox.seq, row.seq))
            .run();
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

/** The oldest unsettled row of its notifier and subject: the only one that may be sent. */
export const isHead = sql`state = 'pending' and not exists (select 1 from outbox older where older.state = 'pending' and older.notifier = ${outbox.notifier} and older.subject = ${outbox.subject} and older.seq < ${outbox.seq})`;

/** The heads that are due and not being sent. */
const headsQuery = ({ db }: SqliteContext) =>
  db
    .select()
    .from(outbox)
    .where(and(isHead, lte(outbox.dueAtMs, sql.placeholder('at')), lte(outbox.leaseUntilMs, sql.placeholder('at'))))
    .orderBy(asc(outbox.seq))
    .limit(sql.placeholder('limit'))
    .prepare();

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
