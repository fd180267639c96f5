/** Notifiers as receivers: how each stands, enabling one again, and queuing again what it missed or lost. */
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import type { ReleaseEvent, TargetEvent } from '../../domain/event.ts';
import { Instant } from '../../domain/ids.ts';
import type { EndpointState, Failing, Requeue, Store } from '../../ports/store.ts';
import { eventOf, instant, subjectOf } from '../rows.ts';
import type { SqliteContext } from './context.ts';
import { keepAnswer } from './answers.ts';
import { appendAudit } from './audit.ts';
import { writeUnlessStale } from './context.ts';
import { enqueue } from './outbox.ts';
import { endpoints, events, outbox } from './tables.ts';

type Methods = 'endpoints' | 'enableEndpoint' | 'requeue' | 'positionOf' | 'writeAudit';

export function endpointMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db } = ctx;
  return {
    endpoints: async (notifiers) => ctx.read(() => notifiers.toSorted().map((notifier) => standing(ctx, notifier))),
    enableEndpoint: async (notifier, entry) =>
      ctx.write(() => {
        db.delete(endpoints).where(eq(endpoints.notifier, notifier)).run();
        db.update(outbox)
          .set({ dueAtMs: ctx.now() })
          .where(and(eq(outbox.notifier, notifier), sql`state = 'pending'`))
          .run();
        appendAudit(ctx, entry);
      }),
    requeue: async (requeue, entry, once) =>
      writeUnlessStale<readonly number[]>(ctx, [], () => {
        const seqs = chosen(ctx, requeue).map(({ event, notifier }) => again(ctx, event, notifier));
        appendAudit(ctx, entry);
        if (seqs.length > 0) keepAnswer(ctx, once, seqs);
        return seqs;
      }),
    positionOf: async (eventId) => {
      const cut = eventId.lastIndexOf('/');
      const seq = Number(eventId.slice(cut + 1));
      if (!Number.isSafeInteger(seq)) return null;
      return ctx.read(
        () =>
          db
            .select({ position: events.position })
            .from(events)
            .where(and(eq(events.subject, eventId.slice(0, Math.max(0, cut))), eq(events.seq, seq)))
            .get()?.position ?? null,
      );
    },
    writeAudit: async (entry) => ctx.write(() => appendAudit(ctx, entry)),
  };
}

function standing({ db, queries }: SqliteContext, notifier: string): EndpointState {
  const of = eq(outbox.notifier, notifier);
  const off = queries.endpoint.get({ notifier });
  const waiting = db
    .select({ pending: sql<number>`count(*)`, first: sql<number | null>`min(${outbox.seq})` })
    .from(outbox)
    .where(and(of, sql`state = 'pending'`))
    .get();
  const parked = db
    .select({ n: sql<number>`count(*)` })
    .from(outbox)
    .where(and(of, sql`state = 'parked'`))
    .get();
  const last = db
    .select({ at: outbox.settledAtMs })
    .from(outbox)
    .where(and(of, eq(outbox.state, 'delivered')))
    .orderBy(sql`${outbox.seq} desc`)
    .limit(1)
    .get();
  const first = waiting?.first ?? null;
  const oldest = first === null ? null : (queries.waitingRow.get({ seq: first }) ?? null);
  return {
    notifier,
    disabledAt: instant(off?.disabledAtMs ?? null),
    reason: off?.reason ?? null,
    pending: waiting?.pending ?? 0,
    oldestPendingAt: instant(oldest?.createdAtMs ?? null),
    parked: parked?.n ?? 0,
    lastDeliveryAt: last?.at === null || last === undefined ? null : Instant(last.at),
    failing: oldest && failingOf(oldest),
  };
}

type Waiting = Pick<typeof outbox.$inferSelect, 'createdAtMs' | 'detail' | 'attempts' | 'dueAtMs'>;

const failingOf = ({ createdAtMs, detail, attempts, dueAtMs }: Waiting): Failing | null =>
  detail === null ? null : { since: Instant(createdAtMs), detail, tries: attempts, nextAt: Instant(dueAtMs) };

type Chosen = { readonly event: ReleaseEvent | TargetEvent; readonly notifier: string };

function chosen({ db }: SqliteContext, requeue: Requeue): readonly Chosen[] {
  if (requeue.kind === 'events') return requeue.events.map((event) => ({ event, notifier: requeue.notifier }));
  const rows = db.select({ event: outbox.event, notifier: outbox.notifier }).from(outbox);
  const found =
    requeue.kind === 'row'
      ? rows.where(and(eq(outbox.seq, requeue.seq), inArray(outbox.state, ['delivered', 'parked']))).all()
      : rows
          .where(
            and(
              eq(outbox.notifier, requeue.notifier),
              sql`state = 'parked'`,
              requeue.subject === null ? undefined : eq(outbox.subject, requeue.subject),
            ),
          )
          .orderBy(asc(outbox.seq))
          .limit(requeue.limit)
          .all();
  return found.map(({ event, notifier }) => ({ event: eventOf(event), notifier }));
}

function again(ctx: SqliteContext, event: ReleaseEvent | TargetEvent, notifier: string): number {
  ctx.db
    .update(outbox)
    .set({ state: 'replaced' })
    .where(
      and(
        eq(outbox.notifier, notifier),
        sql`state = 'parked'`,
        eq(outbox.subject, subjectOf(event)),
        sql`json_extract(${outbox.event}, '$.seq') = ${event.seq}`,
      ),
    )
    .run();
  return enqueue(ctx, event, notifier);
}
