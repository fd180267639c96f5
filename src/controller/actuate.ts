/**
 * Puts the wanted weight on targets and reads it back. The intent was committed before; here it is obeyed, and only while
 * it is still the newest one. Lowering goes on wherever it can reach; what could not be reached is named.
 */
import type { TargetFailure } from '../domain/event.ts';
import type { Weight } from '../domain/ids.ts';
import { NONE } from '../domain/ids.ts';
import { standingOf } from '../domain/reading.ts';
import type { Service, Target } from '../domain/target.ts';
import { canarySlot, canaryWeight } from '../domain/target.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { Applied, NodeReading, RouterError, TrafficRouter, WeightWrite } from '../ports/traffic-router.ts';
import type { Context } from './context.ts';
import { noteReached, noteUnreachable, noteVerified } from './target-notes.ts';

export type Shift = {
  readonly service: Service;
  readonly targets: readonly Target[];
  readonly direction: 'raise' | 'lower';
};

/** What could not be done, target by target; nothing there means that every target serves its wanted share. */
export async function actuate(ctx: Context, shift: Shift, signal: AbortSignal): Promise<readonly TargetFailure[]> {
  const outcomes = await Promise.all(
    shift.targets.map(async (target) => {
      const error = await obey(ctx, { ...shift, target }, signal);
      return error === null ? [] : [{ target: target.id, detail: error }];
    }),
  );
  return outcomes.flat();
}

type TargetShift = {
  readonly service: Service;
  readonly target: Target;
  readonly direction: 'raise' | 'lower';
};

/** One target; the answer is what went wrong, or null. */
function obey(ctx: Context, { service, target, direction }: TargetShift, signal: AbortSignal): Promise<string | null> {
  return ctx.targetLocks.run(target.id, async () => {
    const current = await ctx.store.claimTarget(target.id);
    if (!current || current.target.seq !== target.seq) return 'a newer weight is wanted by now';
    const router = ctx.routers.get(target.router);
    if (!router) return `no router named ${target.router} is configured`;
    const meant = direction === 'raise' ? await loweredSince(ctx, { router, service, target: current.target }, signal) : null;
    if (meant !== null) return meant;
    const written = await write(ctx, { router, service, target: current.target, direction }, signal);
    if (written.ok) {
      await noteVerified(ctx, written.value.target, written.value.nodes);
      return null;
    }
    const { kind, detail, nodes } = written.error;
    if (kind === 'unreachable' || kind === 'timeout') await noteUnreachable(ctx, current.target, detail);
    else await noteReached(ctx, current.target);
    return nodes.length > 1 ? `${detail}; ${nodes.map(nodeText).join(', ')}` : detail;
  });
}

/** Who lowers a target that was read back already means it: another target's trouble is no reason to raise it again. */
async function loweredSince(
  ctx: Context,
  { router, service, target }: Omit<RouterWrite, 'direction'>,
  signal: AbortSignal,
): Promise<string | null> {
  if (target.verifiedSeq !== target.seq) return null;
  const route = { name: target.route, slots: target.slots };
  const read = await routerCall(ctx, { router, operation: 'read', lowering: false }, signal, (inner) =>
    router.read(route, inner),
  );
  if (!read.ok) return read.error.detail;
  const lowered = read.value.find(
    ({ node, secondShare, boot }) =>
      secondShare !== null && standingOf(target, service, { node, secondShare, boot }) === 'belowByHand',
  );
  return lowered ? `${nodeText(lowered)}, lowered by hand` : null;
}

type RouterWrite = TargetShift & { readonly router: TrafficRouter };

/** `target`: as it is in the store afterwards. */
type Written = Applied & { readonly target: Target };

/** Writes a target's wanted share. A lowering does not stay behind a number that is there and was never given out. */
export async function write(ctx: Context, order: RouterWrite, signal: AbortSignal): Promise<Result<Written, RouterError>> {
  const written = await writeOnce(ctx, order, signal);
  if (written.ok || written.error.kind !== 'stale' || order.direction === 'raise') return written;
  const target = await pastNumber(ctx, order.target, written.error.nodes);
  return target ? writeOnce(ctx, { ...order, target }, signal) : written;
}

/**
 * The store gives the numbers out. While it still has this intent as the newest, a later one that the router shows is of
 * somebody's hand: the target goes on from there. Null when there really is a newer intent.
 */
async function pastNumber(ctx: Context, target: Target, nodes: readonly NodeReading[]): Promise<Target | null> {
  const shown = Math.max(...nodes.map(({ seq }) => seq ?? 0));
  if (shown <= target.seq) return null;
  const seq = shown + 1;
  const moved = await ctx.store.updateTarget({
    id: target.id,
    seq: target.seq,
    change: { seq },
    adopt: null,
    events: [],
    notify: [],
  });
  if (!moved.ok && moved.error.kind === 'stale') return null;
  ctx.log.warn(
    { target: target.id },
    `${target.id} shows write ${shown}, and ${target.seq} is the last one there was: lowered past it`,
  );
  // A store that cannot write just now is no reason to leave the traffic there.
  return moved.ok ? moved.value : { ...target, seq };
}

/** On the way to nothing the shortest path comes first: it moves sticky clients, too. */
async function writeOnce(
  ctx: Context,
  { router, service, target, direction }: RouterWrite,
  signal: AbortSignal,
): Promise<Result<Written, RouterError>> {
  const route = { name: target.route, slots: target.slots };
  const toNothing = canaryWeight(target.slots, service.stableSlot, target.desiredSecond) === NONE;
  if (direction === 'lower' && toNothing) {
    const slot = canarySlot(target.slots, service.stableSlot);
    const cut = await routerCall(ctx, { router, operation: 'cut_off', lowering: true }, signal, (inner) =>
      router.cutOff(route, slot, target.seq, inner),
    );
    if (cut.ok && showsShare(cut.value.nodes, target.desiredSecond)) return ok({ ...cut.value, target });
  }
  const order: WeightWrite = { route, secondShare: target.desiredSecond, seq: target.seq, direction };
  const applied = await routerCall(
    ctx,
    { router, operation: 'apply', lowering: direction === 'lower', isRetry: target.unreachableSince !== null },
    signal,
    (inner) => router.apply(order, inner),
  );
  if (!applied.ok) return applied;
  if (showsShare(applied.value.nodes, target.desiredSecond)) return ok({ ...applied.value, target });
  return err({
    kind: 'not_effective',
    detail: 'acknowledged, but another share is served',
    nodes: applied.value.nodes,
  });
}

const showsShare = (nodes: readonly NodeReading[], share: Weight): boolean =>
  nodes.length > 0 && nodes.every((node) => node.reachable && node.secondShare === share);

const nodeText = (node: NodeReading): string =>
  `${node.node} ${node.secondShare === null ? (node.detail ?? 'unknown') : `at ${node.secondShare / 100} %`}`;

export type RouterOperation = {
  readonly router: TrafficRouter;
  readonly operation: 'apply' | 'cut_off' | 'read' | 'preflight';
  readonly lowering: boolean;
  readonly isRetry?: boolean;
};

type RouterRun<T> = (signal: AbortSignal) => Promise<Result<T, RouterError>>;

/** One try of a router operation, with its deadline; being late is `timeout`, and the same kind of value as any failure. */
export function routerCall<T>(
  ctx: Context,
  operation: RouterOperation,
  signal: AbortSignal,
  run: RouterRun<T>,
): Promise<Result<T, RouterError>> {
  const attributes = { 'headgate.router': operation.router.name };
  return ctx.tracer.span({ name: `router ${operation.operation}`, kind: 'client', attributes }, async (span) => {
    const result = await tried(ctx, operation, signal, run);
    span.set({ 'headgate.outcome': result.ok ? 'ok' : result.error.kind });
    if (!result.ok) span.fail(result.error.detail);
    return result;
  });
}

async function tried<T>(
  ctx: Context,
  { router, operation, lowering, isRetry = false }: RouterOperation,
  signal: AbortSignal,
  run: RouterRun<T>,
): Promise<Result<T, RouterError>> {
  const writes = operation === 'apply' || operation === 'cut_off';
  const ms = writes ? Math.max(ctx.settings.applyTimeoutMs, router.capabilities.applyTimeoutMs) : ctx.settings.readTimeoutMs;
  const startedMs = ctx.clock.monotonicMs();
  const answer = await ctx.calls.call(
    { dependency: `router ${router.name}`, ms, signal, lowering: lowering || operation === 'read', isRetry },
    run,
    (result) => result.ok || !DOWN.has(result.error.kind),
  );
  const result: Result<T, RouterError> = answer.ok ? answer.value : err({ kind: 'timeout', detail: answer.error, nodes: [] });
  const seconds = (ctx.clock.monotonicMs() - startedMs) / 1000;
  ctx.recorder.routerCall(router.name, operation, result.ok ? 'ok' : result.error.kind, seconds);
  return result.ok ? ok(result.value) : result;
}

const DOWN: ReadonlySet<RouterError['kind']> = new Set(['unreachable', 'timeout']);
