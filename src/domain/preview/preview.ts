/**
 * What a plan can see with the traffic that its service has: for every step and check the smallest regression that shows,
 * how soon reference regressions are found and what they cost until then, how long a good release takes, and which steps
 * are too short or too small, with the numbers that would do.
 */
import { prng, hash32 } from '../../lib/prng.ts';
import type { Work } from '../../lib/slices.ts';
import { neededRequests } from '../analysis/needed.ts';
import { partOf, isEvidence, suspiciousFrom } from '../analysis/together.ts';
import { plannedMs, USUAL_SETTLE_MS } from '../course.ts';
import type { Plan } from '../plan.ts';
import { figuresOf } from '../rehearsal/figures.ts';
import type { Traffic } from '../rehearsal/figures.ts';
import { quantile } from '../rehearsal/many.ts';
import { adviceFor } from './advice.ts';
import { modelled } from './modelled.ts';
import type { Modelled } from './modelled.ts';
import { MOST_TICKS, movesPerTick, play, seenWithin } from './play.ts';
import type { Entry, Play, Table, Trial } from './play.ts';
import { stagesOf } from './stages.ts';
import { placed } from './twin.ts';
import type { Betting } from './twin.ts';

/** From one share of bad requests to another; of a latency, how many times as long. */
export type Change = { readonly from: number; readonly to: number };

export type StepView = {
  /** From 1; null for the bake. */
  readonly step: number | null;
  readonly weightBp: number;
  readonly holdMs: number;
  readonly checks: Readonly<Record<string, StepCheck>>;
};

export type StepCheck = {
  /** Of the canary, in the hold. */
  readonly requests: number;
  /** Before it may pass here, and how long they take; null: any, or they never come. */
  readonly needed: number | null;
  readonly neededMs: number | null;
  readonly enough: boolean;
  /** The smallest regression beginning here that is found within the hold with 90 %; null: none is. */
  readonly sees: Change | null;
};

export type Regression = {
  readonly check: string;
  readonly unit: 'share' | 'times';
  readonly change: Change;
  readonly steps: readonly {
    readonly step: number | null;
    /** Chance that it is found here, and by the end of this step. */
    readonly within: number;
    readonly byEnd: number;
  }[];
  readonly found: number;
  /** From the start of the release, in the middle of those that are found. */
  readonly medianMs: number | null;
  /** Beyond stable's until it is found, in the middle. */
  readonly badRequests: number | null;
};

export type Preview = {
  /** Runs that each figure comes from. */
  readonly runs: number;
  readonly requestsPerSecond: number;
  readonly steps: readonly StepView[];
  readonly regressions: readonly Regression[];
  readonly good: {
    readonly plannedMs: number;
    readonly promoted: number;
    /** Taken back although nothing is wrong with it. */
    readonly takenBack: number;
    readonly medianMs: number | null;
    /** With `advanceEarly`: the plan's own, or after its default; null where no check of the plan can prove. */
    readonly earlyMedianMs: number | null;
  };
  readonly notForetold: readonly { readonly check: string; readonly why: string }[];
  readonly advice: readonly string[];
};

/** Runs that the smallest regression is looked for with. */
const TO_BISECT = 150;
/** Shares, in which the second is one that a regression goes up to; times, how much longer requests take. */
const TIMES_AS_BAD = [2, 3];
const UP_TO = [0.01, 0.05];
const TIMES_AS_LONG = [1.1, 1.3, 2];
const SEEN_WITH = 0.9;
const EARLY_AFTER_MS = 120_000;
const BISECTIONS = 8;

export function* preview(plan: Plan, traffic: Traffic, seed = 1): Work<Preview> {
  const { table, notForetold } = tableOf(plan, traffic);
  const runs = runsFor(table);
  const trial: Trial = {
    canary: table.entries.map(({ modelled: each }) => each.canary(each.same)),
    earlyAfterMs: plan.earlyAfterMs,
    culprit: 0,
  };
  const good = yield* plays(table, { ...trial, earlyAfterMs: null }, { runs, seed: `${seed}/good` });
  const canBeEarly = !table.neverProved && table.entries.length > 0;
  const early = canBeEarly
    ? yield* plays(table, { ...trial, earlyAfterMs: plan.earlyAfterMs ?? EARLY_AFTER_MS }, { runs, seed: `${seed}/early` })
    : [];
  const steps: StepView[] = [];
  for (const [index, stage] of table.stages.entries()) {
    const checks: Record<string, StepCheck> = {};
    for (const [number, entry] of table.entries.entries()) {
      const place = entry.places[index];
      if (!place) continue;
      const begun = good.slice(0, TO_BISECT).flatMap((run) => run.begun[index]?.[number] ?? []);
      const sees = yield* smallestSeen(table, entry, { stage: index, begun, seed: `${seed}/${index}/${number}` });
      checks[entry.modelled.check.name] = { ...countsAt(table, entry, index), sees };
    }
    steps.push({ step: stage.step, weightBp: stage.weight, holdMs: stage.holdMs, checks });
  }
  const regressions: Regression[] = [];
  for (const [number, { modelled: each }] of table.entries.entries())
    for (const to of referencesOf(each)) {
      const canary = table.entries.map(({ modelled: other }, index) => {
        if (index === number || isSameTraffic(other, each)) return other.canary(to);
        return plan.earlyAfterMs === null ? null : (trial.canary[index] ?? null);
      });
      const found = yield* plays(table, { ...trial, canary, culprit: number }, { runs, seed: `${seed}/${number}/${to}` });
      regressions.push(regressionOf(table, each, to, found));
    }
  const ends = goodOf(plan, good, early);
  return {
    runs,
    requestsPerSecond: traffic.requestsPerSecond,
    steps,
    regressions,
    good: ends,
    notForetold,
    advice: adviceFor(plan, table, { steps, good: ends }),
  };
}

/** Several checks of one thing, such as a comparison and a promised limit, go wrong together. */
function isSameTraffic(one: Modelled, other: Modelled): boolean {
  if (one.check.kind === 'latency' || other.check.kind === 'latency') return false;
  const asked = ({ check: { provider, query } }: Modelled) =>
    [provider, query['bad'], query['total'], query['offered'], query['events']].join(' ');
  return asked(one) === asked(other);
}

function tableOf(plan: Plan, traffic: Traffic): { readonly table: Table; readonly notForetold: Preview['notForetold'] } {
  const stages = stagesOf(plan);
  const rules = { alpha: plan.falseRollbackRate, tickMs: plan.intervalMs, horizonMs: plannedMs(plan) };
  const rps = traffic.requestsPerSecond;
  const notForetold: { check: string; why: string }[] = [];
  const entries: Entry[] = [];
  const checks = Object.values(plan.checks).filter(({ dryRun }) => !dryRun);
  for (const check of checks) {
    const found = modelled(check, figuresOf(traffic, check.name), { rules, rps });
    if (typeof found === 'string') {
      notForetold.push({ check: check.name, why: found });
      continue;
    }
    const perTick = (rps * plan.intervalMs) / 1000;
    const part = partOf(check, plan);
    const same = entries.findIndex(({ modelled: other }) => isSameTraffic(other, found));
    entries.push({
      modelled: found,
      countsAs: same < 0 ? entries.length : same,
      logPart: Math.log(part),
      needed: neededRequests(found.check, found.figures.bad, plan.falseRollbackRate * part),
      places: stages.map(({ weight, checks: names }) => {
        const share = weight / 10_000;
        return names.includes(check.name) ? placed(found.twin, perTick * share, perTick * (1 - share)) : null;
      }),
    });
  }
  const rest = checks.filter(isEvidence).reduce((sum, check) => sum + partOf(check, plan), 0);
  const known = entries.reduce((sum, { logPart }) => sum + Math.exp(logPart), 0);
  const table = {
    stages,
    entries,
    logRest: Math.log(Math.max(0, rest - known)),
    intervalMs: plan.intervalMs,
    warmUpTicks: Math.ceil(plan.warmUpMs / plan.intervalMs),
    threshold: Math.log(1 / plan.falseRollbackRate),
    proofAt: Math.log(1 / plan.missRate),
    suspiciousAt: suspiciousFrom(plan.falseRollbackRate),
    deadlineMs: plan.deadlineMs,
    neverProved: notForetold.length > 0 || entries.some(({ modelled: each }) => each.twin.proof === null),
  };
  return { table, notForetold };
}

/** Bets that are moved for a whole preview; at some 15 ns each that is below two seconds. */
const MOVES = 1e8;
const RUNS = { least: 30, most: 300 };

function runsFor(table: Table): number {
  const rounds = 2 + BISECTIONS + TIMES_AS_BAD.length + UP_TO.length;
  return Math.round(
    Math.min(RUNS.most, Math.max(RUNS.least, MOVES / Math.max(1, ticksOfRun(table) * movesPerTick(table.entries) * rounds))),
  );
}

/** Looks of a run that goes through: a step with little traffic is waited at for much longer than its hold. */
function ticksOfRun({ stages, entries, intervalMs, warmUpTicks, deadlineMs }: Table): number {
  const ticks = stages.reduce((sum, { holdMs }, index) => {
    const waits = entries.map(({ needed, places, modelled: { check } }) => {
      const place = places[index];
      const isWaitedFor = place && needed !== null && check.onInconclusive !== 'continue';
      return isWaitedFor ? warmUpTicks + Math.ceil(needed / place.canaryRequests) : 0;
    });
    return sum + Math.max(Math.ceil(holdMs / intervalMs), ...waits);
  }, 0);
  return Math.min(ticks, Math.ceil(deadlineMs / intervalMs), MOST_TICKS);
}

type Chances = { readonly runs: number; readonly seed: string };

function* plays(table: Table, trial: Trial, { runs, seed }: Chances): Work<readonly Play[]> {
  const all: Play[] = [];
  for (let run = 0; run < runs; run++) {
    all.push(yield* play(table, trial, prng(hash32(`${seed}/${run}`))));
    yield;
  }
  return all;
}

type Begun = { readonly stage: number; readonly begun: readonly Betting[]; readonly seed: string };

/** By bisection over how bad it is; each try has the same chances, so that worse is never seen less. */
function* smallestSeen(table: Table, entry: Entry, { stage, begun, seed }: Begun): Work<Change | null> {
  const { same, tolerated, worst, canary } = entry.modelled;
  const isSeen = function* (to: number): Work<boolean> {
    let seen = 0;
    for (const [run, state] of begun.entries()) {
      if (yield* seenWithin(table, entry, { stage, state, levels: canary(to) }, prng(hash32(`${seed}/${run}`)))) seen++;
      if (run % 10 === 9) yield;
    }
    return SEEN_WITH * begun.length <= seen;
  };
  if (begun.length === 0 || !(yield* isSeen(worst))) return null;
  const least = Math.max(1e-7, tolerated);
  const at = (part: number): number => (worst === 0 ? tolerated * (1 - part) : least * (worst / least) ** part);
  let [low, high] = [0, 1];
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (yield* isSeen(at(middle))) high = middle;
    else low = middle;
  }
  return { from: same, to: at(high) };
}

function countsAt({ stages, intervalMs, warmUpTicks }: Table, { places, needed }: Entry, index: number): Omit<StepCheck, 'sees'> {
  const perTick = places[index]?.canaryRequests ?? 0;
  const ticksOf = (at: number): number => Math.floor((stages[at]?.holdMs ?? 0) / intervalMs);
  let atWeight = ticksOf(index);
  for (let at = index; stages[at]?.isPause === true; at--) atWeight += ticksOf(at - 1);
  const neededMs = needed === null ? 0 : perTick > 0 ? (Math.ceil(needed / perTick) + warmUpTicks) * intervalMs : null;
  return {
    requests: Math.round(perTick * ticksOf(index)),
    needed,
    neededMs,
    enough: needed === null || needed <= perTick * Math.max(0, atWeight - warmUpTicks),
  };
}

function referencesOf({ check, same, tolerated, worst }: Modelled): readonly number[] {
  if (check.kind === 'latency') return TIMES_AS_LONG;
  if (worst === 0) return TIMES_AS_BAD.map((times) => same / times);
  const shares = [...TIMES_AS_BAD.map((times) => times * same), ...(check.kind === 'rate' ? [] : UP_TO)];
  const worse = [...new Set(shares)].filter((share) => tolerated < share && share < 1);
  return worse.toSorted((a, b) => a - b);
}

function regressionOf({ stages }: Table, { check, same }: Modelled, to: number, runs: readonly Play[]): Regression {
  const found = runs.filter(({ end }) => end === 'back');
  const steps = stages.map(({ step }, index) => ({
    step,
    within: found.filter(({ stage }) => stage === index).length / runs.length,
    byEnd: found.filter(({ stage }) => stage <= index).length / runs.length,
  }));
  return {
    check: check.name,
    unit: check.kind === 'latency' ? 'times' : 'share',
    change: { from: same, to },
    steps,
    found: found.length / runs.length,
    medianMs: quantile(
      found.map(({ ms }) => ms),
      0.5,
    ),
    badRequests: quantile(
      found.map(({ extra }) => Math.max(0, extra)),
      0.5,
    ),
  };
}

function goodOf(plan: Plan, runs: readonly Play[], early: readonly Play[]): Preview['good'] {
  const share = (end: Play['end']): number => runs.filter((run) => run.end === end).length / Math.max(1, runs.length);
  const median = (of: readonly Play[]): number | null =>
    quantile(
      of.filter(({ end }) => end === 'through').map(({ ms }) => ms + USUAL_SETTLE_MS),
      0.5,
    );
  return {
    plannedMs: plannedMs(plan) + USUAL_SETTLE_MS,
    promoted: share('through'),
    takenBack: share('back'),
    medianMs: median(runs),
    earlyMedianMs: median(early),
  };
}
