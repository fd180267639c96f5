/** Services and targets: as configured, as wanted, as last seen. */
import { and, asc, eq, notInArray, sql } from 'drizzle-orm';
import { after, NONE } from '../../domain/ids.ts';
import { secondShare } from '../../domain/target.ts';
import { assert } from '../../lib/assert.ts';
import { hash32 } from '../../lib/prng.ts';
import { ok } from '../../lib/result.ts';
import type { ClaimedTarget, Store, TargetUpdate } from '../../ports/store.ts';
import { releaseOf, serviceOf, targetOf } from '../rows.ts';
import { attempt, Stale } from './context.ts';
import type { SqliteContext } from './context.ts';
import { appendAudit } from './audit.ts';
import { appendEvents } from './logs.ts';
import { intents, services, targets } from './tables.ts';

type ServiceMethods = 'configure' | 'services' | 'service' | 'setStable';
type TargetMethods = 'targets' | 'claimDueTargets' | 'claimTarget' | 'updateTarget';

/** New targets are first looked at within this time, spread by their name. */
const FIRST_LOOK_MS = 5_000;

export function serviceMethods(ctx: SqliteContext): Pick<Store, ServiceMethods> {
  const { db, queries } = ctx;
  return {
    configure: async (configured, specs) => ctx.write(() => configure(ctx, configured, specs)),
    services: async () => ctx.read(() => db.select().from(services).orderBy(asc(services.name)).all().map(serviceOf)),
    service: async (name) =>
      ctx.read(() => {
        const row = queries.service.get({ name });
        return row ? serviceOf(row) : null;
      }),
    setStable: async (name, { slot, version, expect = null }, entry) =>
      ctx.write(() => {
        const role = slot === null ? {} : { stableSlot: slot };
        const row = db
          .update(services)
          .set({ ...role, stableVersion: version, updatedAtMs: later(ctx) })
          .where(and(eq(services.name, name), expect === null ? undefined : eq(services.updatedAtMs, expect)))
          .returning()
          .get();
        if (!row) return null;
        appendAudit(ctx, entry);
        return serviceOf(row);
      }),
  };
}

export function targetMethods(ctx: SqliteContext): Pick<Store, TargetMethods> {
  const { db, queries } = ctx;
  const claim = (row: typeof targets.$inferSelect): ClaimedTarget => {
    const service = queries.service.get({ name: row.service });
    assert(service, `the service ${row.service} of target ${row.id} is stored`);
    const active = queries.active.get({ service: row.service });
    return {
      target: targetOf(row),
      service: serviceOf(service),
      active: active ? releaseOf(active.state) : null,
    };
  };
  return {
    targets: async (service) =>
      ctx.read(() =>
        db
          .select()
          .from(targets)
          .where(and(eq(targets.managed, true), service === null ? undefined : eq(targets.service, service)))
          .orderBy(asc(targets.id))
          .all()
          .map(targetOf),
      ),
    claimDueTargets: async ({ everyMs, limit }) => {
      if (ctx.read(() => queries.dueTargets.all({ at: ctx.now(), limit: 1 })).length === 0) return [];
      return ctx.write(() =>
        queries.dueTargets.all({ at: ctx.now(), limit }).map((row) => {
          queries.deferTarget.run({ id: row.id, dueAt: after(ctx.now(), everyMs) });
          return claim(row);
        }),
      );
    },
    claimTarget: async (id) =>
      ctx.read(() => {
        const row = queries.target.get({ id });
        return row ? claim(row) : null;
      }),
    updateTarget: async (update) => attempt(() => ctx.write(() => ok(updateTarget(ctx, update)))),
  };
}

function configure({ db, now, queries }: SqliteContext, ...[configured, specs]: Parameters<Store['configure']>): void {
  const updatedAtMs = now();
  for (const { name, slots } of configured)
    db.insert(services).values({ name, stableSlot: slots[0], stableVersion: null, updatedAtMs }).onConflictDoNothing().run();
  for (const { id, ...spec } of specs) {
    const dueAtMs = after(now(), hash32(id) % FIRST_LOOK_MS);
    // A known target keeps its weights and roles, whatever its place is called by now.
    db.insert(targets)
      .values({
        id,
        service: spec.service,
        spec,
        managed: true,
        // Everything on what is stable, whichever slot that is by now.
        desiredSecondSlotBp: secondShare(
          spec.slots,
          queries.service.get({ name: spec.service })?.stableSlot ?? spec.slots[0],
          NONE,
        ),
        seq: 0,
        verifiedSecondSlotBp: null,
        verifiedSeq: 0,
        verifiedAtMs: null,
        boots: {},
        driftAtMs: null,
        differs: null,
        unreachableSinceMs: null,
        eventSeq: 0,
        dueAtMs,
      })
      .onConflictDoUpdate({
        target: targets.id,
        set: { spec, service: spec.service, managed: true, dueAtMs },
      })
      .run();
  }
  const kept = specs.map(({ id }) => id as string);
  db.update(targets)
    .set({ managed: false })
    .where(kept.length > 0 ? notInArray(targets.id, kept) : undefined)
    .run();
}

function updateTarget(ctx: SqliteContext, { id, seq, change, adopt, events, notify }: TargetUpdate) {
  const { db } = ctx;
  const row = db
    .update(targets)
    .set({ ...changedColumns(change), eventSeq: sql`${targets.eventSeq} + ${events.length}` })
    .where(and(eq(targets.id, id), eq(targets.seq, seq)))
    .returning()
    .get();
  if (!row) throw new Stale(`target ${id} has a newer intent than ${seq}`);
  if (adopt !== null && ctx.queries.active.get({ service: row.service })) throw new Stale(`a release moves target ${id} by now`);
  const first = events[0];
  if (first && first.seq !== row.eventSeq - events.length + 1) throw new Stale(`another event of target ${id} came first`);
  appendEvents(ctx, events, notify);
  if (adopt === null) return targetOf(row);
  db.insert(intents)
    .values({ target: id, seq: seq + 1, release: null, secondSlotBp: adopt, atMs: ctx.now() })
    .run();
  const adopted = db
    .update(targets)
    .set({ desiredSecondSlotBp: adopt, seq: seq + 1, verifiedSecondSlotBp: null })
    .where(eq(targets.id, id))
    .returning()
    .get();
  assert(adopted, 'the row that was just written is there');
  return targetOf(adopted);
}

function changedColumns(change: TargetUpdate['change']) {
  return {
    ...(change.seq === undefined ? {} : { seq: change.seq }),
    ...('verifiedSecond' in change ? { verifiedSecondSlotBp: change.verifiedSecond ?? null } : {}),
    ...(change.verifiedSeq === undefined ? {} : { verifiedSeq: change.verifiedSeq }),
    ...('verifiedAt' in change ? { verifiedAtMs: change.verifiedAt ?? null } : {}),
    ...(change.boots === undefined ? {} : { boots: change.boots }),
    ...('driftAt' in change ? { driftAtMs: change.driftAt ?? null } : {}),
    ...('differs' in change ? { differs: change.differs ?? null } : {}),
    ...('unreachableSince' in change ? { unreachableSinceMs: change.unreachableSince ?? null } : {}),
  };
}

/** Grows with every change, so that it tells versions of a service apart. */
export const later = ({ now }: SqliteContext) => sql`max(${now()}, ${services.updatedAtMs} + 1)`;
