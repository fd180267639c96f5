/** What was measured of stable before a release, as intervals: what calibrates its evidence. */
import type { EvidenceCheck } from '../plan.ts';
import { calibrated, calibratedGauges } from './evidence/engine.ts';
import type { EvidenceState, Spec, Tick } from './evidence/engine.ts';
import { intervalSince } from './interval.ts';
import type { CumulativeSeries, Sample } from './interval.ts';
import { requestsIn } from './histogram.ts';
import type { Measurement } from './measurement.ts';
import { tickOf } from './state.ts';

/** `history` is oldest first. Null when it tells nothing of the kind that the check needs. */
export function calibration(check: EvidenceCheck, history: readonly Measurement[], spec: Spec): EvidenceState | null {
  return check.kind === 'gauge' ? fromLevels(history) : fromCounts(history, spec);
}

function fromLevels(history: readonly Measurement[]): EvidenceState | null {
  const levels = history.flatMap((one) =>
    one.kind === 'gauges'
      ? [
          {
            at: one.at,
            values: one.series.filter(({ role }) => role === 'stable').map(({ key, value }): [string, number] => [key, value]),
          },
        ]
      : [],
  );
  const [first, last] = [levels[0], levels.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  return calibratedGauges(
    levels.map(({ values }) => Object.fromEntries(values)),
    (last.at - first.at) / (levels.length - 1),
  );
}

function fromCounts(history: readonly Measurement[], spec: Spec): EvidenceState | null {
  const ticks = ticksOf(history, spec);
  return ticks.length === 0 ? null : calibrated(spec, ticks);
}

/** The intervals of stable in it; of buckets only the newest ones, since counts of others cannot be added to theirs. */
export function ticksOf(history: readonly Measurement[], spec: Spec): readonly Tick[] {
  let sample: Sample | null = null;
  let boundsMs: readonly number[] | null = null;
  const ticks: Tick[] = [];
  for (const one of history) {
    if (one.kind !== 'counters' && one.kind !== 'histogram') continue;
    if (one.kind === 'histogram' && boundsMs?.join() !== one.boundsMs.join()) {
      ({ boundsMs } = one);
      sample = null;
      ticks.length = 0;
    }
    const next = intervalSince(
      sample,
      { at: one.at, series: stableOf(one) },
      {
        total: one.kind === 'histogram' ? requestsIn : firstOf,
        isRate: spec.kind === 'counts' && spec.isRate,
      },
    );
    ({ sample } = next);
    if (next.interval === null) continue;
    // Stable stands in the canary's place, because an interval is one of the canary.
    const { from, to, canary, series } = next.interval;
    const swapped = series.map((each) => ({ ...each, role: 'stable' as const }));
    ticks.push(tickOf(spec, { from, to, canary: [], stable: canary, series: swapped, stableRestarted: false }, boundsMs));
  }
  return ticks;
}

const firstOf = (values: readonly number[]): number => values[0] ?? 0;

function stableOf(one: Extract<Measurement, { kind: 'counters' | 'histogram' }>): readonly CumulativeSeries[] {
  const series: readonly CumulativeSeries[] =
    one.kind === 'histogram'
      ? one.series.map(({ counts, ...rest }) => ({ ...rest, values: counts }))
      : one.series.map(({ total, bad, ...rest }) => ({ ...rest, values: [total, bad] }));
  return series.filter(({ role }) => role === 'stable').map((each) => ({ ...each, role: 'canary' }));
}
