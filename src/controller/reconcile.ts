/**
 * Keeps a managed target at what is wanted of it, in a release or not: the weight of a router that restarted, a late
 * write, a hand on the router. Lowering exposure is done at once; raising only where a restart explains the difference.
 */
import type { TargetFact } from '../domain/event.ts';
import type { TargetId } from '../domain/ids.ts';
import { NONE } from '../domain/ids.ts';
import { secondShare } from '../domain/target.ts';
import type { ClaimedTarget } from '../ports/store.ts';
import { write } from './actuate.ts';
import type { Context } from './context.ts';
import { readTarget, seen } from './observe.ts';
import type { SeenTarget } from './observe.ts';
import { back, note, noteUnreachable, verified } from './target-notes.ts';

export async function reconcile(ctx: Context, id: TargetId, signal: AbortSignal): Promise<void> {
  await ctx.targetLocks.run(id, async () => {
    // Read again under the lock: an intent that was committed meanwhile is the one to hold the router against.
    const claimed = await ctx.store.claimTarget(id);
    if (!claimed) return;
    await keepBootShare(ctx, claimed);
    const { nodes, mute } = await readTarget(ctx, claimed.target, signal);
    const found = seen(claimed.target, claimed.service, nodes);
    if (mute === null) return putRight(ctx, claimed, found, signal);
    await noteUnreachable(ctx, claimed.target, mute);
    await lowerThoseThatAnswer(ctx, claimed, found, signal);
  });
}

/** A router that restarts serves the stable slot, whichever that is by now. */
async function keepBootShare(ctx: Context, { target, service }: ClaimedTarget): Promise<void> {
  const router = ctx.routers.get(target.router);
  const route = { name: target.route, slots: target.slots };
  const kept = await router?.setBootShare?.(route, secondShare(target.slots, service.stableSlot, NONE));
  if (kept && !kept.ok) ctx.log.warn({ target: target.id }, kept.error.detail);
  if (kept?.ok && kept.value) ctx.log.info({ target: target.id }, `${target.id} starts with everything on ${service.stableSlot}`);
}

/** Too much on a node that can be reached does not wait for one that cannot. */
async function lowerThoseThatAnswer(
  ctx: Context,
  { target }: ClaimedTarget,
  found: SeenTarget,
  signal: AbortSignal,
): Promise<void> {
  const above = found.nodes.find((node) => node.standing === 'above');
  if (!above) return;
  const again = await ctx.store.claimTarget(target.id);
  if (!again || again.target.seq !== target.seq) return;
  await noteDrift(ctx, again, above, { isWhole: false });
  await repair(ctx, again, 'lower', signal);
}

async function putRight(ctx: Context, claimed: ClaimedTarget, found: SeenTarget, signal: AbortSignal): Promise<void> {
  const { target, active } = claimed;
  const odd = found.nodes.filter((node) => node.standing !== 'asWanted');
  const first = odd[0];
  if (!first) return settle(ctx, claimed, found);
  // Nodes that differ among themselves were not set by somebody who meant it.
  const isMeant = odd.length === found.nodes.length && odd.every(({ secondShare: share }) => share === first.secondShare);
  if (target.management === 'adopt' && active === null && isMeant)
    return note(ctx, target, {
      change: { differs: null },
      facts: [{ type: 'drift.adopted', servedSecond: first.secondShare }],
      adopt: first.secondShare,
    });
  const above = odd.some((node) => node.standing === 'above');
  // A release that is moving its weight raises it by its own tick; nobody else waits for that to lower it.
  const moving = active?.phase.kind === 'shifting' && target.verifiedSeq !== target.seq;
  if (moving && !above) return;
  await noteDrift(ctx, claimed, first, { isWhole: true });
  if (!above && odd.every((node) => node.standing === 'belowByHand')) return;
  await repair(ctx, claimed, above ? 'lower' : 'raise', signal);
}

/** Everything is as wanted: clears what was noted before, and writes nothing when there is nothing to clear. */
async function settle(ctx: Context, { target }: ClaimedTarget, { nodes }: SeenTarget): Promise<void> {
  const repaired: readonly TargetFact[] =
    target.differs === null ? [] : [{ type: 'drift.repaired', servedSecond: target.desiredSecond }];
  const restarted = nodes.some(({ node, boot }) => boot !== null && target.boots[node] !== boot);
  if (repaired.length === 0 && target.unreachableSince === null && target.verifiedSeq === target.seq && !restarted) return;
  const full = nodes.map((node) => ({ ...node, reachable: true, seq: null, detail: null }));
  await note(ctx, target, {
    change: await verified(ctx, target, full),
    facts: [...back(target), ...repaired],
  });
}

type OddNode = SeenTarget['nodes'][number];

/** The same difference found again is no news. `isWhole`: every node answered, so the target is out of reach no longer. */
async function noteDrift(
  ctx: Context,
  { target }: ClaimedTarget,
  odd: OddNode,
  { isWhole }: { readonly isWhole: boolean },
): Promise<void> {
  const differs = `${odd.node} serves ${odd.secondShare / 100} % on ${target.slots[1]}, wanted ${target.desiredSecond / 100} %`;
  const isBack = isWhole && target.unreachableSince !== null;
  if (target.differs === differs && !isBack) return;
  ctx.recorder.drift(target.id);
  const fact: TargetFact = {
    type: 'drift.seen',
    node: odd.node,
    servedSecond: odd.secondShare,
    wantedSecond: target.desiredSecond,
    restarted: odd.standing === 'belowExplained',
  };
  const facts = [...(isBack ? back(target) : []), ...(target.differs === differs ? [] : [fact])];
  await note(ctx, target, {
    change: { differs, driftAt: await ctx.store.now(), ...(isBack ? { unreachableSince: null } : {}) },
    facts,
  });
}

async function repair(
  ctx: Context,
  { target, service }: ClaimedTarget,
  direction: 'raise' | 'lower',
  signal: AbortSignal,
): Promise<void> {
  const router = ctx.routers.get(target.router);
  if (!router) return;
  const written = await write(ctx, { router, service, target, direction }, signal);
  const again = await ctx.store.claimTarget(target.id);
  if (!again || again.target.seq !== (written.ok ? written.value.target : target).seq) return;
  if (!written.ok) return noteUnreachable(ctx, again.target, written.error.detail);
  await note(ctx, again.target, {
    change: await verified(ctx, again.target, written.value.nodes),
    facts: [...back(again.target), { type: 'drift.repaired', servedSecond: target.desiredSecond }],
  });
}
