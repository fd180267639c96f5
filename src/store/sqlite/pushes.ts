/** What applications push: one row per instance, cumulative, so that a restart of ours loses nothing that was acknowledged. */
import { and, count, eq, inArray, lt } from 'drizzle-orm';
import type { Pushed } from '../../domain/push.ts';
import { ok } from '../../lib/result.ts';
import type { Store } from '../../ports/store.ts';
import { accepted, SILENT_MS } from '../pushes.ts';
import type { SqliteContext } from './context.ts';
import { pushed } from './tables.ts';

export function pushMethods(ctx: SqliteContext): Pick<Store, 'push' | 'pushed'> {
  const { db } = ctx;
  return {
    async push(push) {
      // The room that is kept for a full disk is for what runs: a push can come again.
      ctx.reserve.require();
      return ctx.write(() => {
        const now = ctx.now();
        const { service, version, instance } = push;
        db.delete(pushed)
          .where(and(eq(pushed.service, service), lt(pushed.receivedAtMs, now - SILENT_MS)))
          .run();
        const mine = and(eq(pushed.service, service), eq(pushed.version, version), eq(pushed.instance, instance));
        const known = db.select({ row: pushed.row }).from(pushed).where(mine).get();
        const others = known ? 0 : (db.select({ n: count() }).from(pushed).where(eq(pushed.service, service)).get()?.n ?? 0);
        const outcome = accepted(known ? pushedOf(known.row) : null, others, push, now);
        if (!outcome.ok || !outcome.value.isCounted) return outcome;
        const change = { receivedAtMs: now, row: outcome.value.pushed };
        db.insert(pushed)
          .values({ service, version, instance, ...change })
          .onConflictDoUpdate({ target: [pushed.service, pushed.version, pushed.instance], set: change })
          .run();
        return ok(outcome.value);
      });
    },
    pushed: async (service, versions) =>
      ctx.read(() =>
        db
          .select({ row: pushed.row })
          .from(pushed)
          .where(and(eq(pushed.service, service), inArray(pushed.version, [...versions])))
          .all()
          .map(({ row }) => pushedOf(row)),
      ),
  };
}

// The column holds what `push` wrote into it and nothing else.
const pushedOf = (row: unknown): Pushed => row as Pushed;
