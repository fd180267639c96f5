/** API tokens and sessions: found by the digest of what was shown, never the other way round. */
import { and, desc, eq, gt, isNull, lt, or } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { Instant } from '../../domain/ids.ts';
import type { NewToken, StoredToken, TokenStore } from '../../ports/token-store.ts';
import { cursorOf, parseCursor } from '../../lib/cursor.ts';
import { instant } from '../rows.ts';
import { isAdmin } from '../token-rows.ts';
import { writeUnlessStale } from './context.ts';
import type { SqliteContext } from './context.ts';
import { keepAnswer } from './answers.ts';
import { appendAudit } from './audit.ts';
import { tokens } from './tables.ts';

export function tokenMethods(ctx: SqliteContext): TokenStore {
  const { db } = ctx;
  return {
    addToken: async (token, entry, once) =>
      writeUnlessStale<StoredToken | null>(ctx, null, () => {
        const parent = token.parent === null ? undefined : db.select().from(tokens).where(eq(tokens.id, token.parent)).get();
        const row = { ...rowOf(token, ctx.now()), revokedAtMs: parent?.revokedAtMs ?? null };
        db.insert(tokens).values(row).run();
        appendAudit(ctx, entry);
        keepAnswer(ctx, once, tokenOf(row));
        return tokenOf(row);
      }),
    tokenByDigest: async (digest) =>
      ctx.read(() => {
        const row = db.select().from(tokens).where(eq(tokens.digest, digest)).get();
        return row ? tokenOf(row) : null;
      }),
    tokens: async ({ limit, cursor }) =>
      ctx.read(() => {
        const key = parseCursor(cursor);
        const rows = db
          .select()
          .from(tokens)
          .where(and(isNull(tokens.parent), key ? before(key.ms, key.id) : undefined))
          .orderBy(desc(tokens.createdAtMs), desc(tokens.id))
          .limit(limit + 1)
          .all();
        const shown = rows.slice(0, limit);
        const last = shown.at(-1);
        const next = rows.length > limit && last ? cursorOf({ ms: last.createdAtMs, id: last.id }) : null;
        return { rows: shown.map(tokenOf), next };
      }),
    touchToken: async (id, at) =>
      ctx.write(() => void db.update(tokens).set({ lastUsedAtMs: at }).where(eq(tokens.id, id)).run()),
    revokeToken: async (id, entryOf) =>
      ctx.write(() => {
        const living = and(or(eq(tokens.id, id), eq(tokens.parent, id)), isNull(tokens.revokedAtMs));
        const revoked = db.update(tokens).set({ revokedAtMs: ctx.now() }).where(living).returning().all();
        const found = revoked.find((row) => row.id === id);
        if (!found) return null;
        appendAudit(ctx, entryOf(tokenOf(found)));
        return tokenOf(found);
      }),
    hasAdmin: async () =>
      ctx.read(() =>
        db
          .select()
          .from(tokens)
          .where(and(isNull(tokens.parent), isNull(tokens.revokedAtMs), gt(tokens.expiresAtMs, ctx.now())))
          .all()
          .some((row) => isAdmin(tokenOf(row))),
      ),
  };
}

const before = (ms: number, id: string): SQL | undefined =>
  or(lt(tokens.createdAtMs, ms), and(eq(tokens.createdAtMs, ms), lt(tokens.id, id)));

type Row = typeof tokens.$inferSelect;
type Kept = Pick<NewToken, 'kind' | 'role' | 'scopes' | 'services' | 'createdBy'>;

const rowOf = (token: NewToken, createdAtMs: number): Row => {
  const { id, digest, name, parent, expiresAt, kind, role, scopes, services, createdBy } = token;
  const row: Kept = { kind, role, scopes, services, createdBy };
  return { id, digest, name, parent, row, createdAtMs, expiresAtMs: expiresAt, lastUsedAtMs: null, revokedAtMs: null };
};

const tokenOf = (stored: Row): StoredToken => ({
  ...(stored.row as Kept),
  id: stored.id,
  name: stored.name,
  parent: stored.parent,
  createdAt: Instant(stored.createdAtMs),
  expiresAt: Instant(stored.expiresAtMs ?? 0),
  lastUsedAt: instant(stored.lastUsedAtMs),
  revokedAt: instant(stored.revokedAtMs),
});
