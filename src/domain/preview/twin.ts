/**
 * The evidence engine in numbers only, for foretelling: the same bets, cap, restarts and mixtures, with gains that were
 * worked out once per weight. They can be, because the logarithm of an e-value is linear in the bad requests of both arms
 * once the requests are given, and what stable is like is taken as known. Some hundred times as fast as the engine, so that
 * a plan can be played through thousands of times before anybody runs it; `bench/preview.ts` holds it against the engine.
 */
import { binomial, poisson } from '../../lib/draws.ts';
import type { Uniform } from '../../lib/draws.ts';
import type { Arm } from '../analysis/evidence/likelihood.ts';
import { begin, restarted } from '../analysis/evidence/process.ts';
import type { Grid, Schedule } from '../analysis/evidence/process.ts';

/** One family of bets: over which levels of badness, and what its part in the check's evidence is. */
export type Bets = {
  readonly grid: Grid;
  readonly logPart: number;
  /** What is bet on since the weight changed, and its part in that; null where there is none. */
  readonly here: { readonly grid: Grid; readonly logPart: number } | null;
  /** Which of the nested counts it is about. */
  readonly canaryLevel: number;
  readonly stableLevel: number;
  /** Log e-value of one interval for each ratio. */
  gain(canary: Arm, stable: Arm, ratio: number): number;
};

/** Log of the bet on each smaller ratio that the canary is not twice as bad. */
export type ProofBets = {
  readonly canaryLevel: number;
  readonly stableLevel: number;
  gains(canary: Arm, stable: Arm): readonly number[];
};

export type Twin = {
  readonly name: string;
  readonly schedule: Schedule;
  readonly bets: readonly Bets[];
  readonly proof: ProofBets | null;
  /** The level that people call bad. */
  readonly shown: number;
  readonly hardMax: number | null;
};

/** Shares of requests beyond each level, falling: of a share of bad requests there is one. */
export type Levels = readonly number[];

/** Per interval, at one weight: what is gained with no bad request, and by each one. */
type Gains = { readonly none: Float64Array; readonly canary: Float64Array; readonly stable: Float64Array };

export type Place = {
  readonly canaryRequests: number;
  readonly stableRequests: number;
  readonly gains: readonly Gains[];
  readonly proof: Gains | null;
};

export type Betting = {
  bets: Float64Array[];
  here: Float64Array[];
  proof: Float64Array;
  unstarted: number;
  started: number;
  ticks: number;
};

export function placed(twin: Twin, canaryRequests: number, stableRequests: number): Place {
  const canary = (bad: number): Arm => ({ n: canaryRequests, bad });
  const stable = (bad: number): Arm => ({ n: stableRequests, bad });
  const isOneSided = canaryRequests <= 0 || stableRequests <= 0;
  const linear = (of: (canary: Arm, stable: Arm) => readonly number[]): Gains => {
    const none = of(canary(0), stable(0));
    return {
      none: Float64Array.from(none),
      canary: Float64Array.from(of(canary(1), stable(0)), (gain, k) => gain - (none[k] ?? 0)),
      stable: Float64Array.from(of(canary(0), stable(1)), (gain, k) => gain - (none[k] ?? 0)),
    };
  };
  return {
    canaryRequests,
    stableRequests,
    gains: twin.bets.map(({ grid, gain }) => linear((own, other) => grid.ratios.map((ratio) => gain(own, other, ratio)))),
    proof: twin.proof === null || isOneSided ? null : linear(twin.proof.gains),
  };
}

export function fresh({ bets, schedule, proof }: Twin): Betting {
  const begun = bets.map(({ grid }) => begin(grid, schedule));
  return {
    bets: begun.map((process) => Float64Array.from(process.bets)),
    here: bets.map(({ here }) => new Float64Array(here?.grid.ratios.length ?? 0)),
    proof: new Float64Array(proof === null ? 0 : proof.gains({ n: 1, bad: 0 }, { n: 1, bad: 0 }).length),
    unstarted: begun[0]?.unstarted ?? 0,
    started: 0,
    ticks: 0,
  };
}

/** The weight has changed. */
export function anew({ here }: Betting): void {
  for (const bets of here) bets.fill(0);
}

export const copied = ({ bets, here, proof, ...rest }: Betting): Betting => ({
  ...rest,
  bets: bets.map((each) => Float64Array.from(each)),
  here: here.map((each) => Float64Array.from(each)),
  proof: Float64Array.from(proof),
});

/** Bad requests beyond each level, among `requests`: each level takes its part of those beyond the one before. */
export function drawn(random: Uniform, requests: number, levels: Levels): readonly number[] {
  const counts: number[] = [];
  for (const [index, share] of levels.entries()) {
    const [before, left] = index === 0 ? [1, requests] : [levels[index - 1] ?? 0, counts[index - 1] ?? 0];
    if (index === 0 && share < RARE) counts.push(poisson(random, left * share));
    else counts.push(before <= 0 ? 0 : binomial(random, Math.round(left), Math.min(1, share / before)));
  }
  return counts;
}

/** Below this a share of a number that is not whole is drawn as arrivals; the difference is nothing there. */
const RARE = 0.2;

/** Bad requests beyond each level, of both arms. */
export type Counts = { readonly canary: readonly number[]; readonly stable: readonly number[] };

/** One interval. */
export function observe(twin: Twin, state: Betting, place: Place, { canary, stable }: Counts): void {
  restart(twin, state);
  for (const [index, { canaryLevel, stableLevel }] of twin.bets.entries()) {
    const gains = place.gains[index];
    const bets = state.bets[index];
    if (gains === undefined || bets === undefined) continue;
    const { cap } = twin.schedule;
    const counted = { canary: canary[canaryLevel] ?? 0, stable: stable[stableLevel] ?? 0, cap };
    add(bets, gains, { ...counted, every: 1, least: -Infinity });
    const here = state.here[index];
    if (here !== undefined) add(here, gains, { ...counted, every: 2, least: -cap });
  }
  const { proof } = twin;
  if (proof !== null && place.proof !== null)
    add(state.proof, place.proof, {
      canary: canary[proof.canaryLevel] ?? 0,
      stable: stable[proof.stableLevel] ?? 0,
      cap: Infinity,
      every: 1,
      least: -Infinity,
    });
  state.ticks++;
}

type Counted = {
  readonly canary: number;
  readonly stable: number;
  readonly cap: number;
  /** Which of the gains are the bets'. */
  readonly every: 1 | 2;
  readonly least: number;
};

function add(bets: Float64Array, gains: Gains, { canary, stable, cap, every, least }: Counted): void {
  for (let k = 0; k < bets.length; k++) {
    const at = k * every;
    const gain = (gains.none[at] ?? 0) + canary * (gains.canary[at] ?? 0) + stable * (gains.stable[at] ?? 0);
    bets[k] = Math.max(least, (bets[k] ?? 0) + Math.min(gain, cap));
  }
}

/** By the engine's own rule; it happens seldom. */
function restart({ schedule }: Twin, state: Betting): void {
  if (state.ticks === 0 || state.ticks % schedule.every !== 0 || schedule.restarts <= state.started) return;
  const { unstarted, started, ticks } = state;
  let next = { unstarted, started };
  state.bets = state.bets.map((bets) => {
    const after = restarted({ bets: [...bets], unstarted, started, ticks }, schedule);
    next = after;
    return Float64Array.from(after.bets);
  });
  state.unstarted = next.unstarted;
  state.started = next.started;
}

/** Log of what the evidence of this check is worth. */
export function worthOf({ bets }: Twin, state: Betting): number {
  let all = 0;
  for (const [index, { grid, logPart }] of bets.entries()) {
    const own = state.bets[index];
    if (own === undefined) continue;
    let sum = Math.exp(state.unstarted + logPart);
    for (let k = 0; k < own.length; k++) sum += Math.exp((own[k] ?? 0) + (grid.logWeights[k] ?? -Infinity) + logPart);
    all += sum;
  }
  return Math.log(all);
}

/** Log of what was seen since the weight changed; none at all where nothing is bet on it. */
export function worthHere({ bets }: Twin, state: Betting): number {
  let sum = 0;
  for (const [index, { here }] of bets.entries())
    for (const [k, bet] of (state.here[index] ?? []).entries())
      sum += Math.exp(bet + (here?.grid.logWeights[k] ?? -Infinity) + (here?.logPart ?? -Infinity));
  return Math.log(sum);
}

/** What the evidence is worth at the most, without an exponential of every bet: it seldom needs to be known better. */
export function mostOf({ bets }: Twin, state: Betting): number {
  let most = state.unstarted;
  let count = 0;
  for (const [index, { grid, logPart }] of bets.entries()) {
    const own = state.bets[index];
    if (own === undefined) continue;
    const { logWeights } = grid;
    for (let k = 0; k < own.length; k++) {
      const log = (own[k] ?? 0) + (logWeights[k] ?? -Infinity) + logPart;
      if (most < log) most = log;
    }
    count += own.length + 1;
  }
  return most + Math.log(Math.max(1, count));
}

/** Log of the proof that the canary is not twice as bad. */
export function proofOf({ proof }: Betting): number {
  let sum = 0;
  for (const log of proof) sum += Math.exp(log);
  return proof.length === 0 ? 0 : Math.log(sum / proof.length);
}
