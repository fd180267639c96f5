/**
 * The recipe of a release, exact: milliseconds and basis points, every default filled in.
 * What people write is `contract/plan.ts`; a release carries its own copy of this, so no later edit can change it.
 */
import type { Weight } from './ids.ts';

export type Plan = {
  readonly name: string;
  readonly service: string;
  readonly strategy: 'canary' | 'blue-green';
  readonly steps: readonly Step[];
  /** Full weight less the hold-back, still judged, before the release counts as promoted. */
  readonly bake: { readonly forMs: number; readonly holdBack: Weight } | null;
  /** How long the whole release may take, from its start; then it is rolled back. */
  readonly deadlineMs: number;
  /** How often each check is measured. */
  readonly intervalMs: number;
  /** Measurements that end sooner than this after a weight was read back are not judged. */
  readonly warmUpMs: number;
  /** Distinct fresh measurements that every check needs at a weight before it can pass there. */
  readonly minMeasurements: number;
  /** How often a good release may be taken back by the evidence of all its checks together: 0.01. */
  readonly falseRollbackRate: number;
  /** How often a proof that a canary is not worse may be wrong: 0.05. */
  readonly missRate: number;
  /** A step may be left before its hold has passed when the canary is proved not to be worse, but not sooner than this; null: never. */
  readonly earlyAfterMs: number | null;
  /** Weights of the groups of rank tests in their score, and what score passes or is marginal. */
  readonly score: Score;
  readonly onBusy: OnBusy;
  /** What a change of a flag that the service names does to a release that runs. Absent in plans from before it was known: `hold`. */
  readonly onFlagChange?: OnFlagChange;
  readonly checks: Readonly<Record<string, Check>>;
  /** Names of notifiers that hear of every event of the release. */
  readonly notify: readonly string[];
};

export type Score = { readonly pass: number; readonly marginal: number; readonly groups: Readonly<Record<string, number>> };

export type OnFlagChange = 'annotate' | 'hold' | 'pause' | 'rollback';

export type OnBusy = 'reject' | 'queue' | 'supersede';

export type Step =
  | {
      readonly kind: 'weight';
      readonly weight: Weight;
      readonly holdMs: number;
      /** Names of the checks that must pass here: the step's own, or all of the plan's. */
      readonly checks: readonly string[];
    }
  /** Waits `forMs`, or less when somebody resumes it; then `otherwise`. */
  | { readonly kind: 'pause'; readonly forMs: number; readonly otherwise: GateOutcome }
  /** Waits for `by` approvals from different people; after `withinMs` without them, `otherwise`. */
  | {
      readonly kind: 'approve';
      readonly by: number;
      readonly withinMs: number;
      readonly otherwise: GateOutcome;
    };

export type GateOutcome = 'continue' | 'rollback';

/** What a verdict other than pass and fail leads to when a step could be left. No data and errors never lead to the promotion. */
export type Recourse = 'hold' | 'rollback' | 'continue';

type CheckBase = {
  readonly name: string;
  /** Name of the provider that answers it. */
  readonly provider: string;
  /** What the provider is asked; its keys and their meaning belong to the provider. */
  readonly query: Readonly<Record<string, string>>;
  /** Measured, shown and recorded, but never decides anything. */
  readonly dryRun: boolean;
  /** `hold`: a person decides what becomes of a canary that fails. */
  readonly onFail: 'rollback' | 'hold';
  readonly onNoData: Recourse;
  readonly onError: Recourse;
  /** The hold has passed and the check cannot tell: too little traffic, or a marginal score. */
  readonly onInconclusive: Recourse;
};

/** Which side is worse; errors and latency are worse when higher, logins when lower. */
export type Worse = 'higher' | 'lower';

type EvidenceBase = CheckBase & {
  /** Accepted excess over stable, relative: 0.1 accepts a tenth more. */
  readonly tolerance: number;
  /** Its part of the evidence that all checks of a release have together; only the proportion counts. */
  readonly weight: number;
  /** Canary requests at a weight before it may pass there; null: as many as show a regression worth seeing. */
  readonly minRequests: number | null;
};

/** Share of bad requests, canary against stable. */
export type RatioCheck = EvidenceBase & {
  readonly kind: 'ratio';
  readonly worse: Worse;
  /** Accepted excess over stable, absolute share. */
  readonly floor: number;
  /** Absolute limits on the canary's share, with no look at stable. `hardMax` fails at once. */
  readonly max: number | null;
  readonly hardMax: number | null;
};

/** Events per request or per second of an instance's life, canary against stable: restarts, log errors, logins. */
export type RateCheck = EvidenceBase & {
  readonly kind: 'rate';
  readonly worse: Worse;
  /** Accepted excess over stable, in events per unit. */
  readonly floor: number;
};

/** Slow requests, canary against stable: the share of requests above each of several bounds. */
export type LatencyCheck = EvidenceBase & {
  readonly kind: 'latency';
  /** The quantile that is shown, and that `maxMs` limits. */
  readonly quantile: number;
  /** Absolute limits on the canary's own quantile, in ms. */
  readonly maxMs: number | null;
  readonly hardMaxMs: number | null;
};

/** A level of each instance, canary against stable: CPU, memory, queue length. Compared as ratios of means. */
export type GaugeCheck = Omit<EvidenceBase, 'minRequests'> & {
  readonly kind: 'gauge';
  readonly worse: Worse;
  /** Added to both sides, in the unit of the gauge, so that a level near nothing is not a ratio of noise. */
  readonly floor: number;
};

/** Share of the canary's bad requests against a promised limit, with no look at stable. */
export type SloCheck = Omit<EvidenceBase, 'tolerance'> & {
  readonly kind: 'slo';
  readonly max: number;
  readonly hardMax: number | null;
};

/** One number about the canary, against absolute limits. `hard…` fails at once, without waiting for `failures`. */
export type ThresholdCheck = CheckBase & {
  readonly kind: 'threshold';
  readonly min: number | null;
  readonly max: number | null;
  readonly hardMin: number | null;
  readonly hardMax: number | null;
  /** `breaches` of the last `of` measurements make a failure. */
  readonly failures: { readonly breaches: number; readonly of: number };
};

/** Two lists of values, one of each version, by the rank test of Kayenta, for plans that come from there. */
export type MannWhitneyCheck = CheckBase & {
  readonly kind: 'mann-whitney';
  readonly direction: 'increase' | 'decrease' | 'either';
  /** Shifts smaller than this part of the estimated shift are let pass. */
  readonly tolerance: number;
  /** Ratio of the means that is still accepted, and the one that fails the release whatever the score; null: any. */
  readonly allowed: { readonly increase: number; readonly decrease: number };
  readonly criticalAllowed: { readonly increase: number; readonly decrease: number };
  readonly critical: boolean;
  readonly mustHaveData: boolean;
  readonly group: string;
  /** Values that are looked at: the newest so many milliseconds, or all since the release began. */
  readonly lookbackMs: number | null;
  /** Values of each version before anything is concluded. */
  readonly minValues: number;
};

export type EvidenceCheck = RatioCheck | RateCheck | LatencyCheck | GaugeCheck | SloCheck;
export type Check = EvidenceCheck | ThresholdCheck | MannWhitneyCheck;

/** In what a check's values are given: a share of requests, milliseconds, events per unit, or whatever the level is of. */
export function unitOf({ kind }: Check): 'share' | 'ms' | 'events' | 'level' {
  if (kind === 'ratio' || kind === 'slo') return 'share';
  if (kind === 'latency') return 'ms';
  return kind === 'rate' ? 'events' : 'level';
}
