/**
 * One look at a release: every answer judged for itself, and all of them together. What the controller does with answers
 * of providers and a rehearsal with made-up ones, so that a rehearsal cannot judge by other rules.
 */
import { plannedMs } from '../course.ts';
import type { Instant } from '../ids.ts';
import type { Check } from '../plan.ts';
import type { Release } from '../release.ts';
import { calibrate, judge } from './judge.ts';
import type { Judged, JudgeContext, JudgeState } from './judge.ts';
import type { CheckVerdict, Measurement } from './measurement.ts';
import { judgedTogether, partOf, suspiciousFrom } from './together.ts';

export type Answer = {
  readonly check: Check;
  readonly measurement: Measurement;
  /** What the judge kept from the last look, and already knows of stable. */
  readonly state: JudgeState | null;
};

export type Look = {
  readonly judged: readonly (Judged & Pick<Answer, 'check' | 'measurement'>)[];
  readonly verdicts: Readonly<Record<string, CheckVerdict>>;
  /** Why all evidence begins anew, or null. */
  readonly restart: string | null;
};

type Beside = {
  readonly now: Instant;
  /** Logarithms of the evidence of checks, as of their last look: for those that this step does not measure. */
  readonly elsewhere: Readonly<Record<string, number>>;
};

export function judgeRelease(release: Release, answers: readonly Answer[], { now, elsewhere }: Beside): Look {
  const singles = answers.map(({ check, measurement, state }) => ({
    check,
    measurement,
    ...judge(check, state, measurement, contextOf(release, check, now)),
  }));
  const together = judgedTogether(release.plan, singles, elsewhere);
  const judged = singles.map((one, index) => ({ ...one, verdict: together[index] ?? one.verdict }));
  return {
    judged,
    verdicts: Object.fromEntries(judged.map(({ check, verdict }) => [check.name, verdict])),
    restart: restartOf(release, judged),
  };
}

/** Another stable than before makes all evidence begin anew; but a suspicion against the canary does not end with it. */
function restartOf({ plan }: Release, judged: Look['judged']): string | null {
  const suspicious = suspiciousFrom(plan.falseRollbackRate);
  const isSuspected = judged.some(
    ({ check, verdict }) => !check.dryRun && suspicious <= (verdict.evidence.weighed?.together ?? 0),
  );
  return isSuspected ? null : (judged.find(({ check, restart }) => restart !== null && !check.dryRun)?.restart ?? null);
}

/** Logarithms of the evidence of checks as of their last look, of those whose evidence began when the release's did. */
export const evidenceElsewhere = (
  { evidenceFrom }: Release,
  known: Iterable<{ readonly check: string; readonly state: unknown; readonly verdict: CheckVerdict | null }>,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...known]
      .filter(
        ({ state }) =>
          typeof state === 'object' && state !== null && 'evidenceFrom' in state && state.evidenceFrom === evidenceFrom,
      )
      .map(({ check, verdict }) => [check, verdict?.evidence.weighed?.logE ?? 0]),
  );

type Known = { readonly state: JudgeState | null; readonly history: readonly Measurement[]; readonly now: Instant };

/** The state that knows what stable was like before the release; the one it was where there is nothing to know it from. */
export function knowing(release: Release, check: Check, { state, history, now }: Known): JudgeState | null {
  if (history.length === 0) return state;
  return calibrate(check, state, { ...contextOf(release, check, now), history }) ?? state;
}

function contextOf({ plan, evidenceSince, evidenceFrom }: Release, check: Check, now: Instant): JudgeContext {
  return {
    since: evidenceSince,
    evidenceFrom,
    warmUpMs: plan.warmUpMs,
    minMeasurements: plan.minMeasurements,
    intervalMs: plan.intervalMs,
    alpha: plan.falseRollbackRate,
    beta: plan.missRate,
    horizonMs: plannedMs(plan),
    part: partOf(check, plan),
    now,
  };
}
