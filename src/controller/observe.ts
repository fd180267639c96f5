/** Reads what every target of a release serves. The only place where routers' answers become an input of `decide`. */
import type { TargetFailure } from '../domain/event.ts';
import type { Instant, Weight } from '../domain/ids.ts';
import type { Served } from '../domain/input.ts';
import { standingOf } from '../domain/reading.ts';
import type { NodeServed, Standing } from '../domain/reading.ts';
import type { Service, Target } from '../domain/target.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { Claimed } from '../ports/store.ts';
import { routerCall } from './actuate.ts';
import type { Context } from './context.ts';

/** Every node answered and told its share; anything else is a sentence that names who did not. */
export async function readTarget(
  ctx: Context,
  target: Target,
  signal: AbortSignal,
): Promise<Result<readonly NodeServed[], string>> {
  const router = ctx.routers.get(target.router);
  if (!router) return err(`no router named ${target.router} is configured`);
  const route = { name: target.route, slots: target.slots };
  const read = await routerCall(ctx, { router, operation: 'read', lowering: false }, signal, (inner) =>
    router.read(route, inner),
  );
  if (!read.ok) return err(read.error.detail);
  const mute = read.value.filter((node) => !node.reachable || node.secondShare === null);
  if (mute.length > 0 || read.value.length === 0)
    return err(mute.map((node) => `${node.node}: ${node.detail ?? 'does not tell its weight'}`).join(', ') || 'it has no nodes');
  return ok(read.value.flatMap(({ node, secondShare, boot }) => (secondShare === null ? [] : [{ node, secondShare, boot }])));
}

export type SeenTarget = {
  readonly target: Target;
  readonly nodes: readonly (NodeServed & { readonly standing: Standing })[];
};

export const seen = (target: Target, service: Service, nodes: readonly NodeServed[]): SeenTarget => ({
  target,
  nodes: nodes.map((node) => ({ ...node, standing: standingOf(target, service, node) })),
});

/** What the targets of a release serve, together. */
export async function observeServed(ctx: Context, { service, targets, release }: Claimed, signal: AbortSignal): Promise<Served> {
  if (targets.length === 0)
    return {
      kind: 'unreachable',
      failures: release.targets.map((target) => ({ target, detail: 'not managed any more' })),
    };
  const reads = await Promise.all(targets.map(async (target) => ({ target, read: await readTarget(ctx, target, signal) })));
  const unread = reads.flatMap(({ target, read }) => (read.ok ? [] : [{ target: target.id, detail: read.error }]));
  const differing = reads.flatMap(({ target, read }) => (read.ok ? differences(seen(target, service, read.value)) : []));
  if (differing.length > 0)
    return {
      kind: 'differs',
      byHand: differing.every(({ standing }) => standing === 'belowByHand'),
      failures: differing.map(({ failure }) => failure),
    };
  return unread.length > 0 ? { kind: 'unreachable', failures: unread } : { kind: 'asWanted' };
}

function differences({ target, nodes }: SeenTarget): readonly { readonly standing: Standing; readonly failure: TargetFailure }[] {
  return nodes
    .filter((node) => node.standing !== 'asWanted')
    .map(({ node, secondShare, standing }) => ({
      standing,
      failure: {
        target: target.id,
        detail: `${node} serves ${share(secondShare)} on ${target.slots[1]}, wanted ${share(target.desiredSecond)}`,
      },
    }));
}

const share = (weight: Weight): string => `${weight / 100} %`;

/** The newest drift on any of them. */
export const newestDrift = (targets: readonly Target[]): Instant | null =>
  targets.reduce<Instant | null>(
    (newest, { driftAt }) => (driftAt !== null && (newest === null || newest < driftAt) ? driftAt : newest),
    null,
  );
