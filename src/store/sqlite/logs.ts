/** What only ever grows: events, audit, measurements. */
import { and, asc, desc, eq, gt, inArray, isNotNull, lt, sql } from 'drizzle-orm';
import type { ReleaseEvent, TargetEvent } from '../../domain/event.ts';
import type { Instant } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import { page } from '../page.ts';
import { eventOf, isReleaseEvent, isTargetEvent, measurementOf, subjectOf } from '../rows.ts';
import { forgetAnswers } from './answers.ts';
import type { SqliteContext } from './context.ts';
import { dropInbox } from './inbox.ts';
import { enqueue } from './outbox.ts';
import { checkStates, events, measurements, pushed, outbox, releases, tokens } from './tables.ts';

export function appendEvents(
  ctx: SqliteContext,
  added: readonly (ReleaseEvent | TargetEvent)[],
  notify: readonly string[],
): void {
  for (const event of added) {
    const subject = subjectOf(event);
    ctx.db.insert(events).values({ subject, seq: event.seq, type: event.type, atMs: event.at, event }).run();
    for (const notifier of notify) enqueue(ctx, event, notifier);
  }
}

type Methods = 'releaseEvents' | 'targetEvents' | 'events' | 'lastPosition' | 'measurements' | 'retain';

export function logMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db } = ctx;
  const stream = (subject: string, afterSeq: number, limit: number) =>
    db
      .select({ event: events.event })
      .from(events)
      .where(and(eq(events.subject, subject), gt(events.seq, afterSeq)))
      .orderBy(asc(events.seq))
      .limit(limit + 1)
      .all()
      .map(({ event }) => eventOf(event));
  return {
    releaseEvents: async (id, { afterSeq, limit }) =>
      ctx.read(() => page(stream(id, afterSeq, limit).filter(isReleaseEvent), limit, (event) => event.seq)),
    targetEvents: async (id, { afterSeq, limit }) =>
      ctx.read(() => page(stream(id, afterSeq, limit).filter(isTargetEvent), limit, (event) => event.seq)),
    events: async ({ afterPosition, limit }) =>
      ctx.read(() =>
        db
          .select({ position: events.position, event: events.event })
          .from(events)
          .where(gt(events.position, afterPosition))
          .orderBy(asc(events.position))
          .limit(limit)
          .all()
          .map(({ position, event }) => ({ position, event: eventOf(event) })),
      ),
    lastPosition: async () =>
      ctx.read(
        () =>
          db
            .select({ last: sql<number>`coalesce(max(${events.position}), 0)` })
            .from(events)
            .get()?.last ?? 0,
      ),
    measurements: async (id, query) => ctx.read(() => measured(ctx, id, query)),
    retain: async (olderThan) => ctx.write(() => forgetAnswers(ctx) + retain(ctx, olderThan)),
  };
}

function measured({ db }: SqliteContext, ...[id, { check, limit, before }]: Parameters<Store['measurements']>) {
  const rows = db
    .select({ id: measurements.id, row: measurements.row })
    .from(measurements)
    .where(
      and(
        eq(measurements.release, id),
        check === null ? undefined : eq(measurements.check, check),
        before === null ? undefined : lt(measurements.id, before),
      ),
    )
    .orderBy(desc(measurements.id))
    .limit(limit + 1)
    .all();
  const found = page(rows, limit, (row) => row.id);
  return { ...found, rows: found.rows.map(({ row }) => measurementOf(row)) };
}

/** Running releases, undelivered rows and the audit are never touched. */
function retain(ctx: SqliteContext, olderThan: Instant): number {
  const { db } = ctx;
  const old = db
    .select({ id: releases.id })
    .from(releases)
    .where(and(eq(releases.ended, true), lt(releases.createdAtMs, olderThan)))
    .all()
    .map(({ id }) => id);
  let dropped = db
    .delete(outbox)
    .where(and(sql`state <> 'pending'`, lt(outbox.createdAtMs, olderThan)))
    .run().changes;
  dropped += db
    .delete(tokens)
    .where(and(isNotNull(tokens.parent), lt(tokens.expiresAtMs, olderThan)))
    .run().changes;
  dropped += dropInbox(ctx, olderThan);
  dropped += db.delete(pushed).where(lt(pushed.receivedAtMs, olderThan)).run().changes;
  for (const id of old) {
    dropped += db.delete(measurements).where(eq(measurements.release, id)).run().changes;
    dropped += db.delete(checkStates).where(eq(checkStates.release, id)).run().changes;
    dropped += db
      .delete(events)
      .where(and(inArray(events.subject, [id]), lt(events.atMs, olderThan)))
      .run().changes;
  }
  return dropped;
}
