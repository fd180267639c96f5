/** What people and CI may ask of a release. Asking to go down is always granted; asking to go up never overrides a failing check in silence. */
import { unreachable } from '../lib/assert.ts';
import { refusesApprover, refusesVerb } from './accepts.ts';
import { advance, nextOf, requiredNow, rollBack } from './course.ts';
import type { Next } from './course.ts';
import type { Draft } from './draft.ts';
import { after, NONE } from './ids.ts';
import type { Actor, Command, PausedAt, Release } from './release.ts';

/** Adds what the command does; the answer is why it was refused, or null. */
export function command(draft: Draft, asked: Command, actor: Actor): string | null {
  const refusal = refusesVerb(draft.release, asked.verb);
  if (refusal !== null) return refusal;
  switch (asked.verb) {
    case 'rollback':
      rollBack(draft, { kind: 'person' }, { by: actor, reason: asked.reason });
      return null;
    case 'pause':
      return pause(draft, actor, asked.reason);
    case 'resume':
      return resume(draft, actor, asked.reason);
    case 'promote':
      return promote(draft, actor, asked);
    case 'approve':
      return approve(draft, actor, asked);
    case 'reject':
      draft.add({ type: 'approval.refused', subject: actor.name, reason: asked.reason }, actor);
      rollBack(draft, { kind: 'refused' }, { by: actor });
      return null;
    case 'confirmReplaced':
      if (draft.release.hold) draft.add({ type: 'hold.ended' });
      draft.add({ type: 'replace.confirmed', reason: asked.reason }, actor);
      draft.add({ type: 'weight.intended', goal: { kind: 'home' }, weight: NONE, reason: null, forced: false }, actor);
      return null;
    default:
      return unreachable(asked);
  }
}

/** Lasts until somebody resumes it, or until the release's deadline, which rolls it back. */
function pause(draft: Draft, actor: Actor, reason: string | null): null {
  const { release, now } = draft;
  draft.add(
    {
      type: 'release.paused',
      cause: 'person',
      step: release.step,
      pausedAt: interrupted(release, now),
      until: release.deadlineAt ?? after(now, release.plan.deadlineMs),
      otherwise: 'rollback',
      reason,
    },
    actor,
  );
  return null;
}

function interrupted({ phase }: Release, now: number): PausedAt {
  if (phase.kind === 'watching') return { kind: 'step', remainingMs: Math.max(0, phase.until - now) };
  if (phase.kind === 'baking') return { kind: 'bake', remainingMs: Math.max(0, phase.until - now) };
  return phase.kind === 'paused' ? phase.at : { kind: 'gate' };
}

function resume(draft: Draft, actor: Actor, reason: string | null): null {
  const { phase, verdict, wanted } = draft.release;
  if (phase.kind !== 'paused') return null;
  const { at } = phase;
  if (at.kind === 'step' || at.kind === 'bake') {
    draft.add({ type: 'release.resumed', until: after(draft.now, at.remainingMs), reason }, actor);
    return null;
  }
  // A gate is left at once when nothing is missing; otherwise it waits for its checks and for nobody any more.
  draft.add({ type: 'release.resumed', until: null, reason }, actor);
  if (verdict === 'pass' || wanted === NONE) advance(draft, nextOf(draft.release), { by: actor, reason });
  return null;
}

export type Promote = Extract<Command, { verb: 'promote' }>;

function promote(draft: Draft, actor: Actor, asked: Promote): string | null {
  const { release } = draft;
  const next: Next = asked.full ? { kind: 'promotion' } : nextOf(release);
  const refusal = refusesPromotion(release, next, asked, actor);
  if (refusal !== null) return refusal;
  advance(draft, next, { by: actor, reason: asked.reason, forced: asked.force });
  return null;
}

/** Why a promotion is refused where its verb is taken, or null. */
export function refusesPromotion(release: Release, next: Next, asked: Promote, actor: Actor): string | null {
  const { full, force, reason } = asked;
  const reasoned = reason !== null && reason.trim() !== '';
  if (force && !reasoned) return 'a forced promotion needs a reason';
  if (force) return goesPastApproval(release, full) ? refusesGoingPast(release, asked, actor) : null;
  if (release.phase.kind === 'awaitingApproval') return 'the release waits for an approval: approve it, or force with a reason';
  if (full && approvalAhead(release)) return 'an approval is still ahead: promote step by step, or force with a reason';
  if (full && release.wanted === NONE && !release.first && judgedAhead(release))
    return 'no step has been judged yet: promote step by step, or force with a reason';
  if (hasPassed(release)) return null;
  if (release.verdict === 'fail') return 'a check is failing: force with a reason if you must';
  if (next.kind === 'promotion') return `the checks are ${release.verdict} at the present weight: wait, or force with a reason`;
  return reasoned ? null : `the checks are ${release.verdict} at the present weight: give a reason to go on without them`;
}

/** Nothing that judges it keeps it from going on. */
export const hasPassed = (release: Release): boolean => requiredNow(release).length === 0 || release.verdict === 'pass';

const goesPastApproval = (release: Release, full: boolean): boolean =>
  release.phase.kind === 'awaitingApproval' || (full && approvalAhead(release));

/** Going past an approval is as good as giving it: so it takes the same right, and somebody else. */
function refusesGoingPast(release: Release, { mayApprove = false }: Promote, actor: Actor): string | null {
  if (!mayApprove) return 'an approval is in the way, and going past it takes the right to approve';
  return refusesApprover(release, actor);
}

const approvalAhead = (release: Release): boolean =>
  release.plan.steps.slice(release.step + 1).some((step) => step.kind === 'approve');

const judgedAhead = (release: Release): boolean =>
  release.plan.steps.some((step) => step.kind === 'weight' && step.checks.length > 0);

type Approve = Extract<Command, { verb: 'approve' }>;

function approve(draft: Draft, actor: Actor, { reason, planHash }: Approve): string | null {
  const { phase, verdict, wanted } = draft.release;
  if (phase.kind !== 'awaitingApproval') return null;
  const own = refusesApprover(draft.release, actor);
  if (own !== null) return own;
  draft.add({ type: 'approval.given', subject: actor.name, reason, ...(planHash === undefined ? {} : { planHash }) }, actor);
  if (phase.given.length + 1 < phase.needed) return null;
  if (verdict === 'pass' || wanted === NONE) advance(draft, nextOf(draft.release), { by: actor, reason });
  return null;
}
