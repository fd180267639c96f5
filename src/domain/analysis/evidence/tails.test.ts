/** Histograms: which bounds are looked at, what is found in them, and what is accepted. */
import { describe, expect, it } from 'vitest';
import { assess, calibrated, init, step } from './engine.ts';
import type { EvidenceState, Spec, Tick } from './engine.ts';
import {
  chance,
  DEFAULT_BOUNDS,
  ENOUGH,
  failsAfter,
  FINE_BOUNDS,
  NO_RESTART,
  run,
  tailed,
  tailSpec,
} from './evidence.fixtures.ts';
import { isFine } from './tails.ts';

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

type Slower = { readonly boundsMs?: readonly number[]; readonly by?: number; readonly stuck?: number };

const ticks = (count: number, seed: number, slower: Slower, from = 0): readonly Tick[] => {
  const tick = world(seed, slower);
  return Array.from({ length: count }, (_, k) => tick(from + k));
};

/** A hundred requests of the canary, of which some are slower, or some wait a second longer. */
function world(seed: number, { boundsMs = DEFAULT_BOUNDS, by = 1, stuck = 0 }: Slower): (k: number) => Tick {
  const { latencies, binomial } = chance(seed);
  return (k) => {
    const late = binomial(100, stuck);
    const canary = latencies(100 - late, 100 * by, boundsMs).map((count, index) =>
      boundsMs[index] === 2500 || (boundsMs[index] === undefined && !boundsMs.includes(2500)) ? count + late : count,
    );
    return tailed(k, boundsMs, canary, latencies(900, 100, boundsMs));
  };
}

const median = (spec: Spec, slower: Slower): number =>
  seeds(21)
    .map((seed) => failsAfter(spec, world(seed, slower), { ticks: 120 }) ?? Infinity)
    .toSorted((a, b) => a - b)[10] ?? NaN;

describe('what is found', () => {
  it('is a shift by a third in a minute or two, on coarse buckets and on fine ones', () => {
    expect(median(tailSpec(), { by: 1.3 })).toBeLessThanOrEqual(14);
    expect(median(tailSpec(), { by: 1.3, boundsMs: FINE_BOUNDS })).toBeLessThanOrEqual(12);
  });

  it('is one request in fifty that waits a second longer, which no quantile shows', () => {
    expect(median(tailSpec(), { stuck: 0.02 })).toBeLessThanOrEqual(14);
  });

  it('is a shift by less than is tolerated only by the strict', () => {
    const little = { by: 1.07, boundsMs: FINE_BOUNDS };
    expect(median(tailSpec(), little)).toBe(Infinity);
    expect(median(tailSpec({ tolerance: 0 }), little)).toBeLessThanOrEqual(60);
  });

  it('names the bound that it comes from', () => {
    const spec = tailSpec();
    const state = run(
      spec,
      Array.from({ length: 20 }, (_, k) => world(1, { stuck: 0.05 })(k)),
    );
    expect(Number(assess(spec, state).from)).toBeGreaterThanOrEqual(250);
    expect(assess(spec, init(spec)).from).toBeNull();
  });
});

describe('the bounds', () => {
  const boundsOf = (state: EvidenceState): readonly number[] | null =>
    state.kind === 'tails' && state.bounds !== null ? state.bounds.map(({ stableMs }) => stableMs) : null;

  it('are chosen from the first requests of stable, which are no evidence', () => {
    const spec = tailSpec({ schedule: NO_RESTART });
    const few = tailed(0, DEFAULT_BOUNDS, [0, 0, 0, 0, 0, 0, 0, 0, 0, 99, 0], [0, 0, 0, 60, 60, 40, 10, 0, 0, 0, 0]);
    const one = step(spec, init(spec), few);
    expect(boundsOf(one)).toBeNull();
    const two = step(spec, one, few);
    expect(boundsOf(two)).toEqual([50, 100, 250]);
    expect(Math.abs(assess(spec, two).logE)).toBeLessThan(1e-6);
  });

  it('are eight at the most, spread over what tells something', () => {
    const spec = tailSpec();
    const bounds = boundsOf(run(spec, [world(1, { boundsMs: FINE_BOUNDS })(0)])) ?? [];
    expect(bounds).toHaveLength(8);
    expect(bounds[0]).toBeGreaterThan(40);
    expect(bounds.at(-1)).toBeGreaterThan(400);
  });

  it('are there from the first interval where a history chose them', () => {
    const spec = tailSpec();
    const start = calibrated(
      spec,
      Array.from({ length: 30 }, (_, k) => world(2, {})(k - 30)),
    );
    expect(boundsOf(start)).not.toBeNull();
    expect(Math.abs(assess(spec, start).logE)).toBeLessThan(1e-6);
    const fresh = failsAfter(spec, world(1, { by: 2 }), { ticks: 10 });
    const known = failsAfter(spec, world(1, { by: 2 }), { ticks: 10, start });
    expect(known).not.toBeNull();
    expect(known).toBeLessThan(fresh ?? Infinity);
  });

  it('still show growth where nearly everything is faster than the first of them', () => {
    const spec = tailSpec();
    const fast = [1000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const slow = [50, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const found = failsAfter(spec, (k) => tailed(k, DEFAULT_BOUNDS, slow, fast), { ticks: 20 });
    expect(found).not.toBeNull();
    expect(found).toBeLessThan(8);
  });

  it('are fine when each is the same small factor above the one before', () => {
    expect(isFine(FINE_BOUNDS)).toBe(true);
    expect(isFine(DEFAULT_BOUNDS)).toBe(false);
    expect(isFine([1, 2, 4, 8])).toBe(false);
    expect(isFine([100])).toBe(false);
    expect(isFine([])).toBe(false);
  });
});

describe('a promised limit', () => {
  const found = (maxMs: number): number => assess(tailSpec({ maxMs }), run(tailSpec({ maxMs }), ticks(60, 1, {}))).logE;

  it('is held against the canary alone', () => {
    expect(found(200)).toBeGreaterThan(ENOUGH); // the p95 is near 270 ms
    expect(found(500)).toBeLessThan(0);
  });

  it('beyond the largest bucket is not held against it at all', () => {
    const spec = tailSpec({ maxMs: 9000 });
    const slow = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100];
    expect(
      assess(
        spec,
        run(
          spec,
          Array.from({ length: 30 }, (_, k) => tailed(k, DEFAULT_BOUNDS, slow, slow)),
        ),
      ).logE,
    ).toBeLessThan(0.1);
  });
});
