/** From a decision to the one transaction that makes it last: state, events, intents, roles, outbox, the next due time. */
import type { Decision } from '../domain/decide.ts';
import type { ReleaseEvent } from '../domain/event.ts';
import { NONE } from '../domain/ids.ts';
import { canarySlot, secondShare } from '../domain/target.ts';
import { assert } from '../lib/assert.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { isEnded } from '../domain/release.ts';
import type { AuditEntry, Claimed, Commit, CommitError, WeightIntent } from '../ports/store.ts';
import type { Context } from './context.ts';
import { nextDue } from './due.ts';
import type { Judgement } from './judge-checks.ts';

export type Recording = {
  readonly decision: Pick<Decision, 'next' | 'events'>;
  readonly judgement?: Judgement;
  readonly audit?: AuditEntry;
  /** How many tries of the present intent failed in a row, for the next one's backoff. */
  readonly failedTries?: number;
  /** The tick goes on with the release after this commit. */
  readonly keepLease?: boolean;
  /** The request that led to it, if it may come again. */
  readonly once?: Commit['once'];
};

/** Commits and gives back the release as it is now, still leased to this worker. */
export async function record(ctx: Context, claimed: Claimed, recording: Recording): Promise<Result<Claimed, CommitError>> {
  const { decision, judgement, audit = null } = recording;
  const { next, events } = decision;
  const now = await ctx.store.now();
  const due = nextDue(next, events, {
    now,
    failedTries: recording.failedTries ?? 0,
    random: ctx.random.next(),
  });
  const commit: Commit = {
    id: next.id,
    revision: claimed.revision,
    next,
    events,
    intents: intentsOf(ctx, claimed, events),
    measurements: judgement?.measurements ?? [],
    checkStates: judgement?.checkStates ?? [],
    service: promotedService(claimed, events),
    audit,
    notify: notifiersOf(ctx, claimed),
    dueAt: due,
    once: recording.once ?? null,
    lease: keepsLease(recording) ? { worker: ctx.worker, ms: ctx.settings.leaseMs } : null,
  };
  const committed = await ctx.store.commit(commit);
  if (!committed.ok) return err(committed.error);
  for (const event of events) {
    ctx.recorder.event(event.type);
    ctx.log.info({ release: next.id, event: event.type, by: event.by.name }, event.sentence);
  }
  noteSafe(ctx, claimed, decision);
  if (isEnded(next)) {
    ctx.recorder.ended(next.service);
    await wakeQueue(ctx, next.service);
  }
  return ok({
    ...claimed,
    release: next,
    revision: committed.value.revision,
    targets: committed.value.targets,
    dueAt: due,
    checkStates: merged(claimed, judgement),
  });
}

/** Nothing is on the new version any more, and that was read back. */
function noteSafe(ctx: Context, { release }: Claimed, { next, events }: Recording['decision']): void {
  const safe = events.find((event) => event.type === 'weight.verified' && event.weight === NONE);
  if (safe && release.phase.kind === 'rollingBack' && next.rollback)
    ctx.recorder.timeToSafe(next.service, (safe.at - next.rollback.at) / 1000);
}

/** A new intent is obeyed within the same tick; the lease lasts until that was tried. */
const keepsLease = ({ decision, keepLease = false }: Recording): boolean =>
  keepLease || decision.events.some((event) => event.type === 'weight.intended');

function merged({ checkStates }: Claimed, judgement: Judgement | undefined): Claimed['checkStates'] {
  const fresh = judgement?.checkStates ?? [];
  return [...checkStates.filter((old) => !fresh.some((state) => state.check === old.check)), ...fresh];
}

/** Every change of the wanted weight is an intent on every target of the release: what it can serve, and never more canary. */
function intentsOf(
  { routers }: Context,
  { service, targets }: Claimed,
  events: readonly ReleaseEvent[],
): readonly WeightIntent[] {
  const intended = events.findLast((event) => event.type === 'weight.intended');
  if (intended?.type !== 'weight.intended') return [];
  return targets.map((target) => {
    const exact = secondShare(target.slots, service.stableSlot, intended.weight);
    const less = target.slots[0] === service.stableSlot ? 'down' : 'up';
    const route = { name: target.route, slots: target.slots };
    return { target: target.id, secondShare: routers.get(target.router)?.quantize(route, exact, less) ?? exact };
  });
}

/** The roles swap in the transaction that writes `promoted`, and not before: until then a rollback returns to the old slot. */
function promotedService({ release, service, targets }: Claimed, events: readonly ReleaseEvent[]): Commit['service'] {
  if (!events.some((event) => event.type === 'release.promoted')) return null;
  const target = targets[0];
  if (!target || release.promotion.kind === 'replace') return { stableSlot: service.stableSlot, stableVersion: release.version };
  assert(
    targets.every((other) => other.slots[0] === target.slots[0] && other.slots[1] === target.slots[1]),
    'all targets of a service name the same two slots',
  );
  return { stableSlot: canarySlot(target.slots, service.stableSlot), stableVersion: release.version };
}

export function notifiersOf(ctx: Context, { release }: Pick<Claimed, 'release'>): readonly string[] {
  const ofService = ctx.services.get(release.service)?.notify ?? [];
  return [...new Set([...ofService, ...release.plan.notify])];
}

async function wakeQueue(ctx: Context, service: string): Promise<void> {
  for (const { release } of await ctx.store.queued(service)) await ctx.store.wake(release.id);
}
