/** Releases: creating, claiming by lease, and the one commit that carries everything a decision led to. */
import { and, asc, desc, eq, gte, inArray, lt, or, sql } from 'drizzle-orm';
import { Instant } from '../../domain/ids.ts';
import type { ReleaseId } from '../../domain/ids.ts';
import { isEnd, isEnded } from '../../domain/release.ts';
import type { Release } from '../../domain/release.ts';
import type { Target } from '../../domain/target.ts';
import { assert } from '../../lib/assert.ts';
import { ok } from '../../lib/result.ts';
import type { Claimed, Commit, NewRelease, Store, StoredRelease } from '../../ports/store.ts';
import { cursorOf, parseCursor } from '../../lib/cursor.ts';
import { checkStateOf, releaseOf, serviceOf, targetOf } from '../rows.ts';
import { keepAnswer } from './answers.ts';
import { attempt, Stale } from './context.ts';
import type { SqliteContext } from './context.ts';
import { appendAudit } from './audit.ts';
import { appendEvents } from './logs.ts';
import { later } from './targets.ts';
import { checkStates, intents, measurements, releases, services, targets } from './tables.ts';

type Methods = 'create' | 'release' | 'load' | 'active' | 'queued' | 'releases' | 'commit' | 'checkStates';

export function releaseMethods(ctx: SqliteContext): Pick<Store, Methods> {
  const { db, queries } = ctx;
  return {
    create: async (made) => {
      ctx.reserve.require();
      return attempt(() => ctx.write(() => ok(create(ctx, made))));
    },
    release: async (id) => ctx.read(() => mapped(queries.release.get({ id }), stored)),
    load: async (id) => ctx.read(() => mapped(queries.release.get({ id }), (row) => claimedOf(ctx, row))),
    active: async (service) => ctx.read(() => mapped(queries.active.get({ service }), stored)),
    queued: async (service) =>
      ctx.read(() =>
        db
          .select()
          .from(releases)
          .where(and(eq(releases.service, service), eq(releases.phase, 'queued')))
          .orderBy(asc(releases.createdAtMs), asc(releases.id))
          .all()
          .map(stored),
      ),
    releases: async (query) => ctx.read(() => list(ctx, query)),
    commit: async (commit) => attempt(() => ctx.write(() => ok(write(ctx, commit)))),
    checkStates: async (id) => ctx.read(() => queries.checkStates.all({ release: id }).map(({ row }) => checkStateOf(row))),
  };
}

/** What a tick needs beside the release itself. */
export function claimedOf(ctx: SqliteContext, row: ReleaseRow): Claimed {
  const { queries } = ctx;
  const release = releaseOf(row.state);
  const service = queries.service.get({ name: row.service });
  assert(service, `the service ${row.service} of release ${row.id} is stored`);
  return {
    ...stored(row),
    service: serviceOf(service),
    targets: targetsOf(ctx, release),
    checkStates: queries.checkStates.all({ release: row.id }).map(({ row: state }) => checkStateOf(state)),
    leaseUntil: Instant(row.leaseUntilMs),
  };
}

export type ReleaseRow = typeof releases.$inferSelect;

const stored = (row: ReleaseRow): StoredRelease => ({
  release: releaseOf(row.state),
  revision: row.revision,
  dueAt: Instant(row.dueAtMs),
  crashes: row.crashes,
});

const mapped = <A, B>(value: A | undefined, map: (value: A) => B): B | null => (value === undefined ? null : map(value));

const targetsOf = ({ queries }: SqliteContext, { targets: ids }: Release): readonly Target[] =>
  ids.flatMap((id) => {
    const row = queries.target.get({ id });
    return row ? [targetOf(row)] : [];
  });

const VERSION = sql`(state ->> '$.version')`;
const CREATOR = sql`(state ->> '$.createdBy.name')`;

/** Found by what the index holds; only those that are shown are read whole. */
function list({ db, queries }: SqliteContext, query: Parameters<Store['releases']>[0]) {
  const { service, within = null, phases, version = null, createdBy = null, since = null, search = null, limit, cursor } = query;
  const after = parseCursor(cursor);
  const words = sql`lower(${releases.service} || ' ' || ${VERSION} || ' ' || ${releases.id} || ' ' || ${CREATOR})`;
  const found = db
    .select({ id: releases.id })
    .from(releases)
    .where(
      and(
        service === null ? undefined : eq(releases.service, service),
        within === null ? undefined : inArray(releases.service, [...within]),
        phases === null ? undefined : inArray(releases.phase, [...phases]),
        // What has not ended has an index of its own: few rows, however many have ended.
        phases?.every((phase) => !isEnd(phase)) ? sql`ended = 0` : undefined,
        version === null ? undefined : eq(VERSION, version),
        createdBy === null ? undefined : eq(CREATOR, createdBy),
        since === null ? undefined : gte(releases.createdAtMs, since),
        search === null ? undefined : sql`instr(${words}, lower(${search})) > 0`,
        after === null
          ? undefined
          : or(lt(releases.createdAtMs, after.ms), and(eq(releases.createdAtMs, after.ms), lt(releases.id, after.id))),
      ),
    )
    .orderBy(desc(releases.createdAtMs), desc(releases.id))
    .limit(limit + 1)
    .all();
  const page = found.slice(0, limit).flatMap(({ id }) => {
    const row = queries.release.get({ id });
    return row ? [row] : [];
  });
  const last = page.at(-1);
  return {
    rows: page.map(stored),
    next: found.length > limit && last ? cursorOf({ ms: last.createdAtMs, id: last.id }) : null,
  };
}

const columnsOf = (release: Release) => ({
  phase: release.phase.kind,
  stateVersion: release.seq,
  state: release,
  ended: isEnded(release),
});

function create(ctx: SqliteContext, { release, events, audit, notify, dueAt, expectActive, once }: NewRelease): StoredRelease {
  const active = ctx.queries.active.get({ service: release.service });
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
  keepAnswer(ctx, once, stored(row));
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
  if (commit.service)
    db.update(services)
      .set({ ...commit.service, updatedAtMs: later(ctx) })
      .where(eq(services.name, next.service))
      .run();
  for (const row of commit.measurements)
    db.insert(measurements).values({ release: id, check: row.check, endMs: row.end, row }).onConflictDoNothing().run();
  for (const row of commit.checkStates)
    db.insert(checkStates)
      .values({ release: id, check: row.check, row })
      .onConflictDoUpdate({ target: [checkStates.release, checkStates.check], set: { row } })
      .run();
  appendEvents(ctx, commit.events, commit.notify);
  if (commit.audit) appendAudit(ctx, commit.audit);
  keepAnswer(ctx, commit.once, { release: next, revision: revision + 1, dueAt, crashes: 0 });
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
