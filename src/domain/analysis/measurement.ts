/**
 * What a provider answers, and what the judge concludes. Providers give *cumulative* counters per series; the judge
 * makes disjoint intervals of them, because overlapping rates count one bad request several times.
 */
import type { Instant } from '../ids.ts';
import type { Classification } from './mann-whitney-metric.ts';

/** `at` is the time of the newest sample in it, by the provider's word: the same `at` twice is the same measurement. */
export type Measurement =
  | { readonly kind: 'value'; readonly at: Instant; readonly value: number }
  | { readonly kind: 'counters'; readonly at: Instant; readonly series: readonly CounterSeries[] }
  | {
      readonly kind: 'histogram';
      readonly at: Instant;
      /** Upper bounds in ms, rising; one bucket more than bounds, the last one open. */
      readonly boundsMs: readonly number[];
      readonly series: readonly HistogramSeries[];
    }
  /** One number of each instance, of both versions, at one time. */
  | { readonly kind: 'gauges'; readonly at: Instant; readonly series: readonly GaugeSeries[] }
  /** The provider answered, and has nothing to say about this question. */
  | { readonly kind: 'no_data'; readonly at: Instant; readonly detail: string }
  /** The provider could not be asked, or answered nonsense. */
  | { readonly kind: 'failed'; readonly at: Instant; readonly detail: string };

export type Role = 'canary' | 'stable';

export type CounterSeries = {
  /** Names the series among those of one answer: an instance, a slot. */
  readonly key: string;
  readonly role: Role;
  /** The part of the traffic that it counts, such as a route, where a check asks for parts. */
  readonly stratum?: string;
  /** When counting began from zero, where the provider knows; a later one than last time is a counter reset. */
  readonly startedAt: Instant | null;
  /** Requests, or of a rate what the events are counted against: seconds of life, requests. */
  readonly total: number;
  /** Bad requests, or events. */
  readonly bad: number;
};

export type HistogramSeries = {
  readonly key: string;
  readonly role: Role;
  readonly startedAt: Instant | null;
  /** Requests per bucket (not cumulated over the buckets), cumulative over time. */
  readonly counts: readonly number[];
};

export type GaugeSeries = { readonly key: string; readonly role: Role; readonly value: number };

export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'no_data' | 'error';

/** What one check says now, with what it rests on. `sentence` is for people: one line, counts included. */
export type CheckVerdict = {
  readonly verdict: Verdict;
  readonly sentence: string;
  /** True when a hard limit was broken: acts at once, whatever the rest says. */
  readonly hard: boolean;
  /** Why it is inconclusive; null when it is not. */
  readonly doubt: Doubt | null;
  readonly evidence: Evidence;
};

/** Only `thin` and `marginal` are the plan's to decide on: the others pass with time. */
export type Doubt =
  /** Fewer measurements than a pass needs. */
  | 'collecting'
  /** Less traffic than shows a regression worth seeing, or nothing to compare with. */
  | 'thin'
  /** Perhaps worse. */
  | 'suspicious'
  /** Some measurements over a threshold, or a score between two limits. */
  | 'marginal';

export type Evidence = {
  /** The span of the intervals that were judged. */
  readonly from: Instant | null;
  readonly to: Instant | null;
  /** Distinct fresh measurements since the evidence began. */
  readonly measurements: number;
  /** Breaches among the last `of` of them. */
  readonly breaches: number;
  readonly of: number;
  readonly query: Readonly<Record<string, string>>;
  readonly canary: ArmEvidence | null;
  readonly stable: ArmEvidence | null;
  /** The limit that the canary was held against, in the unit of `value`. */
  readonly limit: number | null;
  /** What the evidence is worth; null for kinds that have none. */
  readonly weighed: Weighed | null;
  /** What a rank test says of its metric; null for other kinds, and before there are values enough. */
  readonly ranked: { readonly classification: Classification; readonly critical: boolean } | null;
};

/** The evidence that a canary is worse than tolerated, since the release began, and what was held against it. */
export type Weighed = {
  /** Natural logarithm of this check's own evidence; 0 is none. */
  readonly logE: number;
  /** Of all checks of the release together, and where it takes the release back. */
  readonly together: number;
  readonly threshold: number;
  /** Bounds the chance that a good release ever looked so bad. */
  readonly anytimeP: number;
  /**
   * How many times stable's rate, interval by interval since the release began: of all its weights, and not, as the counts
   * are, of the present one. `low` and `high` hold at every look with 95 %. Ends are null where they
   * are open.
   */
  readonly ratio: { readonly estimate: number; readonly low: number | null; readonly high: number | null } | null;
  /** How much more the counts scatter than independent requests: the evidence is divided by it. Null where unknown. */
  readonly dispersion: { readonly factor: number; readonly byInstance: boolean } | null;
  /** The route, the bound or the limit that the evidence comes from most. */
  readonly from: string | null;
  /** Requests at this weight that a pass needs, and whether it is proved that the canary is not twice as bad. */
  readonly needed: number | null;
  readonly proved: boolean;
  /**
   * Where slow requests are counted, slower than `atMs` is slow now; null where they are not. The ratio counts each interval
   * at the bound that was nearest to stable's quantile then: from `leastMs` to `mostMs`, where that moved.
   */
  readonly slow: { readonly atMs: number; readonly leastMs: number; readonly mostMs: number } | null;
};

export type ArmEvidence = {
  readonly n: number;
  readonly bad: number;
  /** Share of bad requests, quantile in ms, or the value itself. */
  readonly value: number | null;
};

/** What a count can be; sums of larger numbers would not be exact. */
export const isCount = (count: number): boolean => 0 <= count && count <= Number.MAX_SAFE_INTEGER;
