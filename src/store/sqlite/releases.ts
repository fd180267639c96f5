/** Releases: creating, claiming by lease, and the one commit that carries everything a decision led to. */
import { and, asc, desc, eq, inArray, lt, lte, or, sql } from 'drizzle-orm';
import { Instant } from '../../domain/ids.ts';
import type { ReleaseId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/release.ts';
import type { Release } from '../../domain/release.ts';
import { assert } from '../../lib/assert.ts';
import { ok } from '../../lib/result.ts';
import type { Claimed, Commit, NewRelease, Store, StoredRelease } from '../../ports/store.ts';
import { cursorOf, parseCursor } from '../cursor.ts';
import { checkStateOf, releaseOf, serviceOf, targetOf } from '../rows.ts';
import { attempt, Stale } from './context.ts';
import type { SqliteContext } from './context.ts';
import { appendAudit, appendEvents } from './logs.ts';
import { checkStates, intents, measurements, releases, services, targets } from './tables.ts';

type Methods =
  | 'create' | 'release' | 'load' | 'active' | 'queued' | 'releases' | 'claimDue' | 'commit' | 'yieldLease' | 'wake' | 'recordCrash' | 'nextDueAt' | 'checkStates';

export function releaseMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db } = ctx;
  const byId = db.select().from(releases).where(eq(releases.id, sql.placeholder('id'))).prepare();
  const serviceByName = db.select().from(services).where(eq(services.name, sql.placeholder('name'))).prepare();
  const statesOf = db.select({ row: checkStates.row }).from(checkStates).where(eq(checkStates.release, sql.placeholder('id'))).prepare();

  const claimedOf = (row: ReleaseRow): Claimed => {
    const release = releaseOf(row.state);
    const service = serviceByName.get({ name: row.service });
    assert(service, `the service ${row.service} of release ${row.id} is stored`);
    return {
      ...stored(row),
      service: serviceOf(service),
      targets: targetsOf(ctx, release),
      checkStates: statesOf.all({ id: row.id }).map(({ row: state }) => checkStateOf(state)),
      leaseUntil: Instant(row.leaseUntilMs),
    };
  };

  return {
    create: async (made) => attempt(() => ctx.write(() => ok(create(ctx, made)))),
    release: async (id) => ctx.read(() => mapped(byId.get({ id }), stored)),
    load: async (id) => ctx.read(() => mapped(byId.get({ id }), claimedOf)),
    active: async (service) => ctx.read(() => mapped(activeRow(ctx, service), stored)),
    queued: async (service) =>
      ctx.read(() =>
        db.select().from(releases).where(and(eq(releases.service, service), eq(releases.phase, 'queued'))).orderBy(asc(releases.createdAtMs), asc(releases.id)).all().map(stored),
      ),
    releases: async (query) => ctx.read(() => list(ctx, query)),
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
    commit: async (commit) => attempt(() => ctx.write(() => ok(write(ctx, commit)))),
    yieldLease: async ({ id, worker, dueAt }) =>
      void ctx.write(() =>
        db.update(releases).set({ leaseWorker: null, leaseUntilMs: 0, dueAtMs: dueAt }).where(and(eq(releases.id, id), eq(releases.leaseWorker, worker))).run(),
      ),
    wake: async (id) => void ctx.write(() => db.update(releases).set({ dueAtMs: ctx.now() }).where(and(eq(releases.id, id), lt(sql`${ctx.now()}`, releases.dueAtMs))).run()),
    recordCrash: async ({ id, worker, error, dueAt }) =>
      ctx.write(() => {
        const row = byId.get({ id });
        if (!row) return 0;
        const crashes = row.crashes + 1;
        const mine = row.leaseWorker === worker ? { leaseWorker: null, leaseUntilMs: 0, dueAtMs: dueAt } : {};
        db.update(releases).set({ crashes, lastError: error, ...mine }).where(eq(releases.id, id)).run();
        return crashes;
      }),
    nextDueAt: async () =>
      ctx.read(() => {
        const row = db.select({ at: sql<number>`min(max(${releases.dueAtMs}, ${releases.leaseUntilMs}))` }).from(releases).where(sql`ended = 0`).get();
        return row?.at ? Instant(row.at) : null;
      }),
    checkStates: async (id) => ctx.read(() => statesOf.all({ id }).map(({ row }) => checkStateOf(row))),
  };
}

type ReleaseRow = typeof releases.$inferSelect;

const stored = (row: ReleaseRow): StoredRelease => ({
  release: releaseOf(row.state),
  revision: row.revision,
  dueAt: Instant(row.dueAtMs),
  crashes: row.crashes,
});

const mapped = <A, B>(value: A | undefined, map: (value: A) => B): B | null => (value === undefined ? null : map(value));

function activeRow({ db }: SqliteContext, service: string): ReleaseRow | undefined {
  return db.select().from(releases).where(and(eq(releases.service, service), sql`ended = 0 and phase <> 'queued'`)).get();
}

function targetsOf({ db }: SqliteContext, release: Release) {
  const rows = db.select().from(targets).where(and(inArray(targets.id, [...release.targets]), eq(targets.managed, true))).all();
  return release.targets.flatMap((id) => rows.filter((row) => row.id === id).map(targetOf));
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

function list({ db }: SqliteContext, { service, phases, limit, cursor }: Parameters<Store['releases']>[0]) {
  const after = parseCursor(cursor);
  const rows = db
    .select()
    .from(releases)
    .where(
      and(
        service === null ? undefined : eq(releases.service, service),
        phases === null ? undefined : inArray(releases.phase, [...phases]),
        after === null ? undefined : or(lt(releases.createdAtMs, after.ms), and(eq(releases.createdAtMs, after.ms), lt(releases.id, after.id))),
      ),
    )
    .orderBy(desc(releases.createdAtMs), desc(releases.id))
    .limit(limit + 1)
    .all();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page.map(stored), next: rows.length > limit && last ? cursorOf({ ms: last.createdAtMs, id: last.id }) : null };
}

const columnsOf = (release: Release) => ({
  phase: release.phase.kind,
  stateVersion: release.seq,
  state: release,
  ended: isEnded(release),
});

function create(ctx: SqliteContext, { release, events, audit, notify, dueAt, expectActive }: NewRelease): StoredRelease {
  const active = activeRow(ctx, release.service);
  if ((active?.id ?? null) !== expectActive) throw new Stale(`the active release of ${release.service} is another one by now`);
  const row: ReleaseRow = {
    id: release.id,
    service: release.service,
    ...columnsOf(release),
    revision: 1,
    createdAtMs: release.createdAt,
    dueAtMs: dueAt,
    leaseWorker: null,
    leaseUntilMs: 0,
    crashes: 0,
    lastError: null,
  };
  ctx.db.insert(releases).values(row).run();
  appendEvents(ctx, events, notify);
  appendAudit(ctx, audit);
  return stored(row);
}

function write(ctx: SqliteContext, commit: Commit) {
  const { db } = ctx;
  const { id, revision, next, dueAt, lease } = commit;
  const changed = db
    .update(releases)
    .set({
      ...columnsOf(next),
      revision: revision + 1,
      dueAtMs: dueAt,
      leaseWorker: lease?.worker ?? null,
      leaseUntilMs: lease ? ctx.now() + lease.ms : 0,
      crashes: 0,
      lastError: null,
    })
    .where(and(eq(releases.id, id), eq(releases.revision, revision)))
    .run();
  if (changed.changes !== 1) throw new Stale(`release ${id} is not at revision ${revision} any more`);
  assert(next.id === id, 'a commit is of its own release');
  for (const intent of commit.intents) intend(ctx, id, intent);
  if (commit.service) db.update(services).set({ ...commit.service, updatedAtMs: ctx.now() }).where(eq(services.name, next.service)).run();
  for (const row of commit.measurements)
    db.insert(measurements).values({ release: id, check: row.check, endMs: row.end, row }).onConflictDoNothing().run();
  for (const row of commit.checkStates)
    db.insert(checkStates).values({ release: id, check: row.check, row }).onConflictDoUpdate({ target: [checkStates.release, checkStates.check], set: { row } }).run();
  appendEvents(ctx, commit.events, commit.notify);
  if (commit.audit) appendAudit(ctx, commit.audit);
  return { revision: revision + 1, targets: targetsOf(ctx, next) };
}

/** Every new intent takes its target's next seq: the fencing token of the write that follows. */
function intend({ db, now }: SqliteContext, release: ReleaseId | null, { target, secondShare }: Commit['intents'][number]): void {
  const row = db
    .update(targets)
    .set({ desiredSecondSlotBp: secondShare, seq: sql`${targets.seq} + 1`, verifiedSecondSlotBp: null })
    .where(eq(targets.id, target))
    .returning({ seq: targets.seq })
    .get();
  assert(row, `the target ${target} is stored`);
  db.insert(intents).values({ target, seq: row.seq, release, secondSlotBp: secondShare, atMs: now() }).run();
}

