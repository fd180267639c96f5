/**
 * The main job: one look at one release. Observe, decide, commit, act, read back, commit. A traffic change is a state that
 * is committed before it is acted on, so dying anywhere in here leaves something the next tick can finish.
 */
import { decide } from '../domain/decide.ts';
import type { TargetFailure } from '../domain/event.ts';
import type { Instant } from '../domain/ids.ts';
import type { Input } from '../domain/input.ts';
import type { Release } from '../domain/release.ts';
import { isLowering } from '../domain/release.ts';
import type { Claimed, CommitError } from '../ports/store.ts';
import { actuate } from './actuate.ts';
import type { Context } from './context.ts';
import { nextDue } from './due.ts';
import { judgeChecks } from './judge-checks.ts';
import type { Judgement } from './judge-checks.ts';
import { newestDrift, observeServed } from './observe.ts';
import { prepare, replaceStable } from './prepare.ts';
import { record } from './record.ts';
import { supersede } from './supersede.ts';

/** `stale`: somebody else committed first, and it is theirs now. `busy`: the store could not be written; try again soon. */
export type Ticked = {
  readonly outcome: 'ok' | CommitError['kind'];
  /** When it is due again, where the tick still holds the lease; null when the last commit gave it back. */
  readonly yieldUntil: Instant | null;
};

export async function tick(ctx: Context, claimed: Claimed, signal: AbortSignal): Promise<Ticked> {
  const { release } = claimed;
  if (release.quarantined !== null && !isLowering(release)) return idle(ctx, release);
  switch (release.phase.kind) {
    case 'queued':
      return queued(ctx, claimed);
    case 'starting':
      return step(ctx, claimed, { input: await prepare(ctx, claimed, signal) }, signal);
    case 'shifting':
    case 'rollingBack':
      return move(ctx, claimed, signal);
    case 'promoting':
      if (release.phase.called || !ctx.hooks.has(release.service, 'replaceStable')) return watch(ctx, claimed, signal);
      return replace(ctx, claimed, signal);
    default:
      return watch(ctx, claimed, signal);
  }
}

async function queued(ctx: Context, claimed: Claimed): Promise<Ticked> {
  const { release, service } = claimed;
  // Whoever takes those up that it supersedes is one that looks at what is due.
  await supersede(ctx, release, async ({ release: { id } }) =>
    ctx.store.yieldLease({ id, worker: ctx.worker, dueAt: await ctx.store.now() }),
  );
  const [active, waiting] = await Promise.all([ctx.store.active(release.service), ctx.store.queued(release.service)]);
  if (active !== null || waiting[0]?.release.id !== release.id) return idle(ctx, release);
  const decision = decide(release, { kind: 'unblocked', stableVersion: service.stableVersion }, await ctx.store.now());
  return ticked(await record(ctx, claimed, { decision }));
}

/** Calls the hook until it answers. One that keeps failing blinds neither the analysis nor the clock. */
async function replace(ctx: Context, claimed: Claimed, signal: AbortSignal): Promise<Ticked> {
  const input = await replaceStable(ctx, claimed, signal);
  if (input.outcome !== 'failed') return step(ctx, claimed, { input }, signal);
  const recorded = await take(ctx, claimed, { input, keepLease: true });
  if (recorded !== null && !recorded.ok) return ticked(recorded);
  return watch(ctx, recorded?.value ?? claimed, signal);
}

/** Looks at the traffic and at the checks, both at once, and lets the step machine say what follows. */
async function watch(ctx: Context, claimed: Claimed, signal: AbortSignal): Promise<Ticked> {
  const seenAt = await ctx.store.now();
  const [served, judgement] = await Promise.all([observeServed(ctx, claimed, signal), judgeChecks(ctx, claimed, signal)]);
  const targets = await ctx.store.targets(claimed.release.service);
  const input: Input = {
    kind: 'observed',
    served,
    driftAt: newestDrift(targets),
    verdicts: judgement.verdicts,
    restart: judgement.restart,
  };
  return step(ctx, claimed, { input, judgement, seenAt }, signal);
}

/** Decides on one input and obeys what was decided: at most one change of weight per tick. */
async function step(ctx: Context, claimed: Claimed, given: Given, signal: AbortSignal): Promise<Ticked> {
  const recorded = await take(ctx, claimed, given);
  if (recorded === null) return idle(ctx, claimed.release);
  if (recorded.ok && isMoving(recorded.value.release)) return move(ctx, recorded.value, signal);
  return ticked(recorded);
}

type Given = {
  readonly input: Input;
  readonly judgement?: Judgement;
  readonly failedTries?: number;
  readonly keepLease?: boolean;
  /** When the world was looked at: a process that was stopped meanwhile does not take what it saw for what is. */
  readonly seenAt?: Instant;
};

/** Decides and commits; null when there was nothing to write. */
async function take(ctx: Context, claimed: Claimed, { input, seenAt, ...given }: Given): Promise<Recorded | null> {
  const decision = decide(claimed.release, input, seenAt ?? (await ctx.store.now()));
  if (decision.events.length === 0 && (given.judgement?.checkStates.length ?? 0) === 0) return null;
  return record(ctx, claimed, { decision, ...given });
}

type Recorded = Awaited<ReturnType<typeof record>>;

const ticked = (recorded: Recorded): Ticked => ({
  outcome: recorded.ok ? 'ok' : recorded.error.kind,
  yieldUntil: null,
});

async function idle(ctx: Context, release: Release): Promise<Ticked> {
  const dueAt = nextDue(release, [], {
    now: await ctx.store.now(),
    failedTries: 0,
    random: ctx.random.next(),
  });
  return { outcome: 'ok', yieldUntil: dueAt };
}

/** Obeys the committed intent, and tells the step machine what became of it. */
export async function move(ctx: Context, claimed: Claimed, signal: AbortSignal): Promise<Ticked> {
  const { release, service, targets } = claimed;
  const lowering = isLowering(release) || goesHome(release);
  const startedAt = await ctx.store.now();
  const failures = await actuate(ctx, { service, targets, direction: lowering ? 'lower' : 'raise' }, signal);
  const unmanaged: readonly TargetFailure[] =
    targets.length === 0 && !lowering ? release.targets.map((target) => ({ target, detail: 'not managed any more' })) : [];
  const input: Input = { kind: 'shifted', weight: release.wanted, failures: [...failures, ...unmanaged] };
  const now = await ctx.store.now();
  // A process that was stopped in between has read back what was, not what is: it looks again.
  if (input.failures.length === 0 && longestActMs(ctx, claimed) < now - startedAt) return { outcome: 'ok', yieldUntil: now };
  const failedTries = countTries(ctx, release, input.failures.length > 0);
  const decision = decide(release, input, now);
  const recorded = await record(ctx, claimed, {
    decision,
    failedTries,
    keepLease: input.failures.length > 0 && !isLowering(release),
  });
  if (!recorded.ok || recorded.value.release.phase.kind !== 'shifting') return ticked(recorded);
  return watchBlind(ctx, recorded.value, failedTries, signal);
}

/** All deadlines of setting one weight together: a look before, the short way, the long way. */
function longestActMs({ settings, routers }: Context, { targets }: Claimed): number {
  const slowest = targets.map(({ router }) => routers.get(router)?.capabilities.applyTimeoutMs ?? 0);
  return settings.readTimeoutMs + 2 * Math.max(settings.applyTimeoutMs, ...slowest) + SLACK_MS;
}

/** A router that cannot be written must not blind the analysis: part of the canary's traffic may be there already. */
async function watchBlind(ctx: Context, claimed: Claimed, failedTries: number, signal: AbortSignal): Promise<Ticked> {
  const judgement = await judgeChecks(ctx, claimed, signal);
  const input: Input = {
    kind: 'observed',
    served: { kind: 'asWanted' },
    driftAt: null,
    verdicts: judgement.verdicts,
    restart: judgement.restart,
  };
  const recorded = await take(ctx, claimed, { input, judgement, failedTries });
  if (recorded === null) return { outcome: 'ok', yieldUntil: claimed.dueAt };
  return recorded.ok && isLowering(recorded.value.release) ? move(ctx, recorded.value, signal) : ticked(recorded);
}

/** Between two calls, on a busy machine. */
const SLACK_MS = 1_000;

const isMoving = ({ phase }: Release): boolean => phase.kind === 'shifting' || phase.kind === 'rollingBack';

const goesHome = ({ phase }: Release): boolean => phase.kind === 'shifting' && phase.goal.kind === 'home';

/** Failed tries in a row of the same intent; only paces retries, so that forgetting it at a restart costs nothing. */
function countTries(ctx: Context, release: Release, failed: boolean): number {
  if (!failed) {
    ctx.tries.delete(release.id);
    return 0;
  }
  const before = ctx.tries.get(release.id);
  const count = before?.wanted === release.wanted ? before.count + 1 : 1;
  ctx.tries.set(release.id, { wanted: release.wanted, count });
  return count;
}
