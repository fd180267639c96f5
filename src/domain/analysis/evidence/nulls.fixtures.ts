/** Good canaries in bad worlds: each makes the intervals of one release, from its seed. */
import { calibrated } from './engine.ts';
import type { EvidenceState, Spec, Tick } from './engine.ts';
import { arm, chance, counted, countSpec, DEFAULT_BOUNDS, FINE_BOUNDS, tailed, tailSpec, TOLERANT } from './evidence.fixtures.ts';
import type { Chance } from './evidence.fixtures.ts';
import type { Arm } from './likelihood.ts';

export type World = {
  readonly spec: Spec;
  readonly ticks: (seed: number) => (k: number) => Tick;
  readonly start?: (seed: number) => EvidenceState;
};

/** Ten intervals a minute would be too many: six. */
export const HALF_HOUR = 180;

const STRICT = countSpec();
const DEFAULT = countSpec({ limit: TOLERANT });

type Shares = { readonly canary: number; readonly stable: number };
type Sizes = readonly [canary: number, stable: number];

/** Independent requests of two rates, which may move. */
const independent =
  (spec: Spec, shares: (k: number) => Shares, sizes: (k: number) => Sizes = () => [100, 900]): World['ticks'] =>
  (seed) => {
    const draw = chance(seed);
    return (k) => {
      const [n, m] = sizes(k);
      const { canary, stable } = shares(k);
      return counted(k, arm(n, draw.binomial(n, canary)), arm(m, draw.binomial(m, stable)));
    };
  };

const same = (share: number): Shares => ({ canary: share, stable: share });
const world = (spec: Spec, shares: (k: number) => Shares, sizes?: (k: number) => Sizes): World => ({
  spec,
  ticks: independent(spec, shares, sizes),
});

/** Errors that come in rows: after each, one more with chance two thirds, so three on average. */
function inBursts(draw: Chance, n: number, share: number): Arm {
  let bad = 0;
  for (let burst = draw.binomial(n, share / 3); burst > 0; burst--) {
    bad++;
    while (draw.uniform() < 2 / 3) bad++;
  }
  return arm(n, Math.min(n, bad));
}

const BURSTY_INSTANCES = 9;
function bursty(draw: Chance, k: number): Tick {
  const instances = Array.from({ length: BURSTY_INSTANCES }, () => inBursts(draw, 100, 0.01));
  const stable = arm(
    100 * BURSTY_INSTANCES,
    instances.reduce((sum, { bad }) => sum + bad, 0),
  );
  return counted(k, inBursts(draw, 100, 0.01), stable, { instances });
}

/** Route A is good and hardly on the canary, route B is bad and much on it: pooled, the canary looks worse. */
function routes(draw: Chance, k: number): Tick {
  const a = { canary: arm(50, draw.binomial(50, 0.001)), stable: arm(450, draw.binomial(450, 0.001)) };
  const b = { canary: arm(150, draw.binomial(150, 0.03)), stable: arm(350, draw.binomial(350, 0.03)) };
  return counted(k, arm(200, a.canary.bad + b.canary.bad), arm(800, a.stable.bad + b.stable.bad), { parts: { a, b } });
}

const latency =
  (boundsMs: readonly number[], slower: number, medianMs: (k: number) => number): World['ticks'] =>
  (seed) => {
    const draw = chance(seed);
    return (k) =>
      tailed(k, boundsMs, draw.latencies(100, slower * medianMs(k), boundsMs), draw.latencies(900, medianMs(k), boundsMs));
  };

const drifting = (k: number): number => 100 * (1 + 0.4 * Math.sin(k / 20));
const incident = (k: number): number => (60 <= k && k < 96 ? 0.2 : 0.005);

export const NULLS: Readonly<Record<string, World>> = {
  'as good as stable at 0.1 %': world(STRICT, () => same(0.001)),
  'as good as stable at 1 %': world(STRICT, () => same(0.01)),
  'as good as stable at 20 %': world(STRICT, () => same(0.2)),
  'hardly any traffic': world(
    STRICT,
    () => same(0.01),
    () => [1, 9],
  ),
  'errors that come and go over the day': world(STRICT, (k) => same(0.0175 + 0.0125 * Math.sin(k / 28))),
  'an incident of both, seen by the canary an interval earlier': world(STRICT, (k) => ({
    canary: incident(k + 1),
    stable: incident(k),
  })),
  'a weight that rises while the errors of both do': world(
    STRICT,
    (k) => same(0.005 + (0.025 * k) / HALF_HOUR),
    (k) => [50 * (1 + Math.floor(k / 20)), 950 - 50 * Math.floor(k / 20)],
  ),
  'as bad as is tolerated': world(DEFAULT, () => ({ canary: 1.1 * 0.01 + 0.0001, stable: 0.01 })),
  'events of a rate': {
    spec: countSpec({ isRate: true }),
    ticks: independent(STRICT, () => same(0.03)),
  },
  'at the promised limit': { spec: countSpec({ limit: null, max: 0.01 }), ticks: independent(STRICT, () => same(0.01)) },
  'errors in bursts of three, and a history of stable': {
    spec: STRICT,
    ticks: (seed) => {
      const draw = chance(seed);
      return (k) => bursty(draw, k);
    },
    start: (seed) => {
      const draw = chance(1e6 + seed);
      return calibrated(
        STRICT,
        Array.from({ length: 2 * HALF_HOUR }, (_, k) => bursty(draw, k - 2 * HALF_HOUR)),
      );
    },
  },
  'routes that are mixed otherwise on the canary': {
    spec: countSpec({ schedule: STRICT.schedule }),
    ticks: (seed) => {
      const draw = chance(seed);
      return (k) => routes(draw, k);
    },
  },
  'latencies that drift on both': { spec: tailSpec(), ticks: latency(DEFAULT_BOUNDS, 1, drifting) },
  'latencies within strict buckets': { spec: tailSpec({ tolerance: 0 }), ticks: latency(FINE_BOUNDS, 1, () => 100) },
  'latencies a whole bucket slower': { spec: tailSpec(), ticks: latency(FINE_BOUNDS, 2 ** (1 / 8), () => 100) },
};
