/** Who works on what, and when: releases are claimed by a lease that expires by store time. */
import { and, asc, eq, lt, lte, sql } from 'drizzle-orm';
import type { Store } from '../../ports/store.ts';
import type { SqliteContext } from './context.ts';
import { instant } from '../rows.ts';
import { isHead } from './outbox.ts';
import { claimer } from './releases.ts';
import type { ReleaseRow } from './releases.ts';
import { outbox, releases, targets } from './tables.ts';

type Methods = 'claimDue' | 'yieldLease' | 'wake' | 'recordCrash' | 'nextDueAt';

export function leaseMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db } = ctx;
  const claimedOf = claimer(ctx);
  return {
    claimDue: async ({ worker, leaseMs, limit }) => {
      // Looked at without the write lock first: most rounds find nothing.
      const due = ctx.read(() => dueRows(ctx, limit));
      if (due.length === 0) return [];
      return ctx.write(() => {
        const now = ctx.now();
        return dueRows(ctx, limit).map((row) => {
          const leaseUntilMs = now + leaseMs;
          db.update(releases).set({ leaseWorker: worker, leaseUntilMs }).where(eq(releases.id, row.id)).run();
          return claimedOf({ ...row, leaseUntilMs });
        });
      });
    },
    yieldLease: async ({ id, worker, dueAt }) =>
      void ctx.write(() =>
        db
          .update(releases)
          .set({ leaseWorker: null, leaseUntilMs: 0, dueAtMs: dueAt })
          .where(and(eq(releases.id, id), eq(releases.leaseWorker, worker)))
          .run(),
      ),
    wake: async (id) =>
      void ctx.write(() =>
        db
          .update(releases)
          .set({ dueAtMs: ctx.now() })
          .where(and(eq(releases.id, id), lt(sql`${ctx.now()}`, releases.dueAtMs)))
          .run(),
      ),
    recordCrash: async ({ id, worker, error, dueAt }) =>
      ctx.write(() => {
        const row = db.select().from(releases).where(eq(releases.id, id)).get();
        if (!row) return 0;
        const crashes = row.crashes + 1;
        const mine = row.leaseWorker === worker ? { leaseWorker: null, leaseUntilMs: 0, dueAtMs: dueAt } : {};
        db.update(releases)
          .set({ crashes, lastError: error, ...mine })
          .where(eq(releases.id, id))
          .run();
        return crashes;
      }),
    nextDueAt: async () =>
      ctx.read(() => ({
        release: instant(
          db
            .select({ at: sql<number | null>`min(max(${releases.dueAtMs}, ${releases.leaseUntilMs}))` })
            .from(releases)
            .where(sql`ended = 0`)
            .get()?.at ?? null,
        ),
        target: instant(
          db
            .select({ at: sql<number | null>`min(${targets.dueAtMs})` })
            .from(targets)
            .where(eq(targets.managed, true))
            .get()?.at ?? null,
        ),
        outbox: instant(
          db
            .select({ at: sql<number | null>`min(max(${outbox.dueAtMs}, ${outbox.leaseUntilMs}))` })
            .from(outbox)
            .where(isHead)
            .get()?.at ?? null,
        ),
      })),
  };
}

function dueRows({ db, now }: SqliteContext, limit: number): ReleaseRow[] {
  const at = now();
  return db
    .select()
    .from(releases)
    .where(and(sql`ended = 0`, lte(releases.dueAtMs, at), lte(releases.leaseUntilMs, at)))
    .orderBy(asc(releases.dueAtMs))
    .limit(limit)
    .all();
}
