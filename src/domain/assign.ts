/**
 * Which slot a sticky key belongs to at a given share. Monotone: raising the second slot's share only ever moves keys to
 * it, lowering only takes them back, so nobody flips to and fro as a release goes on. Salted by route, so that the unlucky
 * first percent is not the same people everywhere. Shared by the edge and by flag evaluation.
 */
import { hash32 } from '../lib/prng.ts';
import type { Weight } from './ids.ts';

const WHOLE = 10_000;

/** Index of the slot: 1 for the second one. */
export const assignSticky = (route: string, key: string, secondShare: Weight): 0 | 1 =>
  (hash32(`${route}\u0000${key}`) / 2 ** 32) * WHOLE < secondShare ? 1 : 0;

/** The same for a request without a key; `random` is uniform in [0, 1). */
export const assignRandom = (secondShare: Weight, random: number): 0 | 1 => (random * WHOLE < secondShare ? 1 : 0);
