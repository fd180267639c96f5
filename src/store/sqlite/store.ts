/**
 * The embedded store: drizzle on better-sqlite3, one file, one writer. Every method is one synchronous transaction; the
 * promises are the port's, for stores that need them.
 */
import { sql } from 'drizzle-orm';
import type { Instant } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import { auditMethods, chainOldRows } from './audit.ts';
import { sqliteContext } from './context.ts';
import { answerMethods } from './answers.ts';
import { endpointMethods } from './endpoints.ts';
import { inboxMethods } from './inbox.ts';
import { keyMethods } from './keys.ts';
import { leaseMethods } from './leases.ts';
import { logMethods } from './logs.ts';
import { openDatabase } from './open.ts';
import { outboxMethods } from './outbox.ts';
import { planMethods } from './plans.ts';
import { pushMethods } from './pushes.ts';
import { releaseMethods } from './releases.ts';
import { noReserve, reserve } from './reserve.ts';
import { tallyMethod } from './tally.ts';
import { inbox, outbox, releases } from './tables.ts';
import { serviceMethods, targetMethods } from './targets.ts';
import { tokenMethods } from './tokens.ts';

export type SqliteOptions = {
  /** A path, or `:memory:`. */
  readonly file: string;
  /** Store time. */
  readonly now: () => Instant;
  readonly busyTimeoutMs?: number;
  /** Room on the disk that is kept for what runs when the disk is full; none in memory. */
  readonly reserve?: { readonly bytes: number; readonly onGivenUp: () => void };
};

export async function openSqlite({ file, now, busyTimeoutMs = 5_000, reserve: kept }: SqliteOptions): Promise<Store> {
  const opened = openDatabase({ file, busyTimeoutMs });
  const room = kept && file !== ':memory:' ? reserve(`${file}.reserve`, kept.bytes, kept.onGivenUp) : noReserve;
  const ctx = sqliteContext(opened, now, room);
  // There is one writer, and it is us: whoever held a lease before is gone.
  ctx.write(() => {
    opened.db.update(releases).set({ leaseWorker: null, leaseUntilMs: 0 }).run();
    opened.db.update(inbox).set({ leaseUntilMs: 0 }).run();
    opened.db
      .update(outbox)
      .set({ leaseUntilMs: 0 })
      .where(sql`state = 'pending'`)
      .run();
    chainOldRows(ctx);
  });
  return {
    now: async () => now(),
    ping: async () => void ctx.read(() => opened.raw.prepare('select 1').get()),
    ...serviceMethods(ctx),
    ...targetMethods(ctx),
    ...releaseMethods(ctx),
    ...leaseMethods(ctx),
    ...logMethods(ctx),
    ...auditMethods(ctx),
    ...outboxMethods(ctx),
    ...endpointMethods(ctx),
    ...planMethods(ctx),
    ...pushMethods(ctx),
    ...answerMethods(ctx),
    ...inboxMethods(ctx),
    ...keyMethods(ctx),
    ...tallyMethod(ctx),
    ...tokenMethods(ctx),
    close: async () => opened.close(),
  };
}
