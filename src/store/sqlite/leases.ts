/** Who works on what, and when: releases are claimed by a lease that expires by store time. */
import { and, asc, eq, lt, lte, sql } from 'drizzle-orm';
import type { Store } from '../../ports/store.ts';
import type { SqliteContext } from './context.ts';
import { instant } from '../rows.ts';
import { isHead } from './outbox.ts';
import { claimer } from './releases.ts';
import { outbox, releases, targets } from './tables.ts';

type Methods = 'claimDue' | 'yieldLease' | 'wake' | 'recordCrash' | 'nextDueAt';

export function leaseMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db } = ctx;
  const claimedOf = claimer(ctx);
  const due = dueQuery(ctx);
  const next = nextQueries(ctx);
  return {
    claimDue: async ({ worker, leaseMs, limit }) => {
      // Looked at without the write lock first: most rounds find nothing.
      if (ctx.read(() => due.all({ at: ctx.now(), limit: 1 })).length === 0) return [];
      return ctx.write(() => {
        const now = ctx.now();
        return due.all({ at: now, limit }).map((row) => {
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
        release: instant(next.release.get()?.at ?? null),
        target: instant(next.target.get()?.at ?? null),
        outbox: instant(next.outbox.get()?.at ?? null),
      })),
  };
}

/** What every round of a loop asks, prepared once: building a query costs more than running it. */
const dueQuery = ({ db }: SqliteContext) =>
  db
    .select()
    .from(releases)
    .where(and(sql`ended = 0`, lte(releases.dueAtMs, sql.placeholder('at')), lte(releases.leaseUntilMs, sql.placeholder('at'))))
    .orderBy(asc(releases.dueAtMs))
    .limit(sql.placeholder('limit'))
    .prepare();

const nextQueries = ({ db }: SqliteContext) => ({
  release: db
    .select({ at: sql<number | null>`min(max(${releases.dueAtMs}, ${releases.leaseUntilMs}))` })
    .from(releases)
    .where(sql`ended = 0`)
    .prepare(),
  target: db
    .select({ at: sql<number | null>`min(${targets.dueAtMs})` })
    .from(targets)
    .where(eq(targets.managed, true))
    .prepare(),
  outbox: db
    .select({ at: sql<number | null>`min(max(${outbox.dueAtMs}, ${outbox.leaseUntilMs}))` })
    .from(outbox)
    .where(isHead)
    .prepare(),
});
