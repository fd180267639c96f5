/** Plans as they were written, every version kept: a running release has its own copy anyway. */
import { and, asc, desc, eq, gt, sql } from 'drizzle-orm';
import { Instant } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import type { StoredPlan } from '../../ports/plan-store.ts';
import { ok } from '../../lib/result.ts';
import { keepAnswer } from './answers.ts';
import { appendAudit } from './audit.ts';
import { attempt, Stale } from './context.ts';
import type { SqliteContext } from './context.ts';
import { plans } from './tables.ts';

type Methods = 'savePlan' | 'plan' | 'plans';

export function planMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db } = ctx;
  const newest = (name: string) =>
    db.select().from(plans).where(eq(plans.name, name)).orderBy(desc(plans.version)).limit(1).get();
  return {
    savePlan: async ({ name, service, document, expect = null, once }, entry) =>
      attempt(() =>
        ctx.write(() => {
          const before = newest(name);
          if (expect !== null && before?.version !== expect)
            throw new Stale(`the newest version of ${name} is ${before?.version ?? 'none'}, not ${expect}`);
          // Applying the same text again is no new version.
          const isSame = before && before.document === document && before.service === service;
          const row = isSame ? before : { name, version: (before?.version ?? 0) + 1, service, document, createdAtMs: ctx.now() };
          if (!isSame) {
            db.insert(plans).values(row).run();
            appendAudit(ctx, entry);
          }
          keepAnswer(ctx, once, planOf(row));
          return ok(planOf(row));
        }),
      ),
    plan: async (name, version) =>
      ctx.read(() => {
        const row =
          version === null
            ? newest(name)
            : db
                .select()
                .from(plans)
                .where(and(eq(plans.name, name), eq(plans.version, version)))
                .get();
        return row ? planOf(row) : null;
      }),
    plans: async ({ limit, cursor }) =>
      ctx.read(() => {
        const rows = db
          .select()
          .from(plans)
          .where(
            and(
              cursor === null ? undefined : gt(plans.name, cursor),
              sql`${plans.version} = (select max(version) from plans newer where newer.name = ${plans.name})`,
            ),
          )
          .orderBy(asc(plans.name))
          .limit(limit + 1)
          .all();
        const shown = rows.slice(0, limit);
        return { rows: shown.map(planOf), next: rows.length > limit ? (shown.at(-1)?.name ?? null) : null };
      }),
  };
}

const planOf = ({ createdAtMs, ...row }: typeof plans.$inferSelect): StoredPlan => ({
  ...row,
  createdAt: Instant(createdAtMs),
});
