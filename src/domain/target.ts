/**
 * A target is one place where a service's traffic is split. It outlives releases.
 *
 * It stores the share of its *second slot*, never of a role: swapping roles at a promotion writes no weight and moves
 * no traffic. The canary's weight is derived from the roles by the two functions below, and nowhere else.
 */
import { complement } from './ids.ts';
import type { Instant, TargetId, Weight } from './ids.ts';

export type Slots = readonly [first: string, second: string];

/** Nothing is ever written so often: a higher number at a place is of somebody's hand, and is behind no write of ours. */
const MOST_WRITES = 1_000_000_000;

/** Is there a later write than this one? Where the place keeps no number nobody knows. */
export const isBehind = (seq: number, shown: number | null): boolean => shown !== null && seq < shown && shown <= MOST_WRITES;

export type Target = {
  readonly id: TargetId;
  readonly service: string;
  /** Name of the router that splits it. */
  readonly router: string;
  /** The place inside that router. */
  readonly route: string;
  readonly cell: string;
  readonly slots: Slots;
  /** `enforce` repairs drift; `adopt` takes what somebody else set (never while a release is active). */
  readonly management: 'enforce' | 'adopt';
  readonly desiredSecond: Weight;
  /** Counts weight intents, monotone across releases: the fencing token of every write. */
  readonly seq: number;
  /** What was last read back everywhere, and for which intent; null when the latest intent is not verified yet. */
  readonly verifiedSecond: Weight | null;
  readonly verifiedSeq: number;
  readonly verifiedAt: Instant | null;
  /** Boot marker per node at the last verified write: another one means that the node restarted since. */
  readonly boots: Readonly<Record<string, string>>;
  /** When drift was last seen; a release younger evidence than this is worthless. */
  readonly driftAt: Instant | null;
  /** Set while some node differs from what is wanted and is left so (lowered by hand). */
  readonly differs: string | null;
  readonly unreachableSince: Instant | null;
  readonly eventSeq: number;
};

/** Which slot the canary is: the one that is not stable. */
export const canarySlot = (slots: Slots, stableSlot: string): string => (slots[0] === stableSlot ? slots[1] : slots[0]);

/** Share of the second slot that gives the canary `weight`; its own inverse. */
export const secondShare = (slots: Slots, stableSlot: string, weight: Weight): Weight =>
  slots[0] === stableSlot ? weight : complement(weight);

/** The canary's weight when the second slot has `share`. */
export const canaryWeight = secondShare;

export type Service = {
  readonly name: string;
  readonly stableSlot: string;
  readonly stableVersion: string | null;
  readonly updatedAt: Instant;
};
