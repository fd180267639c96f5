/** What others shall hear of: written with the event, sent afterwards, in order per notifier and subject. */
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import type { ReleaseEvent, TargetEvent } from '../../domain/event.ts';
import { Instant } from '../../domain/ids.ts';
import type { Delivery, DeliveryState, DeliveryView, Store } from '../../ports/store.ts';
import { eventOf, instant, subjectOf } from '../rows.ts';
import { page } from '../page.ts';
import type { SqliteContext } from './context.ts';
import { endpoints, outbox } from './tables.ts';

type Methods = 'claimOutbox' | 'settle' | 'deliveries' | 'delivery';

/** One row per notifier; the number of the last one. What is for a disabled notifier is kept, and waits for people. */
export function enqueue(ctx: SqliteContext, event: ReleaseEvent | TargetEvent, notifier: string): number {
  const atMs = ctx.now();
  const off = ctx.queries.endpoint.get({ notifier });
  const isOff = off !== undefined && off.disabledAtMs !== null;
  return ctx.db
    .insert(outbox)
    .values({
      notifier,
      subject: subjectOf(event),
      event,
      state: isOff ? 'parked' : 'pending',
      attempts: 0,
      detail: isOff ? disabled(off.reason) : null,
      createdAtMs: atMs,
      dueAtMs: atMs,
      leaseUntilMs: 0,
      settledAtMs: isOff ? atMs : null,
    })
    .returning({ seq: outbox.seq })
    .get().seq;
}

const disabled = (reason: string | null): string => `not tried, the endpoint is disabled: ${reason ?? 'no reason is known'}`;

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
    settle: async (delivery) => void ctx.write(() => settle(ctx, delivery)),
    deliveries: async ({ limit, before, notifier, state, subject }) =>
      ctx.read(() => {
        const rows = db
          .select()
          .from(outbox)
          .where(
            and(
              before === null ? undefined : lt(outbox.seq, before),
              notifier === undefined ? undefined : eq(outbox.notifier, notifier),
              state === undefined ? undefined : eq(outbox.state, state),
              subject === undefined ? undefined : eq(outbox.subject, subject),
            ),
          )
          .orderBy(desc(outbox.seq))
          .limit(limit + 1)
          .all();
        return page(rows.map(viewOf), limit, (row) => row.seq);
      }),
    delivery: async (seq) =>
      ctx.read(() => {
        const row = db.select().from(outbox).where(eq(outbox.seq, seq)).get();
        return row ? viewOf(row) : null;
      }),
  };
}

function settle({ db, now }: SqliteContext, { seq, outcome }: Delivery): void {
  const atMs = now();
  const isMine = and(eq(outbox.seq, seq), eq(outbox.state, 'pending'));
  if (outcome.kind === 'retry') {
    const attempts = outcome.counts ? sql`${outbox.attempts} + 1` : sql`${outbox.attempts}`;
    db.update(outbox).set({ attempts, dueAtMs: outcome.at, leaseUntilMs: 0, detail: outcome.detail }).where(isMine).run();
    return;
  }
  const given = { attempts: sql`${outbox.attempts} + 1`, leaseUntilMs: 0, settledAtMs: atMs };
  if (outcome.kind === 'delivered') {
    db.update(outbox)
      .set({ ...given, state: 'delivered', detail: null })
      .where(isMine)
      .run();
    return;
  }
  const { detail } = outcome;
  const settled = db
    .update(outbox)
    .set({ ...given, state: 'parked', detail })
    .where(isMine)
    .returning({ notifier: outbox.notifier })
    .get();
  if (outcome.kind === 'parked' || !settled) return;
  const { notifier } = settled;
  const off = { disabledAtMs: atMs, reason: detail };
  db.insert(endpoints)
    .values({ notifier, ...off })
    .onConflictDoUpdate({ target: endpoints.notifier, set: off })
    .run();
  db.update(outbox)
    .set({ state: 'parked', leaseUntilMs: 0, settledAtMs: atMs, detail: disabled(detail) })
    .where(and(eq(outbox.notifier, notifier), sql`state = 'pending'`))
    .run();
}

const viewOf = (row: typeof outbox.$inferSelect): DeliveryView => {
  const event = eventOf(row.event);
  const state = stateOf(row.state);
  return {
    seq: row.seq,
    notifier: row.notifier,
    subject: row.subject,
    eventId: event.id,
    type: event.type,
    state,
    attempts: row.attempts,
    detail: row.detail,
    createdAt: Instant(row.createdAtMs),
    dueAt: state === 'pending' ? Instant(row.dueAtMs) : null,
    settledAt: instant(row.settledAtMs),
  };
};

const STATES: readonly DeliveryState[] = ['delivered', 'parked', 'replaced'];
const stateOf = (text: string): DeliveryState => STATES.find((state) => state === text) ?? 'pending';
