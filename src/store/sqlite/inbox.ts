/** Webhooks that came in, each kept once before it is answered; and what is known of flags. */
import { and, asc, count, desc, eq, lt, lte, sql } from 'drizzle-orm';
import { Instant } from '../../domain/ids.ts';
import { SEEN_KEPT_MS } from '../../ports/inbox.ts';
import type { InboxPayload, InboxRow, InboxStore, InboxView, StoredFlag } from '../../ports/inbox.ts';
import { page } from '../page.ts';
import { instant } from '../rows.ts';
import type { SqliteContext } from './context.ts';
import { keepAnswer } from './answers.ts';
import { appendAudit } from './audit.ts';
import { writeUnlessStale } from './context.ts';
import { flags, inbox, inboxSeen } from './tables.ts';

const isPending = sql`state = 'pending'`;

export function inboxMethods(ctx: SqliteContext): InboxStore {
  return { ...incoming(ctx), ...working(ctx), ...flagMethods(ctx) };
}

function incoming(ctx: SqliteContext): Pick<InboxStore, 'keepWebhook' | 'inbox' | 'retryInbox' | 'inboxTally'> {
  const { db } = ctx;
  return {
    async keepWebhook({ source, key, payload, limit }) {
      // The room that is kept for a full disk is for what runs: a sender tries again, and flags are looked at anyway.
      ctx.reserve.require();
      return ctx.write(() => {
        const mine = and(eq(inbox.source, source), eq(inbox.key, key));
        if (db.select({ seq: inbox.seq }).from(inbox).where(mine).get()) return 'known';
        const before = and(eq(inboxSeen.source, source), eq(inboxSeen.key, key));
        if (db.select({ at: inboxSeen.atMs }).from(inboxSeen).where(before).get()) return 'known';
        const waiting = db
          .select({ n: count() })
          .from(inbox)
          .where(and(isPending, eq(inbox.source, source)))
          .get();
        if (limit <= (waiting?.n ?? 0)) return 'full';
        const now = ctx.now();
        db.insert(inbox)
          .values({
            source,
            key,
            row: payload,
            state: 'pending',
            attempts: 0,
            detail: null,
            receivedAtMs: now,
            dueAtMs: now,
            leaseUntilMs: 0,
            settledAtMs: null,
          })
          .run();
        return 'kept';
      });
    },
    inbox: async ({ source, state, limit, before }) =>
      ctx.read(() => {
        const rows = db
          .select()
          .from(inbox)
          .where(
            and(
              source === null ? undefined : eq(inbox.source, source),
              state === null ? undefined : eq(inbox.state, state),
              before === null ? undefined : lt(inbox.seq, before),
            ),
          )
          .orderBy(desc(inbox.seq))
          .limit(limit + 1)
          .all();
        return page(rows.map(viewOf), limit, (row) => row.seq);
      }),
    retryInbox: async (seq, audit, once) =>
      writeUnlessStale(ctx, false, () => {
        const { changes } = db
          .update(inbox)
          .set({ state: 'pending', attempts: 0, dueAtMs: ctx.now(), leaseUntilMs: 0, settledAtMs: null })
          .where(and(eq(inbox.seq, seq), eq(inbox.state, 'parked')))
          .run();
        if (changes === 0) return false;
        appendAudit(ctx, audit);
        keepAnswer(ctx, once, true);
        return true;
      }),
    inboxTally: async () =>
      ctx.read(() =>
        db.select({ source: inbox.source, pending: count() }).from(inbox).where(isPending).groupBy(inbox.source).all(),
      ),
  };
}

function working(ctx: SqliteContext): Pick<InboxStore, 'claimInbox' | 'settleInbox' | 'nextInboxAt'> {
  const { db } = ctx;
  const due = (limit: number) => {
    const now = ctx.now();
    return db
      .select()
      .from(inbox)
      .where(and(isPending, lte(inbox.dueAtMs, now), lte(inbox.leaseUntilMs, now)))
      .orderBy(asc(inbox.dueAtMs), asc(inbox.seq))
      .limit(limit)
      .all();
  };
  return {
    async claimInbox({ leaseMs, limit }) {
      if (ctx.read(() => due(1)).length === 0) return [];
      return ctx.write(() =>
        due(limit).map((row) => {
          db.update(inbox)
            .set({ leaseUntilMs: ctx.now() + leaseMs })
            .where(eq(inbox.seq, row.seq))
            .run();
          return rowOf(row);
        }),
      );
    },
    settleInbox: async ({ seq, outcome }) =>
      void ctx.write(() => {
        const tried = { attempts: sql`${inbox.attempts} + 1`, leaseUntilMs: 0, detail: outcome.detail };
        const change =
          outcome.kind === 'retry'
            ? { ...tried, dueAtMs: outcome.at }
            : { ...tried, state: outcome.kind, settledAtMs: ctx.now() };
        db.update(inbox)
          .set(change)
          .where(and(eq(inbox.seq, seq), isPending))
          .run();
      }),
    nextInboxAt: async () =>
      ctx.read(() => {
        const soonest = db
          .select({ at: sql<number | null>`min(max(${inbox.dueAtMs}, ${inbox.leaseUntilMs}))` })
          .from(inbox)
          .where(isPending)
          .get();
        return instant(soonest?.at ?? null);
      }),
  };
}

function flagMethods(ctx: SqliteContext): Pick<InboxStore, 'saveFlag' | 'flag' | 'flags'> {
  const { db } = ctx;
  return {
    saveFlag: async (row) =>
      void ctx.write(() => {
        const { source, flag } = row;
        const change = { row, readAtMs: row.lookedAt };
        db.insert(flags)
          .values({ source, flag, ...change })
          .onConflictDoUpdate({ target: [flags.source, flags.flag], set: change })
          .run();
      }),
    flag: async (source, flag) =>
      ctx.read(() => {
        const found = db
          .select({ row: flags.row })
          .from(flags)
          .where(and(eq(flags.source, source), eq(flags.flag, flag)))
          .get();
        return found ? flagOf(found.row) : null;
      }),
    flags: async () =>
      ctx.read(() =>
        db
          .select({ row: flags.row })
          .from(flags)
          .orderBy(asc(flags.source), asc(flags.flag))
          .all()
          .map(({ row }) => flagOf(row)),
      ),
  };
}

type Row = typeof inbox.$inferSelect;

// The columns hold what the methods above wrote into them and nothing else.
const flagOf = (row: unknown): StoredFlag => row as StoredFlag;
const payloadOf = (row: unknown): InboxPayload => row as InboxPayload;
const stateOf = (state: string): InboxView['state'] => (state === 'done' || state === 'parked' ? state : 'pending');

const rowOf = ({ seq, source, key, row, attempts, receivedAtMs }: Row): InboxRow => ({
  seq,
  source,
  key,
  payload: payloadOf(row),
  attempts,
  receivedAt: Instant(receivedAtMs),
});

const viewOf = (row: Row): InboxView => ({
  ...rowOf(row),
  state: stateOf(row.state),
  detail: row.detail,
  dueAt: Instant(row.dueAtMs),
  settledAt: instant(row.settledAtMs),
});

/** Drops what was worked off and came in before then; its key stays, so that it is known when it is sent again. */
export function dropInbox({ db, now }: SqliteContext, olderThan: Instant): number {
  const old = and(sql`state <> 'pending'`, lt(inbox.receivedAtMs, olderThan));
  db.insert(inboxSeen)
    .select(
      db
        .select({ source: inbox.source, key: inbox.key, atMs: inbox.receivedAtMs })
        .from(inbox)
        .where(and(old, sql`json_extract(${inbox.row}, '$.kind') = 'webhook'`)),
    )
    .onConflictDoNothing()
    .run();
  const { changes } = db.delete(inbox).where(old).run();
  const forgotten = db
    .delete(inboxSeen)
    .where(lt(inboxSeen.atMs, now() - SEEN_KEPT_MS))
    .run();
  return changes + forgotten.changes;
}
