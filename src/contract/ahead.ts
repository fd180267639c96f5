/**
 * What is asked about a plan before it runs, as people write it: the traffic that it meets, what may go wrong, how often it
 * is played. Bodies of `plans:preview`, `plans:simulate` and `plans:backtest`; the command line's flags come to the same.
 */
import { z } from '@hono/zod-openapi';
import { plannedMs } from '../domain/course.ts';
import { Instant, NONE, Weight } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import { latencyOf } from '../domain/rehearsal/figures.ts';
import type { Figures, Traffic } from '../domain/rehearsal/figures.ts';
import type { Trials } from '../domain/rehearsal/many.ts';
import type { Scenario, Window } from '../domain/rehearsal/scenario.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Path } from './problem.ts';
import { duration, part, strict, version, weight } from './values.ts';

const document = z.union([z.string(), z.looseObject({})], { error: 'the plan as text or as an object' });
const times = z.number({ error: 'a number such as 1.5' }).min(0.01).max(100);
const whole = z.number({ error: 'a whole number' }).int('a whole number');
const window = strict({ from: duration, to: duration });
const instant = z.string({ error: 'a time such as 2026-11-20T09:00Z' }).transform((text, ctx) => {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0) return Instant(ms);
  ctx.addIssue('a time with its zone, such as 2026-11-20T09:00Z');
  return z.NEVER;
});

const trafficBody = strict({
  requestsPerSecond: z.number({ error: 'a number of requests per second' }).positive('some requests').max(1_000_000),
  errors: part.optional(),
  latency: strict({ p50: duration, p99: duration }).optional(),
  instances: whole.min(1).max(50).optional(),
});

export const previewBody = strict({ document, traffic: trafficBody.optional() }).openapi('PreviewRequest');
export const simulateBody = strict({
  document,
  traffic: trafficBody.optional(),
  /** How the canary is worse; nothing: it is not. */
  canary: strict({
    errors: part.optional(),
    /** How many times as long its requests take. */
    slower: times.optional(),
    fromWeight: weight.optional(),
    after: duration.optional(),
    grows: duration.optional(),
  }).optional(),
  drift: strict({ times, over: duration }).optional(),
  noTraffic: window.optional(),
  providerAway: window.optional(),
  runs: whole.min(1, 'one run at least').optional(),
  seed: whole.min(0).max(4_294_967_295).optional(),
  horizon: duration.optional(),
  approveAfter: duration.nullable().optional(),
}).openapi('SimulateRequest');
export const backtestBody = strict({ document, version, stableVersion: version.optional(), from: instant, to: instant })
  .refine(({ from, to }) => from < to, { error: 'the span ends after it begins', path: ['to'] })
  .openapi('BacktestRequest');

export type TrafficBody = z.output<typeof trafficBody>;
export type SimulateBody = z.output<typeof simulateBody>;
type BacktestBody = z.output<typeof backtestBody>;
/** As it is written and sent. */
export type SimulateInput = z.input<typeof simulateBody>;
export type BacktestInput = z.input<typeof backtestBody>;

/** What is taken of a service of which nothing else is known. */
export const USUAL: Figures = { bad: 0.001, latency: latencyOf(100, 400), dispersion: 1 };
const INSTANCES = 3;

export const trafficOf = ({ requestsPerSecond, errors, latency, instances }: TrafficBody): Traffic => ({
  requestsPerSecond,
  instances: instances ?? INSTANCES,
  all: {
    bad: errors ?? USUAL.bad,
    latency: latency ? latencyOf(Math.max(1, latency.p50), latency.p99) : USUAL.latency,
    dispersion: 1,
  },
  checks: {},
});

const windowOf = (body: z.output<typeof window> | undefined): Window | null =>
  body === undefined ? null : { fromMs: body.from, toMs: body.to };

export function scenarioOf({ canary = {}, drift, noTraffic, providerAway }: SimulateBody, traffic: Traffic): Scenario {
  return {
    traffic,
    bad: canary.errors ?? null,
    slower: canary.slower ?? 1,
    fromWeight: canary.fromWeight === undefined ? NONE : Weight(canary.fromWeight),
    afterMs: canary.after ?? 0,
    growsMs: canary.grows ?? 0,
    drift: drift ? { factor: drift.times, overMs: drift.over } : null,
    silent: windowOf(noTraffic),
    away: windowOf(providerAway),
  };
}

const RUNS = 50;
/** A release that is still under way after so many times what its plan takes is called held. */
const HORIZONS = 4;
const LEAST_HORIZON_MS = 3_600_000;

export const trialsOf = ({ runs = RUNS, seed = 1, horizon, approveAfter }: SimulateBody, plan: Plan): Trials => ({
  runs,
  seed,
  horizonMs: horizon ?? Math.min(plan.deadlineMs + plan.intervalMs, Math.max(LEAST_HORIZON_MS, HORIZONS * plannedMs(plan))),
  approveAfterMs: approveAfter === undefined ? 0 : approveAfter,
});

export type Excess = { readonly path: Path; readonly message: string };

/** Looks of all runs at all checks; a thousand take a fifth of a second. */
const MOST_JUDGED = 100_000;

/** Why a simulation is more than a service does for one request, with the number that would be taken; null when it is not. */
export function tooMuch({ runs, horizonMs }: Trials, { intervalMs, checks }: Plan): Excess | null {
  const perRun = Math.ceil(horizonMs / intervalMs) * Math.max(1, Object.keys(checks).length);
  if (runs * perRun <= MOST_JUDGED) return null;
  const fits = Math.floor(MOST_JUDGED / perRun);
  if (fits >= 1)
    return {
      path: ['runs'],
      message: `${runs} runs of ${formatDuration(horizonMs)} are too much work for one request: ${fits} at the most`,
    };
  const mostMs = Math.floor((MOST_JUDGED / perRun) * horizonMs);
  return {
    path: ['horizon'],
    message: `a horizon of ${formatDuration(horizonMs)} is too much work for one request: ${formatDuration(mostMs - (mostMs % 60_000))} at the most`,
  };
}

/** Steps of a replay. */
const MOST_STEPS = 5_000;

export function wrongSpan({ from, to }: Pick<BacktestBody, 'from' | 'to'>, { intervalMs }: Plan): Excess | null {
  if ((to - from) / intervalMs <= MOST_STEPS) return null;
  return {
    path: ['to'],
    message: `${formatDuration(to - from)} at an interval of ${formatDuration(intervalMs)} are more than ${MOST_STEPS} steps: ${formatDuration(MOST_STEPS * intervalMs)} at the most`,
  };
}
