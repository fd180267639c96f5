/** What a service's traffic is like, as far as a check of the canary depends on it: given by hand or measured. */
import type { Histogram } from '../analysis/histogram.ts';
import { requestsAbove, requestsIn } from '../analysis/histogram.ts';
import { logNormalBelow } from '../analysis/evidence/normal.ts';

export type Figures = {
  /** Share of bad requests, or events per unit of a rate, on stable. */
  readonly bad: number;
  /** Requests of stable by how long they took. */
  readonly latency: Histogram;
  /** How much more the counts scatter than independent requests: 1 for those. */
  readonly dispersion: number;
};

export type Traffic = {
  /** Of the whole service, both versions together. */
  readonly requestsPerSecond: number;
  /** Instances that stable's requests are counted by. */
  readonly instances: number;
  readonly all: Figures;
  /** Checks that are known to differ from that. */
  readonly checks: Readonly<Record<string, Figures>>;
};

export const figuresOf = ({ all, checks }: Traffic, check: string): Figures => checks[check] ?? all;

/** Bounds that most client libraries have, in ms. */
const BOUNDS_MS = [5, 10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2500, 5000, 10_000];
/** Of a standard normal. */
const AT_99 = 2.3263478740408408;
const REQUESTS = 1_000_000;

/** Latencies of which half are below `medianMs` and 99 % below `p99Ms`: a lognormal, as request times nearly are. */
export function latencyOf(medianMs: number, p99Ms: number): Histogram {
  const spread = Math.log(Math.max(p99Ms, medianMs * 1.001) / medianMs) / AT_99;
  const below = (ms: number): number => Math.exp(logNormalBelow(Math.log(ms / medianMs) / spread));
  const shares = [...BOUNDS_MS.map(below), 1];
  return { boundsMs: BOUNDS_MS, counts: shares.map((share, index) => REQUESTS * (share - (shares[index - 1] ?? 0))) };
}

/** Share of requests that take longer than `ms` when each takes `factor` times as long as in the histogram. */
export const shareAbove = (histogram: Histogram, ms: number, factor = 1): number =>
  requestsAbove(histogram, ms / factor) / Math.max(1e-9, requestsIn(histogram.counts));
