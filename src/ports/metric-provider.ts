/**
 * Something that can be asked how the canary does. One question at a time, tried once. It reports what it saw and how
 * old that is; it never judges, never averages away a missing value, and never turns silence into a number.
 */
import type { Check } from '../domain/plan.ts';
import type { Measurement } from '../domain/analysis/measurement.ts';
import type { Instant } from '../domain/ids.ts';
import type { Slots } from '../domain/target.ts';
import type { Result } from '../lib/result.ts';

export type Question = {
  readonly check: Check;
  readonly service: string;
  readonly canaryVersion: string;
  readonly stableVersion: string | null;
  readonly canarySlot: string;
  readonly stableSlot: string;
  /** Where the service's traffic is split: counters of an edge or a load balancer are told apart by slot. */
  readonly routes: readonly { readonly router: string; readonly route: string; readonly slots: Slots }[];
  /** When the present weight was read back: samples older than that say nothing about it. */
  readonly since: Instant;
  /** How often the check is measured. */
  readonly intervalMs: number;
  readonly now: Instant;
};

export type MetricProvider = {
  readonly name: string;
  readonly type: string;
  /** Checks that it offers by name alone (`checks: [errors, latency]`). */
  readonly offers: Readonly<Record<string, OfferedCheck>>;
  /** A question of its language that every such server answers at once, whatever it counts; for tests of the connection. */
  readonly constant?: string;
  /** Why this check cannot be answered here, or null when it can. Used when a plan is validated. */
  refuses(check: Check): string | null;
  measure(question: Question, signal: AbortSignal): Promise<Measurement>;
  /**
   * What `measure` would have answered at every `stepMs` of a past span, oldest first, one entry for each step: cumulative
   * counts as they were then, and no data or a failure where there was one. A step at which stable alone was there is
   * answered with stable alone, dated by it. The error is a sentence: why there is none. For calibration, previews and
   * replays; never for a verdict of today.
   */
  history(question: Question, span: Span, signal: AbortSignal): Promise<Result<readonly Measurement[], string>>;
  close(): Promise<void>;
};

export type Span = { readonly from: Instant; readonly to: Instant; readonly stepMs: number };

/** The default form of an offered check, without the name and the provider. */
export type OfferedCheck = {
  /** An SLO needs a limit, which only a plan can say. */
  readonly kind: Exclude<Check['kind'], 'slo'>;
  readonly query: Readonly<Record<string, string>>;
};

const SERVED: Readonly<Record<OfferedCheck['kind'], readonly Check['kind'][]>> = {
  ratio: ['ratio', 'slo', 'mann-whitney'],
  rate: ['rate'],
  latency: ['latency'],
  gauge: ['gauge', 'mann-whitney'],
  threshold: ['threshold'],
  'mann-whitney': ['mann-whitney'],
};

/** The kinds of checks that an offer can be asked by: counters of bad requests also say whether a promised limit holds. */
export const kindsServed = (offered: OfferedCheck['kind']): readonly Check['kind'][] => SERVED[offered];
