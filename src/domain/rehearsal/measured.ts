/** The present traffic of a service, from what its providers counted of stable. */
import { ticksOf } from '../analysis/calibration.ts';
import { assess, calibrated, specOf } from '../analysis/evidence/engine.ts';
import { requestsIn } from '../analysis/histogram.ts';
import type { Measurement } from '../analysis/measurement.ts';
import { isEvidence } from '../analysis/together.ts';
import { plannedMs } from '../course.ts';
import type { Plan } from '../plan.ts';
import type { Figures, Traffic } from './figures.ts';

export type Seen = { readonly check: string; readonly history: readonly Measurement[] };

/** What is taken where nothing was seen of it: `fallback`. Null when no check counted any request. */
export function trafficFrom(plan: Plan, seen: readonly Seen[], fallback: Figures): Traffic | null {
  const rules = { alpha: plan.falseRollbackRate, tickMs: plan.intervalMs, horizonMs: plannedMs(plan) };
  const checks: Record<string, Figures> = {};
  let requestsPerSecond = 0;
  let instances = 1;
  for (const { check: name, history } of seen) {
    const check = plan.checks[name];
    if (check === undefined || !isEvidence(check) || check.kind === 'gauge') continue;
    const spec = specOf(check, rules);
    const ticks = ticksOf(history, spec);
    const seconds = ticks.reduce((sum, tick) => sum + tick.to - tick.from, 0) / 1000;
    if (seconds <= 0) continue;
    const known = calibrated(spec, ticks);
    const dispersion = assess(spec, known).dispersion?.factor ?? 1;
    let requests = 0;
    let bad = 0;
    let latency = fallback.latency;
    for (const tick of ticks) {
      if (tick.kind === 'counts') {
        requests += tick.stable.n;
        bad += tick.stable.bad;
        instances = Math.max(instances, new Set(tick.instances.map(({ key }) => key)).size);
      } else if (tick.kind === 'tails') {
        const before = latency === fallback.latency ? [] : latency.counts;
        latency = { boundsMs: tick.boundsMs, counts: tick.stable.map((count, index) => count + (before[index] ?? 0)) };
        requests += requestsIn(tick.stable);
        instances = Math.max(instances, tick.instances.length);
      }
    }
    // The exposure of a rate need not be requests.
    if (check.kind !== 'rate') requestsPerSecond = Math.max(requestsPerSecond, requests / seconds);
    if (requests > 0) checks[name] = { bad: bad / requests, latency, dispersion };
  }
  const first = Object.values(checks).find(({ latency }) => latency === fallback.latency);
  return requestsPerSecond > 0 ? { requestsPerSecond, instances, all: first ?? fallback, checks } : null;
}
