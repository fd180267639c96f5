/** Everything that can happen to a release or a target, once, in the past tense. Measurements are rows, not events. */
import type { Verdict } from './analysis/measurement.ts';
import type { FlagChange, FlagEffect } from './flag.ts';
import type { Instant, ReleaseId, TargetId, Weight } from './ids.ts';
import type { GateOutcome, Plan } from './plan.ts';
import type { Actor, CheckSummary, Goal, Hold, HoldReason, Outcome, PausedAt, Promotion, RollbackCause } from './release.ts';

/** `seq` counts within the release from 1, without gaps; `id` is the idempotency key for receivers. */
export type ReleaseEvent = {
  readonly id: string;
  readonly release: ReleaseId;
  readonly service: string;
  readonly seq: number;
  readonly at: Instant;
  readonly by: Actor;
  /** One plain sentence (`explain.ts`), made when the event was, so that every reader shows the same. */
  readonly sentence: string;
} & ReleaseFact;

export type ReleaseFact =
  | {
      readonly type: 'release.created';
      readonly version: string;
      readonly stableVersion: string | null;
      readonly first: boolean;
      readonly plan: Plan;
      readonly promotion: Promotion;
      readonly targets: readonly TargetId[];
      readonly settleMs: number;
      readonly startPaused: boolean;
      /** The `traceparent` of the request that started it, where it had one. */
      readonly trace?: string;
    }
  /** `supersedes`: all that is before it goes back, whoever sees to that; absent where it waits its turn. */
  | { readonly type: 'release.queued'; readonly behind: ReleaseId; readonly supersedes?: true }
  | { readonly type: 'release.started'; readonly deadlineAt: Instant; readonly stableVersion: string | null }
  | { readonly type: 'hook.called'; readonly hook: string; readonly outcome: 'done' | 'accepted' }
  | { readonly type: 'hook.failed'; readonly hook: string; readonly detail: string }
  | {
      readonly type: 'weight.intended';
      readonly goal: Goal | null;
      readonly weight: Weight;
      readonly reason: string | null;
      readonly forced: boolean;
    }
  | { readonly type: 'weight.verified'; readonly weight: Weight }
  | { readonly type: 'weight.failed'; readonly weight: Weight; readonly targets: readonly TargetFailure[] }
  | { readonly type: 'step.entered'; readonly step: number; readonly until: Instant }
  | { readonly type: 'bake.began'; readonly until: Instant }
  | {
      readonly type: 'release.paused';
      readonly cause: 'plan' | 'person' | 'flag';
      readonly step: number;
      readonly pausedAt: PausedAt;
      readonly until: Instant;
      readonly otherwise: GateOutcome;
      readonly reason: string | null;
    }
  | { readonly type: 'release.resumed'; readonly until: Instant | null; readonly reason: string | null }
  | {
      readonly type: 'approval.asked';
      readonly step: number;
      readonly needed: number;
      readonly until: Instant;
      readonly otherwise: GateOutcome;
    }
  | {
      readonly type: 'approval.given';
      readonly subject: string;
      readonly reason: string | null;
      /** Of the plan as it ran when this was given. */
      readonly planHash?: string;
    }
  | { readonly type: 'approval.refused'; readonly subject: string; readonly reason: string | null }
  | { readonly type: 'approval.expired' }
  | { readonly type: 'replace.began'; readonly until: Instant; readonly reason: string | null; readonly forced: boolean }
  | { readonly type: 'replace.confirmed'; readonly reason: string | null }
  | { readonly type: 'replace.overdue' }
  | {
      readonly type: 'verdict.changed';
      readonly checks: Readonly<Record<string, CheckSummary>>;
      readonly verdict: Verdict;
    }
  | {
      readonly type: 'evidence.restarted';
      readonly reason: string;
      /** `step`: what was counted at this weight; `release`: all evidence since the release began. */
      readonly scope: 'step' | 'release';
    }
  | ({
      readonly type: 'flag.changed';
      readonly effect: FlagEffect;
      /** Where the hold of the step begins again: until when. */
      readonly until: Instant | null;
    } & FlagChange)
  | { readonly type: 'hold.began'; readonly reason: HoldReason; readonly detail: string; readonly cause?: Hold['cause'] }
  | { readonly type: 'hold.ended' }
  | { readonly type: 'rollback.decided'; readonly cause: RollbackCause; readonly reason: string | null }
  | { readonly type: 'rollback.unverified'; readonly targets: readonly TargetFailure[] }
  | { readonly type: 'settle.began'; readonly outcome: Outcome; readonly until: Instant }
  | { readonly type: 'release.quarantined'; readonly error: string }
  | { readonly type: 'release.promoted' }
  | { readonly type: 'release.rolledBack' }
  | { readonly type: 'release.superseded' };

export type TargetFailure = { readonly target: TargetId; readonly detail: string };

/** Targets outlive releases and have a log of their own; weights here are the canary's if a release is active, else the second slot's. */
export type TargetEvent = {
  readonly id: string;
  readonly target: TargetId;
  readonly service: string;
  readonly seq: number;
  readonly at: Instant;
  readonly sentence: string;
} & TargetFact;

export type TargetFact =
  | {
      readonly type: 'drift.seen';
      readonly node: string;
      readonly servedSecond: Weight;
      readonly wantedSecond: Weight;
      readonly restarted: boolean;
    }
  | { readonly type: 'drift.repaired'; readonly servedSecond: Weight }
  | { readonly type: 'drift.adopted'; readonly servedSecond: Weight }
  | { readonly type: 'target.unreachable'; readonly detail: string }
  | { readonly type: 'target.back' };
