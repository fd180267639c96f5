/**
 * What a flag says to whom. A flag stands for the two slots of a service: a targeting key is on one of them, by the same hash
 * and salt as the edge, and the slot is `stable` or `canary` by the roles of the moment. Monotone, as `assign.ts` is.
 */
import { assignSticky } from './assign.ts';
import { ALL, NONE, Weight } from './ids.ts';
import type { ReleaseId } from './ids.ts';
import { canaryWeight, secondShare } from './target.ts';
import type { Slots } from './target.ts';

/** A flag as it stands: who gets what follows from this alone. */
export type FlagStanding = {
  readonly key: string;
  readonly service: string;
  /** The salt of the assignment. */
  readonly route: string;
  readonly slots: Slots;
  readonly stableSlot: string;
  readonly stableVersion: string | null;
  /** The canary's share. */
  readonly canary: Weight;
  readonly release: { readonly id: ReleaseId; readonly version: string; readonly step: number } | null;
};

export type Assignment = {
  readonly variant: 'stable' | 'canary';
  readonly slot: string;
  readonly version: string | null;
  /** Somebody else may get another answer. */
  readonly isSplit: boolean;
};

export function assignmentOf(flag: FlagStanding, targetingKey: string): Assignment {
  const share = secondShare(flag.slots, flag.stableSlot, flag.canary);
  const slot = flag.slots[assignSticky(flag.route, targetingKey, share)];
  const isStable = slot === flag.stableSlot;
  return {
    variant: isStable ? 'stable' : 'canary',
    slot,
    version: isStable ? flag.stableVersion : (flag.release?.version ?? null),
    isSplit: NONE < flag.canary && flag.canary < ALL,
  };
}

/**
 * The canary's share that is served of two that are known: what the table holds, and what was decided last. Never more than
 * either, so that a lowering counts from the moment it is decided and a raise only once it was carried out.
 */
export function lesserCanary(slots: Slots, stableSlot: string, ...[held, decided]: readonly [Weight, Weight]): Weight {
  return Weight(Math.min(canaryWeight(slots, stableSlot, held), canaryWeight(slots, stableSlot, decided)));
}
