/**
 * What a node serves, against what is wanted of it, in terms of exposure: more canary than wanted is put right at once;
 * less is put right only where a restart, or a write that was never verified, explains it. Otherwise somebody means it.
 */
import type { Weight } from './ids.ts';
import { canaryWeight } from './target.ts';
import type { Service, Target } from './target.ts';

export type NodeServed = {
  readonly node: string;
  readonly secondShare: Weight;
  readonly boot: string | null;
};

export type Standing = 'asWanted' | 'above' | 'belowExplained' | 'belowByHand';

export function standingOf(target: Target, service: Service, served: NodeServed): Standing {
  if (served.secondShare === target.desiredSecond) return 'asWanted';
  const wanted = canaryWeight(target.slots, service.stableSlot, target.desiredSecond);
  const canary = canaryWeight(target.slots, service.stableSlot, served.secondShare);
  if (wanted < canary) return 'above';
  return hasRestarted(target, served) || target.verifiedSeq !== target.seq ? 'belowExplained' : 'belowByHand';
}

/** Since the last verified write, by its boot marker; a node that was never seen before counts as restarted. */
export function hasRestarted(target: Target, { node, boot }: NodeServed): boolean {
  return boot !== null && target.boots[node] !== boot;
}
