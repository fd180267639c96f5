/** Reads what every target of a release serves. The only place where routers' answers become an input of `decide`. */
import type { TargetFailure } from '../domain/event.ts';
import type { Instant, Weight } from '../domain/ids.ts';
import type { Served } from '../domain/input.ts';
import { standingOf } from '../domain/reading.ts';
import type { NodeServed, Standing } from '../domain/reading.ts';
import type { Service, Target } from '../domain/target.ts';
import type { Claimed } from '../ports/store.ts';
import { routerCall } from './actuate.ts';
import type { Context } from './context.ts';

/** What the nodes that answered serve, and a sentence that names those that did not, or null. */
export type TargetReading = { readonly nodes: readonly NodeServed[]; readonly mute: string | null };

/** A node that does not tell its share hides nobody else's: what the others serve can still be too much. */
export async function readTarget(ctx: Context, target: Target, signal: AbortSignal): Promise<TargetReading> {
  const router = ctx.routers.get(target.router);
  if (!router) return { nodes: [], mute: `no router named ${target.router} is configured` };
  const route = { name: target.route, slots: target.slots };
  const read = await routerCall(ctx, { router, operation: 'read', lowering: false }, signal, (inner) =>
    router.read(route, inner),
  );
  if (!read.ok) {
    ctx.recorder.weight(target.id, 'served', null);
    return { nodes: [], mute: read.error.detail };
  }
  if (read.value.length === 0) return { nodes: [], mute: 'it has no nodes' };
  const told = read.value.flatMap(({ node, reachable, secondShare, boot }) =>
    reachable && secondShare !== null ? [{ node, secondShare, boot }] : [],
  );
  ctx.recorder.weight(target.id, 'served', oddest(target, told));
  const silent = read.value.filter((node) => !node.reachable || node.secondShare === null);
  if (silent.length === 0) ctx.looks.set(target.id, ctx.clock.monotonicMs());
  const mute = silent.map((node) => `${node.node}: ${node.detail ?? 'does not tell its weight'}`).join(', ');
  return { nodes: told, mute: mute === '' ? null : mute };
}

/** The share that is farthest from the wanted one: a number for many nodes hides none that differs. */
const oddest = ({ desiredSecond }: Target, nodes: readonly NodeServed[]): Weight | null =>
  nodes.reduce<Weight | null>(
    (odd, { secondShare }) =>
      odd === null || Math.abs(odd - desiredSecond) < Math.abs(secondShare - desiredSecond) ? secondShare : odd,
    null,
  );

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
  const reads = await Promise.all(targets.map(async (target) => ({ target, ...(await readTarget(ctx, target, signal)) })));
  const unread = reads.flatMap(({ target, mute }) => (mute === null ? [] : [{ target: target.id, detail: mute }]));
  const differing = reads.flatMap(({ target, nodes }) => differences(seen(target, service, nodes)));
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
