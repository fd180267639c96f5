/** What was seen of a target, written down with its event. A note on an older intent is refused by the store and dropped. */
import type { TargetEvent, TargetFact } from '../domain/event.ts';
import { targetSentence } from '../domain/explain.ts';
import type { Instant, Weight } from '../domain/ids.ts';
import type { Target } from '../domain/target.ts';
import { assert } from '../lib/assert.ts';
import type { TargetUpdate } from '../ports/store.ts';
import type { NodeReading } from '../ports/traffic-router.ts';
import type { Context } from './context.ts';

export type Note = {
  readonly change: TargetUpdate['change'];
  readonly facts: readonly TargetFact[];
  readonly adopt?: Weight;
};

export async function note(ctx: Context, target: Target, { change, facts, adopt }: Note): Promise<void> {
  const at = await ctx.store.now();
  const events = facts.map((fact, index) => eventOf(target, fact, { seq: target.eventSeq + index + 1, at }));
  const notify = ctx.services.get(target.service)?.notify ?? [];
  const updated = await ctx.store.updateTarget({
    id: target.id,
    seq: target.seq,
    change,
    adopt: adopt ?? null,
    events,
    notify,
  });
  if (!updated.ok) return;
  for (const { type } of facts) ctx.recorder.event(type);
  ctx.recorder.weight(target.id, 'desired', updated.value.desiredSecond);
  // What was verified once is not what is served now: only a note that says so.
  if (change.verifiedSecond !== undefined) ctx.recorder.weight(target.id, 'served', change.verifiedSecond);
}

function eventOf(target: Target, fact: TargetFact, { seq, at }: { readonly seq: number; readonly at: Instant }): TargetEvent {
  const sentence = targetSentence(target.id, target.slots[1], fact);
  return {
    id: `${target.id}/${seq}`,
    target: target.id,
    service: target.service,
    seq,
    at,
    sentence,
    ...fact,
  };
}

/** The wanted share was read back on every node. */
export async function noteVerified(ctx: Context, target: Target, nodes: readonly NodeReading[]): Promise<void> {
  await note(ctx, target, { change: await verified(ctx, target, nodes), facts: back(target) });
}

export async function verified(ctx: Context, target: Target, nodes: readonly NodeReading[]): Promise<TargetUpdate['change']> {
  assert(
    nodes.every((node) => node.secondShare === target.desiredSecond),
    'verified means that every node shows the wanted share',
  );
  return {
    verifiedSecond: target.desiredSecond,
    verifiedSeq: target.seq,
    verifiedAt: await ctx.store.now(),
    boots: Object.fromEntries(nodes.flatMap((node) => (node.boot === null ? [] : [[node.node, node.boot]]))),
    differs: null,
    unreachableSince: null,
  };
}

/** Only the first failure is news. */
export async function noteUnreachable(ctx: Context, target: Target, detail: string): Promise<void> {
  if (target.unreachableSince !== null) return;
  const since = await ctx.store.now();
  await note(ctx, target, {
    change: { unreachableSince: since },
    facts: [{ type: 'target.unreachable', detail }],
  });
}

export async function noteReached(ctx: Context, target: Target): Promise<void> {
  if (target.unreachableSince === null) return;
  await note(ctx, target, { change: { unreachableSince: null }, facts: back(target) });
}

export const back = (target: Target): readonly TargetFact[] =>
  target.unreachableSince === null ? [] : [{ type: 'target.back' }];
