/** Seeded chance for a simulated world. Every part has a stream of its own, so that one more draw here moves nothing there. */
import { assert } from '../../src/lib/assert.ts';
import { hash32, prng } from '../../src/lib/prng.ts';

export type Chance = {
  /** Uniform in [0, 1). */
  next(): number;
  /** A whole number, both ends included. */
  int(from: number, to: number): number;
  hits(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
};

export function chance(seed: number, stream: string): Chance {
  const next = prng(hash32(`${seed}/${stream}`));
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    int,
    hits: (probability) => next() < probability,
    pick(from) {
      const picked = from[int(0, from.length - 1)];
      assert(picked !== undefined, 'there is something to pick from');
      return picked;
    },
  };
}
