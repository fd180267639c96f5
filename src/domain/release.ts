/**
 * One run of a plan for one version of one service: its state and the phases it goes through.
 *
 * The state is a fold over the release's events (`evolve.ts`), and over nothing else, so the log always replays to it.
 * What only the machinery needs (lease, due time, attempts, measurements) is not in here.
 *
 * Words: `stable` serves now, `canary` is being released; a weight is the canary's share. `wanted` is the weight that
 * every target shall serve; `approved` the highest one that the plan or a person has asked for so far.
 */
import type { Doubt, Verdict } from './analysis/measurement.ts';
import type { Instant, ReleaseId, TargetId, Weight } from './ids.ts';
import type { GateOutcome, Plan } from './plan.ts';

export type Release = {
  readonly id: ReleaseId;
  /** Number of the last event in it; served as the release's version to clients (`stateVersion`). */
  readonly seq: number;
  readonly service: string;
  readonly version: string;
  readonly stableVersion: string | null;
  /** A first release of a service: nothing to compare with, straight to full weight. */
  readonly first: boolean;
  readonly plan: Plan;
  readonly promotion: Promotion;
  readonly targets: readonly TargetId[];
  /** How long the last weight is watched for late writes. */
  readonly settleMs: number;
  readonly createdAt: Instant;
  readonly createdBy: Actor;
  /** Created paused: waits for a person before the first step. */
  readonly startPaused: boolean;
  /** The `traceparent` of the request that started it, where it had one. */
  readonly trace?: string;
  readonly startedAt: Instant | null;
  readonly deadlineAt: Instant | null;
  readonly phase: Phase;
  /** Index into `plan.steps` of the step that the release stands at; -1 before the first. */
  readonly step: number;
  readonly wanted: Weight;
  readonly approved: Weight;
  /** When the present weight was read back, or when the evidence was restarted since: older measurements do not count. */
  readonly evidenceSince: Instant;
  /** The evidence of the whole release begins here: it carries over steps, and not over another stable. */
  readonly evidenceFrom: Instant;
  readonly checks: Readonly<Record<string, CheckSummary>>;
  readonly verdict: Verdict;
  readonly hold: Hold | null;
  /** Of each flag that changed, the fingerprint that it has by now. Absent when none did. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Its handler crashed three times: not judged any more, rolled back on command. */
  readonly quarantined: string | null;
  /** A final weight that could not be read back: keeps trying, pages. */
  readonly unverified: boolean;
  readonly rollback: {
    readonly cause: RollbackCause;
    readonly at: Instant;
    readonly by: Actor;
    readonly sentence: string;
  } | null;
};

/** How a release ends: the slots swap roles, or the stable slot is replaced and the canary goes back to nothing. */
export type Promotion =
  | { readonly kind: 'swap' }
  | {
      readonly kind: 'replace';
      readonly withinMs: number;
      readonly otherwise: 'rollback' | 'hold';
      readonly hook: boolean;
    };

export type Actor = {
  readonly kind: 'person' | 'ci' | 'headgate';
  readonly name: string;
  /** The person on whose behalf a pipeline runs, where that is known. */
  readonly behalf?: string;
};

export type CheckSummary = { readonly verdict: Verdict; readonly sentence: string };

/** Where a weight change leads. */
export type Goal =
  | { readonly kind: 'step'; readonly step: number }
  | { readonly kind: 'bake' }
  | { readonly kind: 'full' }
  /** `promotion: replace`, after the stable slot runs the new version: the canary slot is emptied. */
  | { readonly kind: 'home' };

/** What a pause interrupts: a plan's pause step, a held step, or the bake. */
export type PausedAt =
  | { readonly kind: 'start' }
  | { readonly kind: 'gate' }
  | { readonly kind: 'step'; readonly remainingMs: number }
  | { readonly kind: 'bake'; readonly remainingMs: number };

export type Outcome = 'promoted' | 'rolledBack' | 'superseded';

/** `anew`: why its time began again, as a clause; absent while it is the planned one. */
export type Phase =
  | { readonly kind: 'queued'; readonly behind: ReleaseId; readonly supersedes?: true }
  | { readonly kind: 'starting' }
  | { readonly kind: 'shifting'; readonly goal: Goal; readonly weight: Weight; readonly since: Instant }
  | { readonly kind: 'watching'; readonly since: Instant; readonly until: Instant; readonly anew?: string }
  | {
      readonly kind: 'paused';
      readonly by: 'plan' | 'person' | 'flag';
      readonly at: PausedAt;
      readonly since: Instant;
      readonly until: Instant;
      readonly otherwise: GateOutcome;
    }
  | {
      readonly kind: 'awaitingApproval';
      readonly needed: number;
      readonly given: readonly string[];
      readonly since: Instant;
      readonly until: Instant;
      readonly otherwise: GateOutcome;
    }
  | { readonly kind: 'baking'; readonly since: Instant; readonly until: Instant; readonly anew?: string }
  | {
      readonly kind: 'promoting';
      readonly since: Instant;
      readonly until: Instant;
      readonly called: boolean;
      readonly overdue: boolean;
    }
  | { readonly kind: 'rollingBack'; readonly since: Instant }
  | { readonly kind: 'settling'; readonly outcome: Outcome; readonly since: Instant; readonly until: Instant }
  | { readonly kind: 'promoted'; readonly at: Instant }
  | { readonly kind: 'rolledBack'; readonly at: Instant }
  | { readonly kind: 'superseded'; readonly at: Instant };

export type PhaseKind = Phase['kind'];

export type Hold = {
  readonly reason: HoldReason;
  /** One sentence, without the weight and the deadline, which `explain` adds. */
  readonly detail: string;
  /** The check that it is for, and what is doubted of it; absent where it is for none. */
  readonly cause?: { readonly check: string; readonly doubt: Doubt | null };
  readonly since: Instant;
};

export type HoldReason =
  | 'preflight'
  | 'hook'
  | 'router'
  | 'drift'
  | 'lowered_by_hand'
  | 'no_data'
  | 'provider'
  | 'inconclusive'
  /** A check fails, and the plan leaves it to a person. */
  | 'failing'
  /** A flag was changed: evidence from after that is waited for. */
  | 'flag'
  | 'overdue';

export type RollbackCause =
  | { readonly kind: 'check'; readonly check: string; readonly hard: boolean }
  | { readonly kind: 'no_data'; readonly check: string }
  /** The check cannot tell, and the plan rolls back then. */
  | { readonly kind: 'unclear'; readonly check: string; readonly verdict: Verdict }
  | { readonly kind: 'person' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'expired'; readonly gate: 'pause' | 'approval' | 'replace' }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'flag'; readonly source: string; readonly flag: string }
  | { readonly kind: 'superseded'; readonly by: ReleaseId };

export type Command =
  | { readonly verb: 'pause'; readonly reason: string | null }
  | { readonly verb: 'resume'; readonly reason: string | null }
  | {
      readonly verb: 'promote';
      readonly full: boolean;
      readonly force: boolean;
      readonly reason: string | null;
      /** Whoever asks has the right to approve, without which no approval is gone past. */
      readonly mayApprove?: boolean;
    }
  /** `planHash` says what was approved: the plan as the release runs it. */
  | { readonly verb: 'approve'; readonly reason: string | null; readonly planHash?: string }
  | { readonly verb: 'reject'; readonly reason: string | null }
  | { readonly verb: 'rollback'; readonly reason: string | null }
  /** CI or a hook says: the stable slot now runs the new version. */
  | { readonly verb: 'confirmReplaced'; readonly reason: string | null };

export type Verb = Command['verb'];

export const isEnded = (release: Release): boolean => isEnd(release.phase.kind);
export const isEnd = (phase: PhaseKind): boolean => ENDED.has(phase);
const ENDED: ReadonlySet<PhaseKind> = new Set(['promoted', 'rolledBack', 'superseded']);

/** Active: it moves (or may move) its service's traffic. At most one such release per service. */
export const isActive = (release: Release): boolean => release.phase.kind !== 'queued' && !isEnded(release);

/** On its way back to stable, or there: nothing may raise the weight any more. */
export const isLowering = (release: Release): boolean =>
  release.rollback !== null || release.phase.kind === 'rolledBack' || release.phase.kind === 'superseded';
