/** The audit log: every row chained to the one before it, in the transaction of the act that it is about. */
import { and, asc, desc, eq, gt, isNull, lt, sql } from 'drizzle-orm';
import { chainHash, NO_HASH } from '../../contract/audit-chain.ts';
import { Instant } from '../../domain/ids.ts';
import type { AuditEntry, Store, StoredAudit } from '../../ports/store.ts';
import { page } from '../page.ts';
import { auditOf, plainEntry } from '../rows.ts';
import type { SqliteContext } from './context.ts';
import { audit } from './tables.ts';

export function appendAudit(ctx: SqliteContext, given: AuditEntry): void {
  const { db, now } = ctx;
  const entry = plainEntry(given);
  const atMs = now();
  const last = newest(ctx);
  // The sequence remembers rows that are gone: where the end was cut off, a gap stays.
  const used = db.get<{ seq: number } | undefined>(sql`select seq from sqlite_sequence where name = 'audit'`)?.seq ?? 0;
  const seq = Math.max(used, last?.seq ?? 0) + 1;
  const hash = chainHash(last?.hash ?? NO_HASH, { ...entry, seq, at: Instant(atMs) });
  db.insert(audit).values({ seq, atMs, entry, hash }).run();
}

/** Rows from before there was a chain get their hashes once, when the file is opened. */
export function chainOldRows(ctx: SqliteContext): void {
  const { db } = ctx;
  const old = db.select().from(audit).where(isNull(audit.hash)).orderBy(asc(audit.seq)).all();
  const first = old[0]?.seq ?? 0;
  let hash = db.select().from(audit).where(lt(audit.seq, first)).orderBy(desc(audit.seq)).limit(1).get()?.hash ?? NO_HASH;
  for (const { seq, atMs, entry } of old) {
    hash = chainHash(hash, { ...auditOf(entry), seq, at: Instant(atMs) });
    db.update(audit).set({ hash }).where(eq(audit.seq, seq)).run();
  }
}

const newest = ({ db }: SqliteContext): Row | undefined => db.select().from(audit).orderBy(desc(audit.seq)).limit(1).get();

type Row = typeof audit.$inferSelect;
const storedOf = ({ seq, atMs, entry, hash }: Row): StoredAudit => ({
  ...auditOf(entry),
  seq,
  at: Instant(atMs),
  hash: hash ?? '',
});

const FIELDS = ['actor', 'action', 'subject', 'reason'].map((field) => sql`coalesce(json_extract(entry, ${`$.${field}`}), '')`);
const says = (text: string) => sql`instr(lower(${sql.join(FIELDS, sql` || char(10) || `)}), lower(${text})) > 0`;

export function auditMethods(ctx: SqliteContext): Pick<Store, 'audit' | 'auditFrom' | 'auditHead'> {
  const { db } = ctx;
  return {
    audit: async ({ limit, before, text = null }) =>
      ctx.read(() => {
        const rows = db
          .select()
          .from(audit)
          .where(and(before === null ? undefined : lt(audit.seq, before), text === null ? undefined : says(text)))
          .orderBy(desc(audit.seq))
          .limit(limit + 1)
          .all();
        return page(rows.map(storedOf), limit, ({ seq }) => seq);
      }),
    auditFrom: async ({ after, limit }) =>
      ctx.read(() =>
        db.select().from(audit).where(gt(audit.seq, after)).orderBy(asc(audit.seq)).limit(limit).all().map(storedOf),
      ),
    auditHead: async () =>
      ctx.read(() => {
        const row = newest(ctx);
        return row ? { seq: row.seq, at: Instant(row.atMs), hash: row.hash ?? '' } : null;
      }),
  };
}
