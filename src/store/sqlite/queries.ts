/** What every round of a loop and every tick asks, prepared once per connection: building a query costs more than running it. */
import { and, asc, eq, lte, sql } from 'drizzle-orm';
import type { Db } from './open.ts';
import { checkStates, endpoints, outbox, releases, services, targets } from './tables.ts';

const given = sql.placeholder;
/** A value that is set, where drizzle's types want the column's own. */
const set = (name: string) => sql`${given(name)}`;

/** The oldest unsettled row of its notifier and subject: the only one that may be sent. */
const isHead = sql`state = 'pending' and not exists (select 1 from outbox older where older.state = 'pending' and older.notifier = ${outbox.notifier} and older.subject = ${outbox.subject} and older.seq < ${outbox.seq})`;

const ofReleases = (db: Db) => ({
  service: db
    .select()
    .from(services)
    .where(eq(services.name, given('name')))
    .prepare(),
  release: db
    .select()
    .from(releases)
    .where(eq(releases.id, given('id')))
    .prepare(),
  /** The release that moves the service now. */
  active: db
    .select()
    .from(releases)
    .where(and(eq(releases.service, given('service')), sql`ended = 0 and phase <> 'queued'`))
    .prepare(),
  checkStates: db
    .select({ row: checkStates.row })
    .from(checkStates)
    .where(eq(checkStates.release, given('release')))
    .prepare(),
  dueReleases: db
    .select()
    .from(releases)
    .where(and(sql`ended = 0`, lte(releases.dueAtMs, given('at')), lte(releases.leaseUntilMs, given('at'))))
    .orderBy(asc(releases.dueAtMs))
    .limit(given('limit'))
    .prepare(),
  leaseRelease: db
    .update(releases)
    .set({ leaseWorker: set('worker'), leaseUntilMs: set('until') })
    .where(eq(releases.id, given('id')))
    .prepare(),
  yieldLease: db
    .update(releases)
    .set({ leaseWorker: null, leaseUntilMs: 0, dueAtMs: set('dueAt') })
    .where(and(eq(releases.id, given('id')), eq(releases.leaseWorker, given('worker'))))
    .prepare(),
  nextRelease: db
    .select({ at: sql<number | null>`min(max(${releases.dueAtMs}, ${releases.leaseUntilMs}))` })
    .from(releases)
    .where(sql`ended = 0`)
    .prepare(),
  standings: db
    .select({
      service: releases.service,
      phase: releases.phase,
      hold: sql<string | null>`json_extract(state, '$.hold.reason')`,
      unverified: sql<number>`json_extract(state, '$.unverified')`,
      quarantined: sql<number>`json_extract(state, '$.quarantined') is not null`,
      count: sql<number>`count(*)`,
    })
    .from(releases)
    .where(sql`ended = 0`)
    .groupBy(sql`1, 2, 3, 4, 5`)
    .prepare(),
});

const ofTargets = (db: Db) => ({
  /** One that is managed. */
  target: db
    .select()
    .from(targets)
    .where(and(eq(targets.id, given('id')), eq(targets.managed, true)))
    .prepare(),
  dueTargets: db
    .select()
    .from(targets)
    .where(and(eq(targets.managed, true), lte(targets.dueAtMs, given('at'))))
    .orderBy(asc(targets.dueAtMs))
    .limit(given('limit'))
    .prepare(),
  deferTarget: db
    .update(targets)
    .set({ dueAtMs: set('dueAt') })
    .where(eq(targets.id, given('id')))
    .prepare(),
  nextTarget: db
    .select({ at: sql<number | null>`min(${targets.dueAtMs})` })
    .from(targets)
    .where(eq(targets.managed, true))
    .prepare(),
});

const ofOutbox = (db: Db) => ({
  /** The heads that are due and not being sent. */
  dueOutbox: db
    .select()
    .from(outbox)
    .where(and(isHead, lte(outbox.dueAtMs, given('at')), lte(outbox.leaseUntilMs, given('at'))))
    .orderBy(asc(outbox.seq))
    .limit(given('limit'))
    .prepare(),
  leaseOutbox: db
    .update(outbox)
    .set({ leaseUntilMs: set('until') })
    .where(eq(outbox.seq, given('seq')))
    .prepare(),
  nextOutbox: db
    .select({ at: sql<number | null>`min(max(${outbox.dueAtMs}, ${outbox.leaseUntilMs}))` })
    .from(outbox)
    .where(isHead)
    .prepare(),
  /** Answered by the index alone. */
  waiting: db
    .select({
      notifier: outbox.notifier,
      pending: sql<number>`count(*)`,
      first: sql<number>`min(${outbox.seq})`,
    })
    .from(outbox)
    .where(sql`state = 'pending'`)
    .groupBy(outbox.notifier)
    .prepare(),
  /** Notifiers that are, or were, not delivered to. */
  endpoint: db
    .select()
    .from(endpoints)
    .where(eq(endpoints.notifier, given('notifier')))
    .prepare(),
  waitingRow: db
    .select({
      createdAtMs: outbox.createdAtMs,
      detail: outbox.detail,
      attempts: outbox.attempts,
      dueAtMs: outbox.dueAtMs,
    })
    .from(outbox)
    .where(eq(outbox.seq, given('seq')))
    .prepare(),
});

export const queries = (db: Db) => ({ ...ofReleases(db), ...ofTargets(db), ...ofOutbox(db) });

export type Queries = ReturnType<typeof queries>;
