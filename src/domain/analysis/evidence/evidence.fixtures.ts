/** Specs, ticks and seeded chance for the tests of the evidence engine. */
import { prng } from '../../../lib/prng.ts';
import type { Pair } from './counts.ts';
import { countsWorth } from './counts.ts';
import { assess, init, step } from './engine.ts';
import type { EvidenceState, Spec, Tick } from './engine.ts';
import type { Arm } from './likelihood.ts';
import { gaugesWorth } from './gauges.ts';
import { logSpaced } from './log-space.ts';
import type { Schedule } from './process.ts';
import { tailsWorth } from './tails.ts';

export const ALPHA = 0.01;
/** Where a release of one check is taken back. */
export const ENOUGH = Math.log(1 / ALPHA);
export const TICK_MS = 10_000;

/** What an hour is looked at with. */
export const SCHEDULE: Schedule = { every: 30, restarts: 11, keptBack: 0.15, cap: ENOUGH / 2 };
export const NO_RESTART: Schedule = { every: 1, restarts: 0, keptBack: 0.15, cap: Infinity };

type Of<K extends Spec['kind'], T> = Extract<T, { kind: K }>;

export const countSpec = (change: Partial<Of<'counts', Spec>> = {}): Of<'counts', Spec> => ({
  kind: 'counts',
  isRate: false,
  limit: { factor: 1, floor: 0 },
  max: null,
  fewerIsWorse: false,
  schedule: SCHEDULE,
  ...change,
});

/** What a plan has by default: a tenth more, and one in ten thousand. */
export const TOLERANT = { factor: 1.1, floor: 0.0001 };

export const tailSpec = (change: Partial<Of<'tails', Spec>> = {}): Of<'tails', Spec> => ({
  kind: 'tails',
  tolerance: 0.25,
  quantile: 0.95,
  maxMs: null,
  schedule: SCHEDULE,
  ...change,
});

export const gaugeSpec = (change: Partial<Of<'gauges', Spec>> = {}): Of<'gauges', Spec> => ({
  kind: 'gauges',
  tolerance: 0,
  floor: 0,
  fewerIsWorse: false,
  alpha: ALPHA,
  ...change,
});

const span = (k: number): { from: number; to: number } => ({ from: k * TICK_MS, to: (k + 1) * TICK_MS });
export const arm = (n: number, bad: number): Arm => ({ n, bad });

type Told = { readonly instances?: readonly Arm[]; readonly parts?: Readonly<Record<string, Pair>> };

/** The `k`th interval; stable's instances are `a`, `b` and so on, or one that is all of it. */
export const counted = (k: number, canary: Arm, stable: Arm, { instances, parts = {} }: Told = {}): Of<'counts', Tick> => ({
  kind: 'counts',
  ...span(k),
  canary,
  stable,
  instances: (instances ?? [stable]).map((one, index) => ({ key: String.fromCharCode(97 + index), group: '', ...one })),
  parts,
});

export const tailed = (
  k: number,
  boundsMs: readonly number[],
  canary: readonly number[],
  stable: readonly number[],
): Of<'tails', Tick> => ({
  kind: 'tails',
  ...span(k),
  boundsMs,
  canary,
  stable,
  instances: [{ key: 'a', counts: stable }],
});

export const levelled = (
  k: number,
  canary: readonly number[],
  stable: readonly number[],
  tickMs = TICK_MS,
): Of<'gauges', Tick> => ({
  kind: 'gauges',
  from: k * tickMs,
  to: (k + 1) * tickMs,
  canary,
  stable,
});

/** All ticks, one after the other. */
export const run = (spec: Spec, ticks: readonly Tick[], start: EvidenceState = init(spec)): EvidenceState =>
  ticks.reduce((state, tick) => step(spec, state, tick), start);

export const logEOf = (spec: Spec, ticks: readonly Tick[], start?: EvidenceState): number =>
  assess(spec, run(spec, ticks, start)).logE;

/** The evidence alone, which is quicker than all that is said of it. */
function worthOf(spec: Spec, state: EvidenceState): number {
  if (spec.kind === 'counts' && state.kind === 'counts') return countsWorth(state, spec);
  if (spec.kind === 'tails' && state.kind === 'tails') return tailsWorth(state, spec);
  return spec.kind === 'gauges' && state.kind === 'gauges' ? gaugesWorth(state, spec.alpha) : 0;
}

/** After how many ticks the evidence is enough to roll back; null when it never is. */
export function failsAfter(
  spec: Spec,
  tick: (k: number) => Tick,
  { ticks, start = init(spec) }: { readonly ticks: number; readonly start?: EvidenceState },
): number | null {
  let state = start;
  for (let k = 0; k < ticks; k++) {
    state = step(spec, state, tick(k));
    if (ENOUGH <= worthOf(spec, state)) return k + 1;
  }
  return null;
}

export const DEFAULT_BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];
/** As an exponential histogram of schema 3 has them: each 9.05 % above the one before. */
export const FINE_BOUNDS = logSpaced(10, 10 * 2 ** (59 / 8), 60);

export type Chance = {
  readonly uniform: () => number;
  readonly binomial: (n: number, share: number) => number;
  readonly normal: () => number;
  /** Requests whose logarithm is normally distributed, in buckets. */
  readonly latencies: (n: number, medianMs: number, boundsMs: readonly number[]) => readonly number[];
};

const SIGMA = 0.6;

export function chance(seed: number): Chance {
  const uniform = prng(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return {
    uniform,
    normal,
    /** By the distances from one bad request to the next. */
    binomial: (n, share) => {
      if (share <= 0) return 0;
      const each = Math.log1p(-share);
      let bad = 0;
      for (let at = Math.log(1 - uniform()) / each; at < n; at += 1 + Math.floor(Math.log(1 - uniform()) / each)) bad++;
      return bad;
    },
    latencies: (n, medianMs, boundsMs) => {
      const counts = [...boundsMs, 0].map(() => 0);
      for (let request = 0; request < n; request++) {
        const ms = medianMs * Math.exp(SIGMA * normal());
        const place = boundsMs.findIndex((bound) => ms <= bound);
        const bucket = place === -1 ? boundsMs.length : place;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
      }
      return counts;
    },
  };
}
