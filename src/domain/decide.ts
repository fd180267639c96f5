/**
 * The step machine. `decide` is the whole of it: pure, synchronous and total. It is told what the world looks like, what
 * became of a weight change or what somebody asks for, and answers with the events that follow. It never touches a router.
 *
 * Three rules stand above all phases: rolling back is absorbing; no data is never a pass; a verdict to fail acts in every
 * phase in which the canary has traffic.
 */
import { unreachable } from '../lib/assert.ts';
import type { CheckVerdict } from './analysis/measurement.ts';
import { overallVerdict } from './analysis/summary.ts';
import { command } from './command.ts';
import { advance, arrive, checksNow, endEvent, nextOf, requiredNow, rollBack, wayBack } from './course.ts';
import { draft } from './draft.ts';
import type { Draft } from './draft.ts';
import type { ReleaseEvent } from './event.ts';
import { culpritsOf, holdFor, recourseOf, saidOf, worstOf } from './culprits.ts';
import type { Culprit } from './culprits.ts';
import { failures } from './explain.ts';
import { flagChanged, waitsForEvidence } from './flag.ts';
import { after, NONE } from './ids.ts';
import type { Instant } from './ids.ts';
import type { Input, Served } from './input.ts';
import type { Hold, Release } from './release.ts';
import { isEnded, isLowering } from './release.ts';

export type Decision = {
  /** The same object as before when nothing happened. */
  readonly next: Release;
  readonly events: readonly ReleaseEvent[];
  /** Set when a command (or a flag change, for now) was not taken: why, and what would be. */
  readonly refusal: string | null;
};

/** A rollback that could not be read back for so long is called unverified, and pages. */
export const UNVERIFIED_AFTER_MS = 60_000;

export function decide(release: Release, input: Input, now: Instant): Decision {
  const decision = draft(release, now);
  const refusal = take(decision, input);
  return { next: decision.release, events: decision.events, refusal };
}

/** Adds what follows from the input; the answer is a refusal, of a command or of a flag change that cannot be taken just now. */
function take(draft: Draft, input: Input): string | null {
  if (isEnded(draft.release)) return input.kind === 'command' ? `the release has ended (${draft.release.phase.kind})` : null;
  switch (input.kind) {
    case 'unblocked':
      return unblocked(draft, input);
    case 'prepared':
      return prepared(draft, input);
    case 'observed':
      return observed(draft, input);
    case 'shifted':
      return shifted(draft, input);
    case 'hooked':
      return hooked(draft, input);
    case 'command':
      return command(draft, input.command, input.actor);
    case 'flagChanged':
      return flagChanged(draft, input.change);
    case 'superseded':
      if (!isLowering(draft.release) && !endsWell(draft.release))
        rollBack(draft, { kind: 'superseded', by: input.by }, { by: input.actor });
      return null;
    case 'crashed':
      if (draft.release.quarantined === null) draft.add({ type: 'release.quarantined', error: input.error });
      return null;
    default:
      return unreachable(input);
  }
}

/** Past the point of no return: the new version serves all traffic, or runs in the stable slot. */
const endsWell = ({ phase }: Release): boolean =>
  (phase.kind === 'settling' && phase.outcome === 'promoted') || (phase.kind === 'shifting' && phase.goal.kind === 'home');

function unblocked(draft: Draft, input: Extract<Input, { kind: 'unblocked' }>): null {
  if (draft.release.phase.kind !== 'queued') return null;
  const deadlineAt = after(draft.now, draft.release.plan.deadlineMs);
  draft.add({ type: 'release.started', deadlineAt, stableVersion: input.stableVersion });
  return null;
}

function prepared(draft: Draft, { failure }: Extract<Input, { kind: 'prepared' }>): null {
  const { phase, startPaused, deadlineAt, quarantined } = draft.release;
  if (phase.kind !== 'starting' || quarantined !== null) return null;
  if (failure !== null) return overdue(draft) ? null : held(draft, failure);
  if (draft.release.hold) draft.add({ type: 'hold.ended' });
  if (startPaused && deadlineAt !== null)
    draft.add(
      {
        type: 'release.paused',
        cause: 'person',
        step: -1,
        pausedAt: { kind: 'start' },
        until: deadlineAt,
        otherwise: 'rollback',
        reason: 'created paused',
      },
      draft.release.createdBy,
    );
  else advance(draft, nextOf(draft.release));
  return null;
}

type Observed = Extract<Input, { kind: 'observed' }>;

function observed(draft: Draft, input: Observed): null {
  const { phase, quarantined } = draft.release;
  if (phase.kind === 'settling') return settling(draft, phase, input);
  if (phase.kind === 'queued' || phase.kind === 'rollingBack' || quarantined !== null) return null;
  const doubt = doubtful(draft.release, input);
  if (failed(draft, input, doubt) || overdue(draft) || phase.kind === 'starting' || phase.kind === 'shifting') return null;
  if (misplaced(draft, input)) return null;
  if (input.restart !== null) {
    draft.add({ type: 'evidence.restarted', reason: input.restart, scope: 'release' });
    return null;
  }
  if (doubt === null) return progress(draft, input);
  draft.add({ type: 'evidence.restarted', reason: doubt, scope: 'step' });
  return null;
}

/** Why the evidence so far is worth nothing: it was gathered while another weight was served. */
function doubtful({ hold, evidenceSince }: Release, { driftAt, served }: Observed): string | null {
  if (driftAt !== null && evidenceSince < driftAt) return 'a target served another weight for a while';
  const wasMisplaced = hold !== null && hold.reason !== 'router' && PLACE_HOLDS.has(hold.reason);
  return wasMisplaced && served.kind === 'asWanted' ? 'the wanted weight is served again' : null;
}

/** Takes in the verdicts; true when one of them takes the release back. Doubtful evidence may still condemn, and never acquit. */
function failed(draft: Draft, { verdicts }: Observed, doubt: string | null): boolean {
  const culprit = checksNow(draft.release).find(
    (check) => !check.dryRun && check.onFail === 'rollback' && verdicts[check.name]?.verdict === 'fail',
  );
  if (doubt === null || culprit) noteVerdicts(draft, verdicts);
  if (!culprit) return false;
  rollBack(draft, { kind: 'check', check: culprit.name, hard: verdicts[culprit.name]?.hard ?? false });
  return true;
}

/** One event when any verdict is another than before; its sentences are those of that moment. */
function noteVerdicts(draft: Draft, verdicts: Readonly<Record<string, CheckVerdict>>): void {
  const { release } = draft;
  if (!PLACES.has(release.phase.kind) && requiredNow(release).length === 0) return;
  const checks = Object.fromEntries(
    checksNow(release).flatMap(({ name }) => {
      const found = verdicts[name];
      return found ? [[name, { verdict: found.verdict, sentence: found.sentence }]] : [];
    }),
  );
  const verdict = overallVerdict(requiredNow(release), checks);
  const names = new Set([...Object.keys(checks), ...Object.keys(release.checks)]);
  const same = [...names].every((name) => checks[name]?.verdict === release.checks[name]?.verdict);
  if (same && verdict === release.verdict) return;
  draft.add({ type: 'verdict.changed', checks, verdict });
}

/** Phases that a verdict lets go on; elsewhere having nothing to check is not worth an event. */
const PLACES: ReadonlySet<Release['phase']['kind']> = new Set(['watching', 'paused', 'awaitingApproval', 'baking', 'promoting']);

/** The whole release has had its time: every wait ends here at the latest. One that goes home has no weight to take back. */
function overdue(draft: Draft): boolean {
  const { deadlineAt, phase } = draft.release;
  const goesHome = phase.kind === 'shifting' && phase.goal.kind === 'home';
  if (deadlineAt === null || draft.now < deadlineAt || goesHome) return false;
  rollBack(draft, { kind: 'deadline' });
  return true;
}

/** Another weight is served than wanted, or nobody can tell: nothing goes on, and evidence from that time is worthless. */
function misplaced(draft: Draft, { served }: Observed): boolean {
  const { hold } = draft.release;
  switch (served.kind) {
    case 'asWanted':
      if (hold === null || !PLACE_HOLDS.has(hold.reason)) return false;
      draft.add({ type: 'hold.ended' });
      return false;
    case 'unreachable':
      held(draft, { reason: 'router', detail: `cannot read what is served: ${failures(served.failures)}` });
      return true;
    case 'differs':
      held(draft, difference(served));
      return true;
    default:
      return unreachable(served);
  }
}

const difference = ({ byHand, failures: differing }: Extract<Served, { kind: 'differs' }>): Pick<Hold, 'reason' | 'detail'> => ({
  reason: byHand ? 'lowered_by_hand' : 'drift',
  detail: `${byHand ? 'lowered by hand' : 'another weight is served than wanted'}: ${failures(differing)}`,
});

const PLACE_HOLDS: ReadonlySet<Hold['reason']> = new Set(['router', 'drift', 'lowered_by_hand', 'preflight']);

/** Everything is where it should be: does the wait end here? */
function progress(draft: Draft, input: Observed): null {
  const { phase } = draft.release;
  switch (phase.kind) {
    case 'watching':
      return phase.until <= draft.now || mayLeaveEarly(draft, phase.since, input) ? leave(draft, input) : calm(draft);
    case 'baking':
      return phase.until <= draft.now ? leave(draft, input) : calm(draft);
    case 'paused':
      if (draft.now < phase.until) return null;
      if (phase.otherwise === 'continue') return leave(draft, input);
      rollBack(draft, { kind: 'expired', gate: 'pause' });
      return null;
    case 'awaitingApproval':
      if (phase.needed <= phase.given.length) return leave(draft, input);
      if (draft.now < phase.until) return null;
      draft.add({ type: 'approval.expired' });
      if (phase.otherwise === 'continue') return leave(draft, input);
      rollBack(draft, { kind: 'expired', gate: 'approval' });
      return null;
    case 'promoting':
      return replaceOverdue(draft, phase);
    default:
      return null;
  }
}

const calm = (draft: Draft): null => (waitsForEvidence(draft.release) ? null : unheld(draft));

/** The plan allows it, and every required check has proved that the canary is not worse. */
function mayLeaveEarly({ release, now }: Draft, since: Instant, { verdicts }: Observed): boolean {
  const { earlyAfterMs } = release.plan;
  const from = release.evidenceSince < since ? since : release.evidenceSince;
  if (earlyAfterMs === null || now < after(from, earlyAfterMs) || release.verdict !== 'pass') return false;
  const required = requiredNow(release);
  return required.length > 0 && required.every((name) => verdicts[name]?.evidence.weighed?.proved === true);
}

/** Goes on if every required check passes, or where the plan says so for the ones that do not; otherwise waits here and says for what. */
function leave(draft: Draft, { verdicts }: Observed): null {
  const { release } = draft;
  const next = nextOf(release);
  const culprits = culpritsOf(release, verdicts);
  const worst = worstOf(release, culprits);
  if (worst === undefined) {
    advance(draft, next, isEarly(draft) ? { reason: 'proved not to be worse than stable' } : {});
    return null;
  }
  const recourses = culprits.map((culprit) => ({ ...culprit, recourse: recourseOf(culprit) }));
  const fatal = recourses.find(({ recourse }) => recourse === 'rollback');
  if (fatal)
    rollBack(
      draft,
      fatal.verdict === 'no_data'
        ? { kind: 'no_data', check: fatal.check.name }
        : { kind: 'unclear', check: fatal.check.name, verdict: fatal.verdict },
    );
  else if (recourses.every(({ recourse }) => recourse === 'continue') && next.kind !== 'promotion')
    advance(draft, next, { reason: onwardWords(worst) });
  else held(draft, holdFor(worst));
  return null;
}

const isEarly = ({ release: { phase }, now }: Draft): boolean => phase.kind === 'watching' && now < phase.until;

const onwardWords = (culprit: Culprit): string =>
  culprit.verdict === 'no_data' ? 'no data, and the plan goes on then' : `the plan goes on then: ${saidOf(culprit)}`;

function replaceOverdue(draft: Draft, phase: Extract<Release['phase'], { kind: 'promoting' }>): null {
  const { promotion } = draft.release;
  if (draft.now < phase.until || phase.overdue || promotion.kind !== 'replace') return null;
  if (promotion.otherwise === 'rollback') {
    rollBack(draft, { kind: 'expired', gate: 'replace' });
    return null;
  }
  draft.add({ type: 'replace.overdue' });
  return held(draft, {
    reason: 'overdue',
    detail: 'the stable slot was not replaced in time: confirm it or roll back',
  });
}

/** The last weight is on; a late write would show now. Going up, a failing check still takes it back. */
function settling(draft: Draft, phase: Extract<Release['phase'], { kind: 'settling' }>, input: Observed): null {
  const goingUp = phase.outcome === 'promoted' && draft.release.quarantined === null;
  if (goingUp && failed(draft, input, null)) return null;
  // Out of sight, or lowered by hand: this wait ends with the release's time, unless it is on its way home already.
  if (goingUp && NONE < draft.release.wanted && input.served.kind !== 'asWanted' && overdue(draft)) return null;
  if (input.served.kind === 'unreachable') {
    held(draft, {
      reason: 'router',
      detail: `cannot read what is served: ${failures(input.served.failures)}`,
    });
    return stillUnverified(draft, phase.since, input.served.failures);
  }
  if (input.served.kind === 'differs') {
    held(draft, difference(input.served));
    return stillUnverified(draft, phase.since, input.served.failures);
  }
  const differed = draft.release.hold !== null && draft.release.hold.reason !== 'router';
  if (differed || (input.driftAt !== null && input.driftAt > phase.since)) {
    unheld(draft);
    draft.add({
      type: 'settle.began',
      outcome: phase.outcome,
      until: after(draft.now, draft.release.settleMs),
    });
    return null;
  }
  if (phase.until <= draft.now) draft.add({ type: endEvent(phase.outcome) });
  else unheld(draft);
  return null;
}

function shifted(draft: Draft, { weight, failures: failing }: Extract<Input, { kind: 'shifted' }>): null {
  const { phase, wanted } = draft.release;
  // An answer to an older intent says nothing about the present one.
  if (weight !== wanted || (phase.kind !== 'shifting' && phase.kind !== 'rollingBack')) return null;
  if (failing.length === 0) {
    if (draft.release.hold) draft.add({ type: 'hold.ended' });
    draft.add({ type: 'weight.verified', weight });
    if (phase.kind === 'shifting') arrive(draft, phase.goal);
    else
      draft.add({
        type: 'settle.began',
        outcome: wayBack(draft.release),
        until: after(draft.now, draft.release.settleMs),
      });
    return null;
  }
  const detail = `${weight === NONE ? 'cannot take the traffic off' : 'cannot set the weight on'} ${failures(failing)}`;
  if (draft.release.hold?.detail !== detail) draft.add({ type: 'weight.failed', weight, targets: failing });
  held(draft, { reason: 'router', detail });
  return phase.kind === 'rollingBack' ? stillUnverified(draft, phase.since, failing) : null;
}

function stillUnverified(
  draft: Draft,
  since: Instant,
  failing: readonly { target: Release['targets'][number]; detail: string }[],
): null {
  if (draft.release.unverified || draft.now < after(since, UNVERIFIED_AFTER_MS)) return null;
  if (isLowering(draft.release)) draft.add({ type: 'rollback.unverified', targets: failing });
  return null;
}

function hooked(draft: Draft, input: Extract<Input, { kind: 'hooked' }>): null {
  const { phase, hold } = draft.release;
  if (phase.kind !== 'promoting') return null;
  if (input.outcome === 'failed') {
    if (hold?.detail === input.detail) return null;
    draft.add({ type: 'hook.failed', hook: input.hook, detail: input.detail });
    return held(draft, { reason: 'hook', detail: input.detail });
  }
  unheld(draft);
  draft.add({ type: 'hook.called', hook: input.hook, outcome: input.outcome });
  if (input.outcome === 'accepted') return null;
  draft.add({ type: 'replace.confirmed', reason: null });
  draft.add({ type: 'weight.intended', goal: { kind: 'home' }, weight: NONE, reason: null, forced: false });
  return null;
}

/** Stays where it is and says why; the same cause is no news, and neither is the same reason in other words where they carry counts. */
function held(draft: Draft, { reason, detail, cause }: Pick<Hold, 'reason' | 'detail' | 'cause'>): null {
  const { hold } = draft.release;
  const isSame = NEWS_IN_WORDS.has(reason) ? hold?.detail === detail : isSameCause(hold?.cause, cause);
  if (hold?.reason === reason && isSame) return null;
  draft.add({ type: 'hold.began', reason, detail, ...(cause ? { cause } : {}) });
  return null;
}

const isSameCause = (a: Hold['cause'], b: Hold['cause']): boolean => a?.check === b?.check && a?.doubt === b?.doubt;

/** Reasons whose words name what cannot be reached; in the others the words carry counts that change with every answer. */
const NEWS_IN_WORDS: ReadonlySet<Hold['reason']> = new Set(['router', 'preflight', 'hook', 'drift', 'lowered_by_hand']);

function unheld(draft: Draft): null {
  if (draft.release.hold) draft.add({ type: 'hold.ended' });
  return null;
}
