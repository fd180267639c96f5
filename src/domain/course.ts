/** The way through a plan: which checks count where, whether a place may be left, and what comes after it. */
import { assert, unreachable } from '../lib/assert.ts';
import type { Draft } from './draft.ts';
import type { ReleaseFact } from './event.ts';
import { ALL, after, complement, NONE } from './ids.ts';
import type { Weight } from './ids.ts';
import type { Check, Plan, Step } from './plan.ts';
import type { Actor, Goal, Outcome, Release, RollbackCause } from './release.ts';

type WeightStep = Extract<Step, { kind: 'weight' }>;

/** The step whose weight is on: the newest weight step at or before where the release stands. */
export function weightStep(release: Release): WeightStep | null {
  for (let index = release.step; index >= 0; index--) {
    const step = release.plan.steps[index];
    if (step?.kind === 'weight') return step;
  }
  return null;
}

/**
 * Checks to measure now. While the weight is moving or settling these are still judged, because a failing canary must be
 * seen when a router cannot be written, too.
 */
export function checksNow(release: Release): readonly Check[] {
  if (release.first || release.wanted === NONE || release.rollback !== null || release.quarantined !== null) return [];
  const names = judgedAtEnd(release) ? Object.keys(release.plan.checks) : namesAtStep(release);
  return names.map((name) => {
    const check = release.plan.checks[name];
    assert(check, `the plan has the check ${name} that its step names`);
    return check;
  });
}

const judgedAtEnd = ({ phase }: Release): boolean =>
  phase.kind === 'baking' ||
  phase.kind === 'settling' ||
  (phase.kind === 'paused' && phase.at.kind === 'bake') ||
  (phase.kind === 'shifting' && (phase.goal.kind === 'bake' || phase.goal.kind === 'full'));

function namesAtStep(release: Release): readonly string[] {
  const goal = release.phase.kind === 'shifting' && release.phase.goal.kind === 'step' ? release.phase.goal.step : null;
  const ahead = goal === null ? null : release.plan.steps[goal];
  const step = weightStep(release) ?? ahead;
  return step?.kind === 'weight' ? step.checks : [];
}

/** Of these, the ones that must pass. With no traffic on stable there is nothing to compare with: absolute checks decide. */
export function requiredNow(release: Release): readonly string[] {
  return checksNow(release)
    .filter((check) => !check.dryRun && (release.wanted < ALL || isAbsolute(check)))
    .map((check) => check.name);
}

export function isAbsolute(check: Check): boolean {
  switch (check.kind) {
    case 'threshold':
    case 'slo':
      return true;
    case 'rate':
    case 'gauge':
    case 'mann-whitney':
      return false;
    case 'ratio':
      return check.max !== null || check.hardMax !== null;
    case 'latency':
      return check.maxMs !== null || check.hardMaxMs !== null;
    default:
      return unreachable(check);
  }
}

/** What leaving the present place leads to. */
export type Next =
  | { readonly kind: 'step'; readonly step: number }
  | { readonly kind: 'bake' }
  /** The end of the way up: full weight, or replacing the stable slot. */
  | { readonly kind: 'promotion' };

export function nextOf(release: Release): Next {
  if (release.first) return { kind: 'promotion' };
  if (release.phase.kind === 'baking' || (release.phase.kind === 'paused' && release.phase.at.kind === 'bake'))
    return { kind: 'promotion' };
  if (release.step + 1 < release.plan.steps.length) return { kind: 'step', step: release.step + 1 };
  return release.plan.bake ? { kind: 'bake' } : { kind: 'promotion' };
}

export type Advance = { readonly by?: Actor; readonly reason?: string | null; readonly forced?: boolean };

/** Leaves the present place. Whether it may be left was decided by the caller. */
export function advance(draft: Draft, next: Next, { by, reason = null, forced = false }: Advance = {}): void {
  if (draft.release.hold) draft.add({ type: 'hold.ended' });
  const intend = (goal: Goal, weight: Weight): void => draft.add({ type: 'weight.intended', goal, weight, reason, forced }, by);
  switch (next.kind) {
    case 'step': {
      const step = draft.release.plan.steps[next.step];
      assert(step, `the plan has a step ${next.step}`);
      if (step.kind === 'weight') return intend({ kind: 'step', step: next.step }, step.weight);
      return draft.add(gate(draft, next.step, step, reason), by);
    }
    case 'bake':
      assert(draft.release.plan.bake, 'a plan that bakes says how');
      return intend({ kind: 'bake' }, complement(draft.release.plan.bake.holdBack));
    case 'promotion': {
      const { promotion, first } = draft.release;
      if (promotion.kind === 'swap' || first) return intend({ kind: 'full' }, ALL);
      return draft.add({ type: 'replace.began', until: after(draft.now, promotion.withinMs), reason, forced }, by);
    }
    default:
      return unreachable(next);
  }
}

/** Who leaves the place before it is named by the event, as with a weight: the plan alone would have waited longer. */
function gate(draft: Draft, index: number, step: Exclude<Step, WeightStep>, reason: string | null): ReleaseFact {
  const { otherwise } = step;
  if (step.kind === 'approve')
    return { type: 'approval.asked', step: index, needed: step.by, until: after(draft.now, step.withinMs), otherwise };
  const until = after(draft.now, step.forMs);
  return { type: 'release.paused', cause: 'plan', step: index, pausedAt: { kind: 'gate' }, until, otherwise, reason };
}

/** The wanted weight is on, everywhere: the release stands where it was going. */
export function arrive(draft: Draft, goal: Goal): void {
  const { plan, settleMs } = draft.release;
  switch (goal.kind) {
    case 'step': {
      const step = plan.steps[goal.step];
      assert(step?.kind === 'weight', 'a weight leads to a weight step');
      return draft.add({ type: 'step.entered', step: goal.step, until: after(draft.now, step.holdMs) });
    }
    case 'bake':
      assert(plan.bake, 'a plan that bakes says how');
      return draft.add({ type: 'bake.began', until: after(draft.now, plan.bake.forMs) });
    case 'full':
    case 'home':
      return draft.add({ type: 'settle.began', outcome: 'promoted', until: after(draft.now, settleMs) });
    default:
      return unreachable(goal);
  }
}

/** Takes the release back. Absorbing: nothing raises its weight again. */
export function rollBack(draft: Draft, cause: RollbackCause, { by, reason = null }: Advance = {}): void {
  draft.add({ type: 'rollback.decided', cause, reason }, by);
  const everRaised = draft.release.approved > NONE;
  if (everRaised) draft.add({ type: 'weight.intended', goal: null, weight: NONE, reason: null, forced: false }, by);
  else draft.add({ type: endEvent(wayBack(draft.release)) });
}

export const wayBack = (release: Release): Outcome =>
  release.rollback?.cause.kind === 'superseded' ? 'superseded' : 'rolledBack';

export const endEvent = (outcome: Outcome) => `release.${outcome}` as const;

/** How long the last weight is watched where no router and no setting asks for more. */
export const USUAL_SETTLE_MS = 30_000;

/** How long the plan takes when nothing holds it, until its last weight is on. */
export const plannedMs = ({ steps, bake }: Plan): number =>
  steps.reduce(
    (sum, step) =>
      sum + (step.kind === 'weight' ? step.holdMs : step.kind === 'pause' && step.otherwise === 'continue' ? step.forMs : 0),
    bake?.forMs ?? 0,
  );
