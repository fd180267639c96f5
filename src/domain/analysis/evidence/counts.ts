/**
 * Evidence from counts of two arms: errors among requests, events of a rate, and a canary's share against a promised limit.
 * Every interval is a stratum of its own, so that neither weights that move nor incidents that both versions share count;
 * where a check tells parts of the traffic apart (routes), each part of each interval is.
 */
import { alternativesOf, multiple } from './alternatives.ts';
import { dispersionFactor, noDispersion, observeScatter } from './dispersion.ts';
import type { Cell, Dispersion } from './dispersion.ts';
import { noEffect, observeEffect } from './effect.ts';
import type { Effect } from './effect.ts';
import { logRates, logShare, logShares } from './likelihood.ts';
import type { Arm, Limit } from './likelihood.ts';
import { logAddExp, logMeanExp } from './log-space.ts';
import { advance, advanceBoth, begin, beginHere, everyOther, grid, twoGrids, worth } from './process.ts';
import type { Process, Schedule } from './process.ts';
import { noProof, observeProof, observeProofBelow } from './proof.ts';
import type { Proof } from './proof.ts';

export type Pair = { readonly canary: Arm; readonly stable: Arm };

export type CountTick = Pair & {
  readonly from: number;
  readonly to: number;
  /** Stable's instances; one when they are not told apart. */
  readonly instances: readonly Cell[];
  /** The same counts by part of the traffic; none when a check does not ask for parts. */
  readonly parts: Readonly<Record<string, Pair>>;
};

export type CountSpec = {
  readonly isRate: boolean;
  /** Against stable; null where only a promised limit counts. */
  readonly limit: Limit | null;
  /** The canary's own share may not be above it. */
  readonly max: number | null;
  /** Fewer is worse: the arms change places. */
  readonly fewerIsWorse: boolean;
  readonly schedule: Schedule;
};

export type Counts = {
  readonly kind: 'counts';
  /** All parts together, against stable. */
  readonly all: Process;
  /** Each part for itself, so that one broken route of many is seen. Which there are is fixed when they are first told apart. */
  readonly parts: Readonly<Record<string, Process>>;
  /** What stable was like in each part before now. */
  readonly past: Readonly<Record<string, Arm>>;
  /** Against the promised limit. */
  readonly own: Process;
  /** The same two, since the weight changed: the good time at a smaller one excuses nothing at this one. */
  readonly here: { readonly all: Process; readonly own: Process };
  readonly dispersion: Dispersion;
  readonly effect: Effect;
  readonly proof: Proof;
  readonly ticks: number;
};

export const ALL_PARTS = twoGrids(grid(1.3, 8, 14, 0.7), grid(14, 64, 3, 0), 0.08);
/** One broken part of many is broken badly, or not seen at all. */
const ONE_PART = grid(1.3, 64, 12);
const MOST_PARTS = 20;
const OTHER = 'other';
/** Half a bad request among fifty: soon outweighed, and harmless, since a wrong guess costs power only. */
const GUESS: Arm = { n: 50, bad: 0.5 };

export const noCounts = ({ schedule }: CountSpec): Counts => ({
  kind: 'counts',
  all: begin(ALL_PARTS, schedule),
  parts: {},
  past: {},
  own: begin(ALL_PARTS, schedule),
  here: nothingHere(),
  dispersion: noDispersion(),
  effect: noEffect(),
  proof: noProof(),
  ticks: 0,
});

const HERE = everyOther(ALL_PARTS);
const BOTH = [ALL_PARTS, HERE] as const;

export const nothingHere = (): Counts['here'] => ({ all: beginHere(HERE), own: beginHere(HERE) });

export function observeCounts(before: Counts, tick: CountTick, spec: CountSpec): Counts {
  const { limit, max, fewerIsWorse, isRate, schedule } = spec;
  const pairs = pairsOf(before, tick, fewerIsWorse);
  const dispersion = dispersionFactor(before.dispersion);
  const gains = limit === null ? {} : gainsOf(before, pairs, { limit, isRate, fewerIsWorse, dispersion });
  const names = Object.keys(gains);
  const newParts = names.length > 1 ? names : [];
  const isTold = Object.keys(before.parts).length > 0;
  const parts = isTold ? before.parts : Object.fromEntries(newParts.map((name) => [name, begin(ONE_PART, schedule)]));
  const [all, allHere] = advanceBoth([before.all, before.here.all], BOTH, schedule, (ratio) =>
    names.reduce((sum, name) => sum + (gains[name]?.(ratio) ?? 0), 0),
  );
  const [own, ownHere] =
    max === null
      ? [before.own, before.here.own]
      : advanceBoth(
          [before.own, before.here.own],
          BOTH,
          schedule,
          (ratio) => logShare(tick.canary, multiple(max, ratio), max) / dispersion,
        );
  return {
    kind: 'counts',
    all,
    parts: Object.fromEntries(
      Object.entries(parts).map(([name, process]) => [
        name,
        advance(process, ONE_PART, schedule, (ratio) => gains[name]?.(ratio) ?? 0),
      ]),
    ),
    past: remember(before.past, pairs, { isRate, fewerIsWorse }),
    own,
    here: { all: allHere, own: ownHere },
    dispersion: observeScatter(before.dispersion, tick.instances, { from: tick.from, to: tick.to, isRate }),
    effect: Object.values(pairs).reduce(
      (effect, { canary, stable }) => observeEffect(effect, canary, stable, dispersion),
      before.effect,
    ),
    proof:
      limit === null && max !== null
        ? observeProofBelow(before.proof, tick.canary, max, dispersion)
        : Object.values(pairs).reduce(
            (proof, { canary, stable }) => observeProof(proof, canary, stable, dispersion),
            before.proof,
          ),
    ticks: before.ticks + 1,
  };
}

/** The most that history counts for, in requests: stable may have changed since. */
const MOST_PAST = 1e5;

/** What an interval of stable before the release tells: its rate and its scatter. */
export function knownCounts(
  { past, parts, dispersion }: Counts,
  tick: CountTick,
  { isRate }: CountSpec,
): Pick<Counts, 'past' | 'dispersion'> {
  const next = remember(past, pairsOf({ parts }, tick, false), { isRate, fewerIsWorse: false });
  return {
    past: Object.fromEntries(
      Object.entries(next).map(([name, { n, bad }]) => [
        name,
        n > MOST_PAST ? { n: MOST_PAST, bad: (bad * MOST_PAST) / n } : { n, bad },
      ]),
    ),
    dispersion: observeScatter(dispersion, tick.instances, { from: tick.from, to: tick.to, isRate }),
  };
}

/** What a tick compares, by part; a part that was not there at first goes with the others. */
function pairsOf({ parts }: Pick<Counts, 'parts'>, tick: CountTick, fewerIsWorse: boolean): Readonly<Record<string, Pair>> {
  const told = Object.keys(tick.parts).length > 1 ? tick.parts : { [OTHER]: { canary: tick.canary, stable: tick.stable } };
  const known = Object.keys(parts).length === 0 ? largest(told) : new Set(Object.keys(parts));
  const pairs: Record<string, Pair> = {};
  for (const [name, pair] of Object.entries(told)) {
    const own = known.has(name) ? name : OTHER;
    pairs[own] = pairs[own]
      ? { canary: plus(pairs[own].canary, pair.canary), stable: plus(pairs[own].stable, pair.stable) }
      : pair;
  }
  return fewerIsWorse
    ? Object.fromEntries(Object.entries(pairs).map(([name, { canary, stable }]) => [name, { canary: stable, stable: canary }]))
    : pairs;
}

const largest = (told: Readonly<Record<string, Pair>>): ReadonlySet<string> =>
  new Set(
    Object.entries(told)
      .sort(([, a], [, b]) => b.stable.n - a.stable.n)
      .slice(0, MOST_PARTS)
      .map(([name]) => name),
  );

const plus = (a: Arm, b: Arm): Arm => ({ n: a.n + b.n, bad: a.bad + b.bad });

type Gain = (ratio: number) => number;

/** Log e-values by part. A part in which one arm had nothing says nothing. */
function gainsOf(
  { past }: Counts,
  pairs: Readonly<Record<string, Pair>>,
  { limit, dispersion, ...sides }: Sides & { readonly limit: Limit; readonly dispersion: number },
): Readonly<Record<string, Gain>> {
  const logOf = sides.isRate ? logRates : logShares;
  return Object.fromEntries(
    Object.entries(pairs).map(([name, pair]): [string, Gain] => {
      const { canary, stable } = pair;
      if (canary.n <= 0 || stable.n <= 0) return [name, () => 0];
      const before = past[name] ?? guessOf(stableOf(pair, sides), sides);
      const alternative = alternativesOf(before.bad / before.n, limit, sides);
      return [
        name,
        (ratio) => {
          const chosen = alternative(ratio);
          return chosen === null ? 0 : logOf(canary, stable, chosen, limit) / dispersion;
        },
      ];
    }),
  );
}

type Sides = Pick<CountSpec, 'isRate' | 'fewerIsWorse'>;

/** Stable's own counts, also where the arms have changed places. */
const stableOf = ({ canary, stable }: Pair, { fewerIsWorse }: Sides): Arm => (fewerIsWorse ? canary : stable);

/** The unit of an exposure is anybody's; how large it was tells nothing of how it went. */
const guessOf = (stable: Arm, { isRate }: Sides): Arm => (isRate ? { n: stable.n, bad: GUESS.bad } : GUESS);

/** Taken in after its use, so that what is bet on never knows the interval that it is bet on. */
function remember(past: Counts['past'], pairs: Readonly<Record<string, Pair>>, sides: Sides): Counts['past'] {
  const next: Record<string, Arm> = { ...past };
  for (const [name, pair] of Object.entries(pairs)) {
    const stable = stableOf(pair, sides);
    if (stable.n > 0) next[name] = plus(next[name] ?? guessOf(stable, sides), stable);
  }
  return next;
}

/** Log of what all of it is worth. */
export function countsWorth({ all, parts, own }: Counts, { limit, max }: CountSpec): number {
  const together = worth(all, ALL_PARTS);
  const each = Object.values(parts).map((process) => worth(process, ONE_PART));
  const compared = each.length === 0 ? together : logMeanExp([together, logMeanExp(each)]);
  if (max === null) return compared;
  const alone = worth(own, ALL_PARTS);
  return limit === null ? alone : logAddExp(compared, alone) - Math.log(2);
}

/** Log of what the time since the weight changed is worth by itself. */
export function countsHere({ here }: Counts, { limit, max }: CountSpec): number {
  const compared = worth(here.all, HERE);
  if (max === null) return compared;
  const alone = worth(here.own, HERE);
  return limit === null ? alone : logAddExp(compared, alone) - Math.log(2);
}

/** The part of the traffic, or the limit, that the evidence comes from most; null when it is everything together. */
export function worstPart({ all, parts, own }: Counts, { limit, max }: CountSpec): string | null {
  const candidates: readonly (readonly [string | null, number])[] = [
    [null, limit === null ? -Infinity : worth(all, ALL_PARTS)],
    ['limit', max === null ? -Infinity : worth(own, ALL_PARTS)],
    ...Object.entries(parts).map(([name, process]): readonly [string, number] => [
      name,
      worth(process, ONE_PART) - Math.log(Object.keys(parts).length),
    ]),
  ];
  return candidates.reduce((worst, one) => (worst[1] < one[1] ? one : worst))[0];
}
