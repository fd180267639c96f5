/**
 * Evidence from histograms: at each of several bounds the requests slower than it are counted, and judged as bad ones. The
 * evidences are averaged, which needs no independence. So a shift is found where it is, and nothing is asked of the shape.
 * This is a sequential test of stochastic order; on buckets of equal ratio the margin is a time (the canary may be slower
 * by one bucket), on others a share of slow requests.
 */
import { multiple, shareAlternatives } from './alternatives.ts';
import { dispersionFactor, noDispersion, observeScatter } from './dispersion.ts';
import type { Dispersion } from './dispersion.ts';
import { noEffect, observeEffect } from './effect.ts';
import type { Effect } from './effect.ts';
import { logShare, logShares } from './likelihood.ts';
import type { Arm } from './likelihood.ts';
import { logAddExp, logMeanExp } from './log-space.ts';
import { advanceBoth, begin, beginHere, everyOther, grid, worth } from './process.ts';
import type { Process, Schedule } from './process.ts';
import { noProof, observeProof } from './proof.ts';
import type { Proof } from './proof.ts';
import { requestsAbove, requestsIn } from '../histogram.ts';
import { sum } from '../interval.ts';

export type TailTick = {
  readonly from: number;
  readonly to: number;
  readonly boundsMs: readonly number[];
  /** Requests per bucket, one more than bounds. */
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  readonly instances: readonly { readonly key: string; readonly counts: readonly number[] }[];
};

export type TailSpec = {
  readonly tolerance: number;
  readonly quantile: number;
  /** The canary's own quantile may not be slower. */
  readonly maxMs: number | null;
  readonly schedule: Schedule;
};

/** What is slower than `canaryMs` on the canary, against what is slower than `stableMs` on stable. */
type Bound = { readonly canaryMs: number; readonly stableMs: number };

export type Tails = {
  readonly kind: 'tails';
  /** Fixed before the first interval that is judged; null while stable's requests are gathered to choose them. */
  readonly bounds: readonly (Bound & { readonly process: Process; readonly past: Arm })[] | null;
  readonly gathered: readonly number[];
  /** Against the promised limit. */
  readonly own: Process;
  /** Since the weight changed: at the bound that is told of, and against the limit. */
  readonly here: { readonly shown: Process; readonly own: Process };
  readonly dispersion: Dispersion;
  readonly effect: Effect;
  /** The bounds that the effect was counted at: the told one follows stable's quantile, which may move. */
  readonly counted?: Range | null;
  readonly proof: Proof;
  readonly ticks: number;
};

type Range = { readonly leastMs: number; readonly mostMs: number };

export const BOUND_BETS = grid(1.05, 20, 20);
const MOST_BOUNDS = 8;
/** Shares of stable's requests beyond a bound, between which it can tell something. */
const TELLING = { least: 0.001, most: 0.8 };
/** Requests of stable to choose the bounds by. */
const TO_CHOOSE = 200;
/** Bounds that grow by less than this, all alike, are those of an exponential histogram. */
const FINE = 1.2;
const ALIKE = 0.01;

const HERE = everyOther(BOUND_BETS);
const BOTH = [BOUND_BETS, HERE] as const;
const nothingHere = (): Tails['here'] => ({ shown: beginHere(HERE), own: beginHere(HERE) });

export const noTails = ({ schedule }: TailSpec): Tails => ({
  kind: 'tails',
  bounds: null,
  gathered: [],
  own: begin(BOUND_BETS, schedule),
  here: nothingHere(),
  dispersion: noDispersion(),
  effect: noEffect(),
  proof: noProof(),
  ticks: 0,
});

export function observeTails(before: Tails, tick: TailTick, spec: TailSpec): Tails {
  const { schedule, maxMs, quantile } = spec;
  const dispersion = dispersionFactor(before.dispersion);
  const canarySlower = slowerThan(tick.boundsMs, tick.canary);
  const stableSlower = slowerThan(tick.boundsMs, tick.stable);
  const [own, ownHere] =
    maxMs === null || isBeyondAll(tick.boundsMs, maxMs)
      ? [before.own, before.here.own]
      : ownAfter([before.own, before.here.own], canarySlower(maxMs), { quantile, schedule, dispersion });
  if (before.bounds === null) {
    const gathered = sum(before.gathered, tick.stable);
    const bounds = requestsIn(gathered) < TO_CHOOSE ? null : chosen(tick.boundsMs, gathered, spec);
    return {
      ...before,
      own,
      here: { ...before.here, own: ownHere },
      gathered: bounds === null ? gathered : [],
      bounds,
      ticks: before.ticks + 1,
    };
  }
  const limit = { factor: isFine(tick.boundsMs) ? 1 : 1 + spec.tolerance, floor: 0 };
  const shown = nearest(before.bounds, quantile);
  const advanced = before.bounds.map((bound) => {
    const canary = canarySlower(bound.canaryMs);
    const stable = stableSlower(bound.stableMs);
    const alternative = shareAlternatives(bound.past.bad / bound.past.n, limit);
    const gain = (ratio: number): number => {
      const bet = canary.n > 0 && stable.n > 0 ? alternative(ratio) : null;
      return bet === null ? 0 : logShares(canary, stable, bet, limit) / dispersion;
    };
    const [process, here] = advanceBoth([bound.process, before.here.shown], BOTH, schedule, gain);
    const past = { n: bound.past.n + stable.n, bad: bound.past.bad + stable.bad };
    return { isShown: bound === shown, here, bound: { ...bound, process, past } };
  });
  const bounds = advanced.map(({ bound }) => bound);
  const shownHere = advanced.find(({ isShown }) => isShown)?.here ?? before.here.shown;
  const here = { shown: shownHere, own: ownHere };
  if (shown === null) return { ...before, own, here, bounds, ticks: before.ticks + 1 };
  const canary = canarySlower(shown.stableMs);
  const stable = stableSlower(shown.stableMs);
  const effect = observeEffect(before.effect, canary, stable, dispersion);
  return {
    kind: 'tails',
    bounds,
    gathered: [],
    own,
    here,
    dispersion: scattered(before, tick, shown.stableMs),
    effect,
    counted: effect === before.effect ? (before.counted ?? null) : around(before.counted ?? null, shown.stableMs),
    proof: observeProof(before.proof, canary, stable, dispersion),
    ticks: before.ticks + 1,
  };
}

const around = (range: Range | null, ms: number): Range =>
  range === null ? { leastMs: ms, mostMs: ms } : { leastMs: Math.min(range.leastMs, ms), mostMs: Math.max(range.mostMs, ms) };

type Own = { readonly quantile: number; readonly schedule: Schedule; readonly dispersion: number };

/** Against the promised limit: no more than one minus the quantile of all requests are slower than it. */
function ownAfter(both: readonly [Process, Process], slow: Arm, { quantile, schedule, dispersion }: Own) {
  const share = 1 - quantile;
  return advanceBoth(both, BOTH, schedule, (ratio) => logShare(slow, multiple(share, ratio), share) / dispersion);
}

/** Of the open bucket nobody knows how many were slower than a limit beyond its beginning: nothing is held against a canary for it. */
const isBeyondAll = (boundsMs: readonly number[], ms: number): boolean => (boundsMs.at(-1) ?? 0) < ms;

/** What an interval of stable before the release tells: which bounds to look at, and the scatter beyond one of them. */
export function knownTails(before: Tails, tick: TailTick, spec: TailSpec): Tails {
  const gathered = sum(before.gathered, tick.stable);
  const bounds = requestsIn(gathered) < TO_CHOOSE ? null : chosen(tick.boundsMs, gathered, spec);
  const shown = bounds === null ? null : nearest(bounds, spec.quantile);
  return {
    ...before,
    gathered,
    bounds,
    dispersion: shown === null ? before.dispersion : scattered(before, tick, shown.stableMs),
  };
}

function scattered({ dispersion }: Tails, { boundsMs, instances, from, to }: TailTick, ms: number): Dispersion {
  const cells = instances.map(({ key, counts }) => ({
    key,
    group: '',
    ...slowerThan(boundsMs, counts)(ms),
  }));
  return observeScatter(dispersion, cells, { from, to, isRate: false });
}

type Slower = (ms: number) => Arm;

/** Requests slower than a time, of one arm: nearly always a bound, where it is a plain sum. */
function slowerThan(boundsMs: readonly number[], counts: readonly number[]): Slower {
  const above: number[] = [];
  let n = 0;
  for (let index = counts.length - 1; 0 <= index; index--) {
    above[index] = n;
    n += counts[index] ?? 0;
  }
  return (ms) => ({ n, bad: above[boundsMs.indexOf(ms)] ?? requestsAbove({ boundsMs, counts }, ms) });
}

/** The bounds beyond which some of stable's requests are and not nearly all; spread evenly when there are many. */
function chosen(boundsMs: readonly number[], gathered: readonly number[], { tolerance, schedule }: TailSpec): Tails['bounds'] {
  const fine = isFine(boundsMs);
  const all = requestsIn(gathered);
  const stable = { boundsMs, counts: gathered };
  const margin = fine && tolerance > 0 ? 1 : 0;
  const telling = boundsMs.flatMap((stableMs, index) => {
    const share = requestsAbove(stable, stableMs) / all;
    const canaryMs = boundsMs[index + margin];
    return canaryMs === undefined || TELLING.most < share ? [] : [{ stableMs, canaryMs, share }];
  });
  const some = telling.filter(({ share }) => TELLING.least <= share);
  // Where nearly everything is faster than the first bound that tells, growth beyond that one still shows.
  const kept = some.length === 0 ? telling.slice(0, 1) : evenly(some, MOST_BOUNDS);
  return kept.map(({ stableMs, canaryMs, share }) => ({
    stableMs,
    canaryMs,
    process: begin(BOUND_BETS, schedule),
    past: { n: all, bad: Math.max(share * all, 0.5) },
  }));
}

function evenly<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, k) => items[Math.round((k * (items.length - 1)) / (count - 1))]).filter(
    (item) => item !== undefined,
  );
}

/** Buckets of an exponential histogram: every bound is the same small factor above the one before. */
export function isFine(boundsMs: readonly number[]): boolean {
  const factors = boundsMs.slice(1).map((bound, index) => bound / (boundsMs[index] ?? bound));
  const first = factors[0];
  return first !== undefined && first < FINE && factors.every((factor) => Math.abs(factor / first - 1) < ALIKE);
}

/** The bound that cuts off about as much of stable as the quantile does. */
export function nearest(bounds: NonNullable<Tails['bounds']>, quantile: number): Bound | null {
  const distance = ({ past }: { readonly past: Arm }): number => Math.abs(Math.log(past.bad / past.n / (1 - quantile)));
  return bounds.reduce<NonNullable<Tails['bounds']>[number] | null>(
    (near, bound) => (near === null || distance(bound) < distance(near) ? bound : near),
    null,
  );
}

/** Log of what all of it is worth. */
export function tailsWorth({ bounds, own }: Tails, { maxMs }: TailSpec): number {
  const compared =
    bounds === null || bounds.length === 0 ? 0 : logMeanExp(bounds.map(({ process }) => worth(process, BOUND_BETS)));
  return maxMs === null ? compared : logAddExp(compared, worth(own, BOUND_BETS)) - Math.log(2);
}

/** Log of what the time since the weight changed is worth by itself. */
export function tailsHere({ here }: Tails, { maxMs }: TailSpec): number {
  const compared = worth(here.shown, HERE);
  return maxMs === null ? compared : logAddExp(compared, worth(here.own, HERE)) - Math.log(2);
}

/** Nothing was seen at the new weight yet. */
export const tailsAnew = (tails: Tails): Tails => ({ ...tails, here: nothingHere() });

/** The bound that the evidence comes from most, in ms, or the promised limit; null before there are bounds. */
export function worstBound({ bounds, own }: Tails, { maxMs }: TailSpec): number | 'limit' | null {
  const compared = (bounds ?? []).map(({ canaryMs, process }) => ({
    from: canaryMs,
    worth: worth(process, BOUND_BETS) - Math.log(bounds?.length ?? 1),
  }));
  const limit = maxMs === null ? [] : [{ from: 'limit' as const, worth: worth(own, BOUND_BETS) }];
  const first: { readonly from: number | 'limit' | null; readonly worth: number } = { from: null, worth: -Infinity };
  return [...compared, ...limit].reduce((worst, one) => (worst.worth < one.worth ? one : worst), first).from;
}
