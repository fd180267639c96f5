/** What a plan is checked against: the services, providers and notifiers that the operator defined. */
import type { MetricProvider } from '../ports/metric-provider.ts';

export type PlanWorld = {
  readonly services: ReadonlyMap<string, PlanService>;
  readonly providers: ReadonlyMap<string, Pick<MetricProvider, 'name' | 'offers' | 'refuses'>>;
  readonly notifiers: ReadonlySet<string>;
};

export type PlanService = {
  readonly provider: string | null;
  readonly promotion: 'swap' | 'replace';
  /** The coarsest of its targets: the smallest weight above nothing, in basis points. */
  readonly minNonZeroBp: number;
  /** Targets that move in steps, and wait where a weight is between two of them. */
  readonly coarse?: readonly CoarseTarget[];
  /** How many targets there are, coarse or not. */
  readonly targets?: number;
  /** How long the last weight is watched before the release is promoted. */
  readonly settleMs?: number;
};

export type CoarseTarget = { readonly target: string; readonly stepBp: number };
