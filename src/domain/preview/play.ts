/**
 * A plan played through once with the engine's twin, step by step as the step machine goes: it leaves a step when its hold
 * has passed, there were requests enough and nothing looks suspicious, over all or at this weight alone; earlier when that is allowed and proved; and goes back
 * as soon as the evidence of all checks together is enough.
 */
import type { Uniform } from '../../lib/draws.ts';
import type { Work } from '../../lib/slices.ts';
import { HARD_MIN_BAD, HARD_MIN_REQUESTS } from '../analysis/finding.ts';
import type { Modelled } from './modelled.ts';
import type { Stage } from './stages.ts';
import { anew, copied, drawn, fresh, mostOf, observe, proofOf, worthHere, worthOf } from './twin.ts';
import type { Betting, Counts, Levels, Place } from './twin.ts';

export type Entry = {
  readonly modelled: Modelled;
  /** Log of its part in the evidence of all. */
  readonly logPart: number;
  readonly needed: number | null;
  /** Number of the first check that counts the same: what that one counted is what this one counts. */
  readonly countsAs: number;
  /** By stage; null where it is not measured. */
  readonly places: readonly (Place | null)[];
};

export type Table = {
  readonly stages: readonly Stage[];
  readonly entries: readonly Entry[];
  /** Log of the evidence that checks without bets have: none. */
  readonly logRest: number;
  readonly intervalMs: number;
  readonly warmUpTicks: number;
  readonly threshold: number;
  readonly proofAt: number;
  /** From this evidence on nothing is raised. */
  readonly suspiciousAt: number;
  readonly deadlineMs: number;
  /** A check that is never proved: no step is left early. */
  readonly neverProved: boolean;
};

export type Trial = {
  /** What the canary's counts are like, by check; a check that is not here does not play. */
  readonly canary: readonly (Levels | null)[];
  readonly earlyAfterMs: number | null;
  /** The check whose bad requests are counted. */
  readonly culprit: number;
};

export type Play = {
  readonly end: 'back' | 'through' | 'held';
  readonly stage: number;
  readonly ms: number;
  /** Bad requests of the canary beyond what stable would have had. */
  readonly extra: number;
  /** What was bet on at the beginning of each stage that was reached. */
  readonly begun: readonly (readonly Betting[])[];
};

export const MOST_TICKS = 20_000;
/** Bets that are moved before others are let in between: a millisecond of them. */
const MOVES_PER_SLICE = 50_000;

/** Bets that one interval of some checks moves, with what is drawn for them. */
export const movesPerTick = (entries: readonly Entry[]): number =>
  entries.reduce((sum, { modelled: each }) => sum + each.twin.bets.reduce((all, { grid }) => all + grid.ratios.length, 20), 0);

const ticksPerSlice = (entries: readonly Entry[]): number => Math.ceil(MOVES_PER_SLICE / Math.max(1, movesPerTick(entries)));

export function* play(table: Table, trial: Trial, random: Uniform): Work<Play> {
  const perSlice = ticksPerSlice(table.entries);
  const states = table.entries.map(({ modelled }) => fresh(modelled.twin));
  const begun: Betting[][] = [];
  let ms = 0;
  let extra = 0;
  let ticks = 0;
  let before = 0;
  for (let stage = 0; stage < table.stages.length; stage++) {
    begun.push(states.map(copied));
    if (table.stages[stage]?.isPause !== true) {
      before = 0;
      states.forEach(anew);
    }
    for (let tick = 1; ; tick++) {
      const seen = interval(table, { trial, stage, tick: before + tick, states }, random);
      extra += seen.extra;
      if (seen.condemned) return { end: 'back', stage, ms: ms + tick * table.intervalMs, extra, begun };
      const stayedMs = tick * table.intervalMs;
      if (mayLeave(table, { trial, stage, tick: before + tick, states }, stayedMs)) {
        ms += Math.max(stayedMs, Math.min(table.stages[stage]?.holdMs ?? 0, stayedMs + table.intervalMs));
        before += tick;
        break;
      }
      if (table.deadlineMs <= ms + stayedMs || MOST_TICKS < ++ticks)
        return { end: 'held', stage, ms: ms + stayedMs, extra, begun };
      if (ticks % perSlice === 0) yield;
    }
  }
  return { end: 'through', stage: table.stages.length, ms, extra, begun };
}

type At = {
  readonly trial: Trial;
  readonly stage: number;
  /** From 1, since the weight was put on: a pause counts on. */
  readonly tick: number;
  readonly states: readonly Betting[];
};

function interval(table: Table, at: At, random: Uniform): { readonly condemned: boolean; readonly extra: number } {
  let condemned = false;
  let extra = 0;
  const counted = new Map<number, Counts>();
  for (const [index, entry] of table.entries.entries()) {
    const place = entry.places[at.stage];
    const levels = at.trial.canary[index];
    const state = at.states[index];
    if (!place || !levels || state === undefined) continue;
    const { twin, check, stable } = entry.modelled;
    const counts = counted.get(entry.countsAs) ?? {
      canary: drawn(random, place.canaryRequests, levels),
      stable: drawn(random, place.stableRequests, stable),
    };
    counted.set(entry.countsAs, counts);
    const bad = counts.canary[twin.shown] ?? 0;
    if (index === at.trial.culprit) extra += bad - place.canaryRequests * (stable[twin.proof?.stableLevel ?? 0] ?? 0);
    const hard = twin.hardMax;
    if (hard !== null && HARD_MIN_BAD <= bad && HARD_MIN_REQUESTS <= place.canaryRequests && hard < bad / place.canaryRequests)
      condemned = true;
    if (check.kind === 'latency' && at.tick <= table.warmUpTicks) continue;
    observe(twin, state, place, counts);
  }
  const isNear = table.threshold <= together(table, at, mostOf);
  return { condemned: condemned || (isNear && table.threshold <= together(table, at, worthOf)), extra };
}

/** Log of the evidence of all checks. */
function together({ entries, logRest }: Table, { states, trial }: Pick<At, 'states' | 'trial'>, of: typeof worthOf): number {
  let sum = Math.exp(logRest);
  for (const [index, { logPart, modelled }] of entries.entries()) {
    const state = states[index];
    if (state !== undefined) sum += Math.exp(logPart + (trial.canary[index] ? of(modelled.twin, state) : 0));
  }
  return Math.log(sum);
}

function mayLeave(table: Table, at: At, stayedMs: number): boolean {
  const { stages, entries, intervalMs, proofAt, suspiciousAt, neverProved } = table;
  const stage = stages[at.stage];
  if (stage === undefined) return true;
  const { earlyAfterMs } = at.trial;
  const mayBeEarly = earlyAfterMs !== null && earlyAfterMs <= stayedMs && !stage.isPause && stage.step !== null && !neverProved;
  if (stayedMs + intervalMs <= stage.holdMs && !mayBeEarly) return false;
  const measured = entries.flatMap((entry, index) => {
    const state = at.states[index];
    return entry.places[at.stage] && state !== undefined ? [{ entry, state, proved: proofAt <= proofOf(state) }] : [];
  });
  const isEarly = mayBeEarly && measured.length > 0 && measured.every(({ proved }) => proved);
  if (stayedMs + intervalMs <= stage.holdMs && !isEarly) return false;
  const enough = measured.every(({ entry, proved }) => proved || isEnough(entry, table, at));
  if (!enough || suspiciousAt <= together(table, at, worthOf)) return false;
  return measured.every(({ entry, state }) => entry.logPart + worthHere(entry.modelled.twin, state) < suspiciousAt);
}

/** A check that the plan lets go on without keeps nobody here. */
function isEnough({ needed, modelled, places }: Entry, { warmUpTicks }: Table, { stage, tick }: At): boolean {
  if (needed === null || modelled.check.onInconclusive === 'continue') return true;
  return needed <= Math.max(0, tick - warmUpTicks) * (places[stage]?.canaryRequests ?? 0);
}

/** Whether a regression that begins with a stage is seen within its hold, given what was bet on until then. */
export function* seenWithin(table: Table, entry: Entry, { stage, state, levels }: Within, random: Uniform): Work<boolean> {
  const place = entry.places[stage];
  const hold = table.stages[stage]?.holdMs ?? 0;
  if (!place) return false;
  const { twin, check, stable } = entry.modelled;
  const own = copied(state);
  const ticks = Math.min(MOST_TICKS, Math.floor(hold / table.intervalMs));
  const perSlice = ticksPerSlice([entry]);
  for (let tick = 1; tick <= ticks; tick++) {
    if (tick % perSlice === 0) yield;
    if (check.kind === 'latency' && tick <= table.warmUpTicks) continue;
    observe(twin, own, place, {
      canary: drawn(random, place.canaryRequests, levels),
      stable: drawn(random, place.stableRequests, stable),
    });
    const isNear = table.threshold <= entry.logPart + mostOf(twin, own);
    if (isNear && table.threshold <= entry.logPart + worthOf(twin, own)) return true;
  }
  return false;
}

export type Within = { readonly stage: number; readonly state: Betting; readonly levels: Levels };
