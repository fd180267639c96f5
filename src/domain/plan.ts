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
  readonly onNoData: 'hold' | 'rollback' | 'continue';
  readonly onBusy: OnBusy;
  readonly checks: Readonly<Record<string, Check>>;
  /** Names of notifiers that hear of every event of the release. */
  readonly notify: readonly string[];
};

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

type CheckBase = {
  readonly name: string;
  /** Name of the provider that answers it. */
  readonly provider: string;
  /** What the provider is asked; its keys and their meaning belong to the provider. */
  readonly query: Readonly<Record<string, string>>;
  /** `breaches` of the last `of` measurements make a failure. */
  readonly failures: { readonly breaches: number; readonly of: number };
  /** Measured, shown and recorded, but never decides anything. */
  readonly dryRun: boolean;
};

/** Share of bad requests, canary against stable. */
export type RatioCheck = CheckBase & {
  readonly kind: 'ratio';
  /** Accepted excess over stable, relative: 0.1 accepts a tenth more. */
  readonly tolerance: number;
  /** Accepted excess over stable, absolute share. */
  readonly floor: number;
  /** Absolute limits on the canary's share, with no look at stable. `hardMax` fails at once. */
  readonly max: number | null;
  readonly hardMax: number | null;
  /** Canary requests since the step began, below which nothing is concluded. */
  readonly minRequests: number;
};

/** Slow requests, canary against stable: the share of requests above stable's quantile. */
export type LatencyCheck = CheckBase & {
  readonly kind: 'latency';
  readonly quantile: number;
  /** Accepted relative excess of the share of slow requests. */
  readonly tolerance: number;
  /** Absolute limits on the canary's own quantile, in ms. */
  readonly maxMs: number | null;
  readonly hardMaxMs: number | null;
  readonly minRequests: number;
};

/** One number about the canary, against absolute limits. `hard…` fails at once, without waiting for `failures`. */
export type ThresholdCheck = CheckBase & {
  readonly kind: 'threshold';
  readonly min: number | null;
  readonly max: number | null;
  readonly hardMin: number | null;
  readonly hardMax: number | null;
};

export type Check = RatioCheck | LatencyCheck | ThresholdCheck;
