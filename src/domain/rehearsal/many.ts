/** The same plan over the same scenario many times, each with another chance: how it ends, when, and what it costs. */
import { hash32 } from '../../lib/prng.ts';
import type { Work } from '../../lib/slices.ts';
import type { JudgeState } from '../analysis/judge.ts';
import { Instant } from '../ids.ts';
import type { Plan } from '../plan.ts';
import { rehearse } from './rehearse.ts';
import type { Course, End } from './rehearse.ts';
import type { Scenario } from './scenario.ts';
import { madeUp } from './world.ts';
import type { World } from './world.ts';

export type Trials = {
  readonly runs: number;
  readonly seed: number;
  readonly horizonMs: number;
  readonly approveAfterMs: number | null;
};

export type EndShare = {
  readonly share: number;
  /** Null where no run ended so. */
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
};

export type Simulated = {
  readonly runs: number;
  readonly ends: Readonly<Record<End, EndShare>>;
  /** What users of the canary met, mean over the runs; `extra` is what they would not have met on stable. */
  readonly met: { readonly requests: number; readonly bad: number; readonly extra: number };
  /** Bad requests beyond stable's in the runs that were taken back, in the middle. */
  readonly extraUntilBack: number | null;
  /** The run that is drawn. */
  readonly first: Course;
};

/** Midnight of some day: nothing depends on it. */
const START = Instant(1_800_000_000_000);
const HISTORY_STEP_MS = 15_000;

export function* simulate(plan: Plan, scenario: Scenario, trials: Trials): Work<Simulated> {
  const known = new Map<string, JudgeState | null>();
  const courses: Course[] = [];
  const checks = Object.values(plan.checks);
  const before = madeUp(scenario, {
    start: START,
    seed: hash32(`${trials.seed}/past`),
    checks,
    pastStepMs: Math.max(plan.intervalMs, HISTORY_STEP_MS),
  });
  for (let run = 0; run < trials.runs; run++) {
    const seed = hash32(`${trials.seed}/${run}`);
    const world: World = {
      ...madeUp(scenario, { start: START, seed, checks, pastStepMs: null }),
      past: before.past,
    };
    courses.push(
      yield* rehearse({
        plan,
        world,
        start: START,
        horizonMs: trials.horizonMs,
        approveAfterMs: trials.approveAfterMs,
        version: 'canary',
        draws: run === 0,
        known,
      }),
    );
    yield;
  }
  return summary(courses);
}

function summary(courses: readonly Course[]): Simulated {
  const [first] = courses;
  if (first === undefined) throw new RangeError('one run at least');
  const of = (end: End): EndShare => {
    const times = courses.filter((course) => course.end === end).map(({ ms }) => ms);
    return { share: times.length / courses.length, medianMs: quantile(times, 0.5), p95Ms: quantile(times, 0.95) };
  };
  const mean = (value: (course: Course) => number): number =>
    courses.reduce((sum, course) => sum + value(course), 0) / courses.length;
  return {
    runs: courses.length,
    ends: { promoted: of('promoted'), rolledBack: of('rolledBack'), held: of('held') },
    met: {
      requests: mean(({ met }) => met?.requests ?? 0),
      bad: mean(({ met }) => met?.bad ?? 0),
      extra: Math.max(
        0,
        mean(({ met }) => met?.extra ?? 0),
      ),
    },
    extraUntilBack: quantile(
      courses.filter(({ end }) => end === 'rolledBack').map(({ met }) => met?.extra ?? 0),
      0.5,
    ),
    first,
  };
}

/** Null of nothing. */
export function quantile(values: readonly number[], at: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? null;
}
