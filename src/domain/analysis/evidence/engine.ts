/**
 * The evidence engine: plain state, one interval in, the next state out. Pure, deterministic, constant work per interval.
 *
 * `init(spec)` makes the state of one check, `step(spec, state, tick)` takes in one disjoint interval, `assess(spec, state)`
 * says what the evidence is worth. Evidence lives as long as the release does: it carries over steps and changes of the
 * weight, because every interval is compared within itself. States are JSON and below eight kilobytes.
 *
 *   const spec = specOf(check, { alpha: 0.01, tickMs: 10_000, horizonMs: 3_600_000 });
 *   let state = init(spec);
 *   state = step(spec, state, { kind: 'counts', from, to, canary: { n: 100, bad: 1 }, stable: { n: 900, bad: 4 },
 *                               instances: [{ key: 'a', group: '', n: 900, bad: 4 }], parts: {} });
 *   assess(spec, state).logE >= Math.log(1 / 0.01)   // roll back (of one check; several are averaged, see `together`)
 */
import { unreachable } from '../../../lib/assert.ts';
import type { EvidenceCheck } from '../../plan.ts';
import { countsHere, countsWorth, knownCounts, noCounts, nothingHere, observeCounts, worstPart } from './counts.ts';
import type { Counts, CountSpec, CountTick } from './counts.ts';
import { dispersionFactor } from './dispersion.ts';
import { atLeast, estimateOf } from './effect.ts';
import type { RatioEstimate } from './effect.ts';
import { gaugesWorth, noGauges, observeGauges, scatterOf } from './gauges.ts';
import type { Gauges, GaugeSpec, GaugeTick } from './gauges.ts';
import { logSumExp } from './log-space.ts';
import { isPossible } from './possible.ts';
import type { Schedule } from './process.ts';
import { proofWorth } from './proof.ts';
import { knownTails, noTails, observeTails, tailsAnew, tailsHere, tailsWorth, worstBound } from './tails.ts';
import type { Tails, TailSpec, TailTick } from './tails.ts';

export type Spec =
  | ({ readonly kind: 'counts' } & CountSpec)
  | ({ readonly kind: 'tails' } & TailSpec)
  | ({ readonly kind: 'gauges' } & GaugeSpec);

export type Tick =
  | ({ readonly kind: 'counts' } & CountTick)
  | ({ readonly kind: 'tails' } & TailTick)
  | ({ readonly kind: 'gauges'; readonly from: number; readonly to: number } & GaugeTick);

export type EvidenceState = Counts | Tails | ({ readonly kind: 'gauges' } & Gauges);

export type Assessment = {
  /** Natural logarithm of the evidence that the canary is worse than tolerated; 0 is none. */
  readonly logE: number;
  /** Logarithm of the evidence that it is not twice as bad; null for kinds that do not prove it. */
  readonly logProof: number | null;
  /** With 95 %, and the lower end with the confidence of the release: 1 - alpha. */
  readonly effect: RatioEstimate | null;
  readonly atLeast: number | null;
  readonly dispersion: { readonly factor: number; readonly byInstance: boolean } | null;
  /** What the evidence comes from most, for people: a route, a bound, the limit; null when it is everything together. */
  readonly from: string | null;
};

export type Rules = {
  /** How often all checks together may take back a good release. */
  readonly alpha: number;
  readonly tickMs: number;
  /** How long the release is planned to take: late defects are looked for until then. */
  readonly horizonMs: number;
};

/** A limit of nothing at all would make one bad request infinite evidence. */
const LEAST_LIMIT = 1e-9;
const limitOf = (max: number | null): number | null => (max === null ? null : Math.max(max, LEAST_LIMIT));

const RESTART_MS = 300_000;
const MOST_RESTARTS = 24;
/** Enough for a defect of the twentieth minute, and hardly felt by one of the first. */
const KEPT_BACK = 0.15;

export function specOf(check: EvidenceCheck, rules: Rules): Spec {
  const schedule = scheduleOf(rules);
  switch (check.kind) {
    case 'ratio':
    case 'rate':
      return {
        kind: 'counts',
        isRate: check.kind === 'rate',
        limit: { factor: 1 + check.tolerance, floor: check.floor },
        max: check.kind === 'ratio' ? limitOf(check.max) : null,
        fewerIsWorse: check.worse === 'lower',
        schedule,
      };
    case 'slo':
      return { kind: 'counts', isRate: false, limit: null, max: limitOf(check.max), fewerIsWorse: false, schedule };
    case 'latency':
      return { kind: 'tails', tolerance: check.tolerance, quantile: check.quantile, maxMs: check.maxMs, schedule };
    case 'gauge':
      return {
        kind: 'gauges',
        tolerance: check.tolerance,
        floor: check.floor,
        fewerIsWorse: check.worse === 'lower',
        alpha: rules.alpha,
      };
    default:
      return unreachable(check);
  }
}

function scheduleOf({ alpha, tickMs, horizonMs }: Rules): Schedule {
  const everyMs = Math.max(RESTART_MS, horizonMs / MOST_RESTARTS);
  return {
    every: Math.max(1, Math.round(everyMs / tickMs)),
    restarts: Math.max(0, Math.ceil(horizonMs / everyMs) - 1),
    keptBack: KEPT_BACK,
    cap: Math.log(1 / alpha) / 2,
  };
}

export function init(spec: Spec): EvidenceState {
  switch (spec.kind) {
    case 'counts':
      return noCounts(spec);
    case 'tails':
      return noTails(spec);
    case 'gauges':
      return { kind: 'gauges', ...noGauges(null) };
    default:
      return unreachable(spec);
  }
}

/**
 * A state that knows what stable was like before: its rate and how it scatters, which bounds tell something, how far its
 * instances differ. `history` is intervals of stable before the release, oldest first; whatever is said of a canary in them
 * is not looked at. No evidence comes of it.
 */
export function calibrated(spec: Spec, history: readonly Tick[]): EvidenceState {
  const fresh = init(spec);
  const past = history.filter((tick) => isPossible(spec, tick));
  if (spec.kind === 'counts' && fresh.kind === 'counts')
    return past.reduce(
      (state, tick) => (tick.kind === 'counts' ? { ...state, ...knownCounts(state, tick, spec) } : state),
      fresh,
    );
  if (spec.kind === 'tails' && fresh.kind === 'tails')
    return past.reduce((state, tick) => (tick.kind === 'tails' ? knownTails(state, tick, spec) : state), fresh);
  return fresh;
}

/** The same for levels of stable's instances by name, `stepMs` apart. */
export const calibratedGauges = (levels: readonly Readonly<Record<string, number>>[], stepMs: number): EvidenceState => ({
  kind: 'gauges',
  ...noGauges(scatterOf(levels, stepMs)),
});

/** A tick of another kind than the state's changes nothing, and neither does one that cannot have happened. */
export function step(spec: Spec, state: EvidenceState, tick: Tick): EvidenceState {
  if (!isPossible(spec, tick)) return state;
  if (spec.kind === 'counts' && state.kind === 'counts' && tick.kind === 'counts') return observeCounts(state, tick, spec);
  if (spec.kind === 'tails' && state.kind === 'tails' && tick.kind === 'tails') return observeTails(state, tick, spec);
  if (spec.kind === 'gauges' && state.kind === 'gauges' && tick.kind === 'gauges')
    return { kind: 'gauges', ...(observeGauges(state, tick, spec, tick) ?? state) };
  return state;
}

/** The evidence alone, without what is said of it. */
export function worthOf(spec: Spec, state: EvidenceState): number {
  if (spec.kind === 'counts' && state.kind === 'counts') return countsWorth(state, spec);
  if (spec.kind === 'tails' && state.kind === 'tails') return tailsWorth(state, spec);
  return spec.kind === 'gauges' && state.kind === 'gauges' ? gaugesWorth(state, spec.alpha) : 0;
}

/** What was seen since the weight changed alone. The promise is about the whole release: this is reason to wait, not to go back. */
export function worthHere(spec: Spec, state: EvidenceState): number {
  if (spec.kind === 'counts' && state.kind === 'counts') return countsHere(state, spec);
  return spec.kind === 'tails' && state.kind === 'tails' ? tailsHere(state, spec) : 0;
}

/** The weight has changed: nothing was seen at the new one yet. */
export function atNewWeight(state: EvidenceState): EvidenceState {
  if (state.kind === 'counts') return { ...state, here: nothingHere() };
  return state.kind === 'tails' ? tailsAnew(state) : state;
}

export function assess(spec: Spec, state: EvidenceState): Assessment {
  if (spec.kind === 'counts' && state.kind === 'counts')
    return {
      logE: worthOf(spec, state),
      logProof: spec.fewerIsWorse || spec.isRate ? null : proofWorth(state.proof),
      effect: spec.limit === null ? null : canarysOwn(estimateOf(state.effect), spec),
      atLeast: spec.limit === null ? null : atLeast(state.effect, alphaOf(spec.schedule)),
      dispersion: told(state),
      from: worstPart(state, spec),
    };
  if (spec.kind === 'tails' && state.kind === 'tails') {
    const worst = worstBound(state, spec);
    return {
      logE: worthOf(spec, state),
      logProof: proofWorth(state.proof),
      effect: estimateOf(state.effect),
      atLeast: atLeast(state.effect, alphaOf(spec.schedule)),
      dispersion: told(state),
      from: worst === null ? null : `${worst}`,
    };
  }
  if (spec.kind === 'gauges' && state.kind === 'gauges')
    return { ...NOTHING, logE: worthOf(spec, state), effect: gaugeEffect(state) };
  return NOTHING;
}

/** Where fewer is worse the arms have changed places; people are told the canary's ratio all the same. */
function canarysOwn(found: RatioEstimate | null, { fewerIsWorse }: CountSpec): RatioEstimate | null {
  if (found === null || !fewerIsWorse) return found;
  const inverse = (ratio: number | null): number | null => (ratio === null ? null : 1 / ratio);
  return { estimate: 1 / found.estimate, low: inverse(found.high), high: inverse(found.low) };
}

export const NOTHING: Assessment = { logE: 0, logProof: null, effect: null, atLeast: null, dispersion: null, from: null };

const alphaOf = ({ cap }: Schedule): number => Math.exp(-2 * cap);

const told = ({ dispersion }: Counts | Tails): NonNullable<Assessment['dispersion']> => ({
  factor: dispersionFactor(dispersion),
  byInstance: dispersion.byInstance,
});

function gaugeEffect({ pairs, logRatios }: Gauges): RatioEstimate | null {
  if (pairs === 0) return null;
  const estimate = Math.exp(logRatios / pairs);
  return { estimate, low: null, high: null };
}

/** Several checks, one release: the weighted mean of their evidence, which is evidence whatever they have to do with each other. */
export function together(parts: readonly { readonly logE: number; readonly weight: number }[]): number {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  return parts.length === 0 ? 0 : logSumExp(parts.map(({ logE, weight }) => logE + Math.log(weight / total)));
}
