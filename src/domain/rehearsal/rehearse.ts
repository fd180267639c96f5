/**
 * A whole release on virtual time: the step machine and the judge are the real ones, only the traffic and the clock are
 * not. Routers do what they are told at once, people approve after a while, and promotion is a swap.
 */
import type { Work } from '../../lib/slices.ts';
import { evidenceElsewhere, judgeRelease, knowing } from '../analysis/judge-release.ts';
import { wantsHistory } from '../analysis/judge.ts';
import type { JudgeState } from '../analysis/judge.ts';
import type { CheckVerdict, Verdict } from '../analysis/measurement.ts';
import { overallVerdict } from '../analysis/summary.ts';
import { checksNow, requiredNow, USUAL_SETTLE_MS } from '../course.ts';
import { create } from '../create.ts';
import { decide } from '../decide.ts';
import { HEADGATE } from '../draft.ts';
import { after, Instant, ReleaseId, TargetId } from '../ids.ts';
import type { Input } from '../input.ts';
import type { Check, Plan } from '../plan.ts';
import type { Release } from '../release.ts';
import { isEnded } from '../release.ts';
import type { Met, World } from './world.ts';

export type Rehearsal = {
  readonly plan: Plan;
  readonly world: World;
  readonly start: Instant;
  /** A release that is still under way then is called held. */
  readonly horizonMs: number;
  /** How long people take to approve; null: nobody does. */
  readonly approveAfterMs: number | null;
  readonly version: string;
  /** Whether every look is written down. */
  readonly draws: boolean;
  /** Judges that know the past already, by check: it is the same for every run of one scenario. */
  readonly known: Map<string, JudgeState | null>;
};

export type End = 'promoted' | 'rolledBack' | 'held';

/** One look. Times are from the start of the release. */
export type Moment = {
  readonly ms: number;
  readonly weightBp: number;
  readonly step: number;
  readonly phase: string;
  readonly verdict: Verdict;
  /** Logarithms: of the evidence of all checks together, and where it takes the release back. */
  readonly logE: number;
  readonly threshold: number;
  readonly checks: Readonly<Record<string, { readonly verdict: Verdict; readonly logE: number | null }>>;
};

export type Said = { readonly ms: number; readonly type: string; readonly sentence: string };

export type Course = {
  readonly end: End;
  /** When the release ended; for a rollback when it was decided. The horizon for one that is held. */
  readonly ms: number;
  readonly weightBp: number;
  readonly cause: string | null;
  readonly met: Met | null;
  readonly moments: readonly Moment[];
  readonly events: readonly Said[];
};

const SETTLE_LOOK_MS = 5_000;
const JUDGED_PER_SLICE = 50;

type Running = {
  release: Release;
  readonly states: Map<string, JudgeState>;
  readonly verdicts: Map<string, CheckVerdict>;
  readonly moments: Moment[];
  readonly events: Said[];
};

export function* rehearse(rehearsal: Rehearsal): Work<Course> {
  const { world, start, horizonMs, plan } = rehearsal;
  const looksPerSlice = Math.max(1, Math.floor(JUDGED_PER_SLICE / Math.max(1, Object.keys(plan.checks).length)));
  let now = start;
  const running: Running = { release: begun(rehearsal), states: new Map(), verdicts: new Map(), moments: [], events: [] };
  for (let look = 1; now <= start + horizonMs; look++) {
    const next = act(running, rehearsal, now);
    const { release } = running;
    if (isEnded(release)) break;
    if (look % looksPerSlice === 0) yield;
    if (next <= now) continue;
    world.serve(release.wanted, now, next);
    now = next;
  }
  return courseOf(running, rehearsal, now);
}

function begun({ plan, start, version }: Rehearsal): Release {
  return create(
    {
      id: ReleaseId('rehearsal'),
      plan,
      version,
      stableVersion: 'stable',
      first: false,
      startPaused: false,
      promotion: { kind: 'swap' },
      targets: [TargetId('rehearsal')],
      settleMs: USUAL_SETTLE_MS,
      behind: null,
      by: HEADGATE,
    },
    start,
  ).next;
}

/** One look, and when the next one is due: now, where something has to follow at once. */
function act(running: Running, rehearsal: Rehearsal, now: Instant): Instant {
  const { phase, wanted } = running.release;
  switch (phase.kind) {
    case 'starting':
      take(running, rehearsal, { kind: 'prepared', failure: null }, now);
      return now;
    case 'shifting':
    case 'rollingBack':
      take(running, rehearsal, { kind: 'shifted', weight: wanted, failures: [] }, now);
      return now;
    default: {
      const { verdicts, restart } = judged(running, rehearsal, now);
      take(running, rehearsal, { kind: 'observed', served: { kind: 'asWanted' }, driftAt: null, verdicts, restart }, now);
      approve(running, rehearsal, now);
      const kind = running.release.phase.kind;
      return kind === 'shifting' || kind === 'rollingBack' ? now : due(running.release, rehearsal, now);
    }
  }
}

function take(running: Running, { start }: Rehearsal, input: Input, now: Instant): void {
  const { next, events } = decide(running.release, input, now);
  running.release = next;
  for (const { type, sentence } of events) running.events.push({ ms: now - start, type, sentence });
}

function judged(running: Running, rehearsal: Rehearsal, now: Instant) {
  const { release, states, verdicts } = running;
  const answers = checksNow(release).map((check) => ({
    check,
    measurement: rehearsal.world.answer(check, now),
    state: stateOf(running, rehearsal, check, now),
  }));
  const known = [...verdicts].map(([check, verdict]) => ({ check, verdict, state: states.get(check) ?? null }));
  const look = judgeRelease(release, answers, { now, elsewhere: evidenceElsewhere(release, known) });
  for (const { check, state, verdict } of look.judged) {
    states.set(check.name, state);
    verdicts.set(check.name, verdict);
  }
  if (rehearsal.draws && answers.length > 0) running.moments.push(momentOf(running, rehearsal, now));
  return look;
}

function stateOf({ release, states }: Running, { world, known }: Rehearsal, check: Check, now: Instant): JudgeState | null {
  const stored = states.get(check.name) ?? null;
  if (!wantsHistory(check, stored, release.evidenceFrom)) return stored;
  if (stored !== null) return knowing(release, check, { state: stored, history: world.past(check), now });
  const before = known.get(check.name);
  if (before !== undefined) return before;
  const state = knowing(release, check, { state: null, history: world.past(check), now });
  known.set(check.name, state);
  return state;
}

function momentOf({ release, verdicts }: Running, { start, plan }: Rehearsal, now: Instant): Moment {
  const weighed = [...verdicts.values()].map(({ evidence }) => evidence.weighed).filter((one) => one !== null);
  return {
    ms: now - start,
    weightBp: release.wanted,
    step: release.step + 1,
    phase: release.phase.kind,
    verdict: overallVerdict(requiredNow(release), Object.fromEntries(verdicts)),
    logE: Math.max(0, ...weighed.map(({ together }) => together)),
    threshold: Math.log(1 / plan.falseRollbackRate),
    checks: Object.fromEntries(
      [...verdicts].map(([name, { verdict, evidence }]) => [name, { verdict, logE: evidence.weighed?.logE ?? null }]),
    ),
  };
}

function approve(running: Running, rehearsal: Rehearsal, now: Instant): void {
  const { phase } = running.release;
  const { approveAfterMs } = rehearsal;
  if (phase.kind !== 'awaitingApproval' || approveAfterMs === null || now < after(phase.since, approveAfterMs)) return;
  for (let person = phase.given.length; person < phase.needed; person++)
    take(
      running,
      rehearsal,
      {
        kind: 'command',
        command: { verb: 'approve', reason: null },
        actor: { kind: 'person', name: `person ${person + 1}` },
      },
      now,
    );
}

/** The next beat of the plan's interval, or the end of a wait where that is sooner. */
function due({ phase, plan, deadlineAt }: Release, { start, approveAfterMs }: Rehearsal, now: Instant): Instant {
  const beat = start + (Math.floor((now - start) / plan.intervalMs) + 1) * plan.intervalMs;
  const others = [
    'until' in phase ? phase.until : null,
    deadlineAt,
    phase.kind === 'awaitingApproval' && approveAfterMs !== null ? after(phase.since, approveAfterMs) : null,
    phase.kind === 'settling' ? after(now, Math.min(SETTLE_LOOK_MS, plan.intervalMs)) : null,
  ];
  return Instant(others.reduce<number>((soonest, at) => (at !== null && now < at && at < soonest ? at : soonest), beat));
}

function courseOf({ release, moments, events }: Running, { start, horizonMs, world }: Rehearsal, now: Instant): Course {
  const { phase, rollback, hold, wanted } = release;
  const met = world.met();
  const seen = { met, moments, events };
  if (rollback !== null) {
    const before = moments.findLast(({ ms, weightBp }) => ms <= rollback.at - start && 0 < weightBp);
    const weightBp = before?.weightBp ?? release.approved;
    return { end: 'rolledBack', ms: rollback.at - start, weightBp, cause: rollback.sentence, ...seen };
  }
  if (phase.kind === 'promoted') return { end: 'promoted', ms: phase.at - start, weightBp: wanted, cause: null, ...seen };
  const cause = hold?.detail ?? 'it was still under way';
  return { end: 'held', ms: Math.min(now - start, horizonMs), weightBp: wanted, cause, ...seen };
}
