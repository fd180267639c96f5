/** Names and numbers that must not be swapped. Each constructor checks; this is the one place that casts to a brand. */
import { assert } from '../lib/assert.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type ReleaseId = Brand<string, 'ReleaseId'>;
export type TargetId = Brand<string, 'TargetId'>;
/** Milliseconds since 1970 in store time. Every dwell and deadline is one, so a restart neither loses nor gains time. */
export type Instant = Brand<number, 'Instant'>;
/** Share of traffic in basis points, 0..10000. Of the canary, unless a name says `secondSlot`. */
export type Weight = Brand<number, 'Weight'>;

export const RELEASE_ID = /^[A-Za-z0-9-]{1,64}$/;

export function ReleaseId(text: string): ReleaseId {
  assert(RELEASE_ID.test(text), `a release id of letters, digits and dashes: ${text}`);
  return text as ReleaseId;
}

/** `service/router/route`: readable in a log, unique because a route is managed by one service. */
export function TargetId(text: string): TargetId {
  assert(text.length > 0 && text.length <= 300, 'a target id of 1 to 300 characters');
  return text as TargetId;
}

export function Instant(ms: number): Instant {
  assert(Number.isSafeInteger(ms) && ms >= 0, `an instant in whole milliseconds: ${ms}`);
  return ms as Instant;
}

export function Weight(basisPoints: number): Weight {
  assert(Number.isInteger(basisPoints), `a weight in whole basis points: ${basisPoints}`);
  assert(0 <= basisPoints && basisPoints <= 10_000, `a weight within 0..10000 basis points: ${basisPoints}`);
  return basisPoints as Weight;
}

export const NONE = Weight(0);
export const ALL = Weight(10_000);

export const after = (at: Instant, ms: number): Instant => Instant(at + Math.round(ms));
export const complement = (weight: Weight): Weight => Weight(10_000 - weight);
export const heavier = (a: Weight, b: Weight): Weight => (a < b ? b : a);

/** `0.5 %`, `25 %`: the form for sentences. */
export const percent = (weight: Weight): string => `${weight / 100} %`;
