/** Who works on what, and when: releases are claimed by a lease that expires by store time. */
import { and, eq, lt, sql } from 'drizzle-orm';
import type { Store } from '../../ports/store.ts';
import type { SqliteContext } from './context.ts';
import { instant } from '../rows.ts';
import { claimedOf } from './releases.ts';
import { releases } from './tables.ts';

type Methods = 'claimDue' | 'yieldLease' | 'wake' | 'recordCrash' | 'nextDueAt';

export function leaseMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db, queries } = ctx;
  return {
    claimDue: async ({ worker, leaseMs, limit }) => {
      // Looked at without the write lock first: most rounds find nothing.
      if (ctx.read(() => queries.dueReleases.all({ at: ctx.now(), limit: 1 })).length === 0) return [];
      return ctx.write(() => {
        const now = ctx.now();
        return queries.dueReleases.all({ at: now, limit }).map((row) => {
          const leaseUntilMs = now + leaseMs;
          queries.leaseRelease.run({ id: row.id, worker, until: leaseUntilMs });
          return claimedOf(ctx, { ...row, leaseUntilMs });
        });
      });
    },
    yieldLease: async ({ id, worker, dueAt }) => void ctx.write(() => queries.yieldLease.run({ id, worker, dueAt })),
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
        const row = queries.release.get({ id });
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
        release: instant(queries.nextRelease.get()?.at ?? null),
        target: instant(queries.nextTarget.get()?.at ?? null),
        outbox: instant(queries.nextOutbox.get()?.at ?? null),
      })),
  };
}
