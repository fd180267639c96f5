/** What the judge remembers of one check: the last sample, what was counted at this weight, and the evidence since the release began. */
import type { Check } from '../plan.ts';
import { atNewWeight, init, step } from './evidence/engine.ts';
import type { EvidenceState, Spec, Tick } from './evidence/engine.ts';
import { sum } from './interval.ts';
import type { Interval, Sample } from './interval.ts';

export type State = {
  readonly version: 2;
  readonly kind: Check['kind'];
  /** What was counted at the present weight begins here; another instant counts anew. */
  readonly since: number;
  /** The evidence begins here; another instant begins it anew. */
  readonly evidenceFrom: number;
  readonly sample: Sample | null;
  /** Bucket bounds of a latency check; other ones start the evidence anew. */
  readonly boundsMs: readonly number[] | null;
  /** Our own time when the newest sample was taken in: a frozen provider does not move it. */
  readonly seenAt: number | null;
  /** Span of what was counted at this weight, and the end of the last interval in which the canary had a request. */
  readonly from: number | null;
  readonly to: number | null;
  readonly busyUntil: number | null;
  readonly measurements: number;
  /** Whether each of the last measurements of a threshold was over the limit. */
  readonly breaches: readonly boolean[];
  /** Sums over the intervals at this weight: [total, bad], one number per bucket, or the newest levels. */
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  /** For hard limits, also with warm-up and the interval in which the weight changed: the newest alone, and the sum. */
  readonly newest: readonly number[] | null;
  readonly exposed: readonly number[];
  /** Sums over all intervals that the evidence was made of, and the evidence; null for kinds without. */
  readonly judged: { readonly canary: readonly number[]; readonly stable: readonly number[] };
  readonly evidence: EvidenceState | null;
  /** Values of both versions, for a rank test: the newest last. */
  readonly values: readonly (readonly [at: number, canary: number | null, stable: number | null])[];
};

/** What a good answer adds: an interval between two samples, a value, or only a sample to count from. */
export type Addition = {
  readonly sample: Sample;
  readonly boundsMs: readonly number[] | null;
  readonly interval: Interval | null;
};

export type Beginnings = { readonly since: number; readonly evidenceFrom: number };

/** The state to go on from; counts are dropped when the weight has changed since, evidence when it began anew, the last sample never. */
export function restore(stored: unknown, kind: Check['kind'], { since, evidenceFrom }: Beginnings): State {
  const none = empty(kind, { since, evidenceFrom });
  if (!isState(stored) || stored.kind !== kind) return none;
  const { sample, seenAt, boundsMs } = stored;
  const same = stored.since === since ? stored : { ...none, sample, seenAt, boundsMs };
  const kept = stored.evidenceFrom === evidenceFrom ? stored : none;
  const evidence = kept.evidence !== null && stored.since !== since ? atNewWeight(kept.evidence) : kept.evidence;
  return { ...same, evidenceFrom, evidence, judged: kept.judged, values: kept.values };
}

const empty = (kind: Check['kind'], { since, evidenceFrom }: Beginnings): State => ({
  version: 2,
  kind,
  since,
  evidenceFrom,
  sample: null,
  boundsMs: null,
  seenAt: null,
  from: null,
  to: null,
  busyUntil: null,
  measurements: 0,
  breaches: [],
  canary: [],
  stable: [],
  newest: null,
  exposed: [],
  judged: { canary: [], stable: [] },
  evidence: null,
  values: [],
});

export type Times = { readonly now: number; readonly warmUpMs: number };

/**
 * `askable`: there is something new to hold against a threshold. What only hard limits may see is not: the change of the
 * weight, the warm-up, a first sample.
 */
export function absorb(
  before: State,
  { sample, boundsMs, interval }: Addition,
  { now, warmUpMs }: Times,
): { readonly state: State; readonly askable: boolean } {
  const known = sameBounds(before.boundsMs, boundsMs) ? before : empty(before.kind, before);
  const seen = { ...known, sample, boundsMs, seenAt: now };
  if (interval === null || interval.to <= seen.since) return { state: seen, askable: false };

  const exposed = {
    ...seen,
    newest: interval.canary,
    exposed: isSummed(seen.kind) ? sum(seen.exposed, interval.canary) : [],
  };
  if (interval.from < seen.since + warmUpMs) return { state: exposed, askable: false };

  const state: State = {
    ...exposed,
    from: seen.from ?? interval.from,
    to: interval.to,
    busyUntil: isBusy(interval) ? interval.to : seen.busyUntil,
    measurements: seen.measurements + 1,
    canary: isSummed(seen.kind) ? sum(seen.canary, interval.canary) : interval.canary,
    stable: isSummed(seen.kind) ? sum(seen.stable, interval.stable) : interval.stable,
  };
  // An interval without a canary request would only repeat the last answer to the same question.
  return { state, askable: isBusy(interval) || !isSummed(seen.kind) };
}

/** Levels and values are looked at one by one; their sum means nothing. */
const isSummed = (kind: Check['kind']): boolean => kind !== 'threshold' && kind !== 'gauge' && kind !== 'mann-whitney';

/**
 * Adds an interval to the evidence. Errors count from the first request on, also while the weight changes; latencies and
 * levels of a canary that just started say nothing about it, so they wait for the warm-up.
 */
export function weigh(
  state: State,
  interval: Interval,
  { spec, warmUpMs }: { readonly spec: Spec; readonly warmUpMs: number },
): State {
  const from = spec.kind === 'counts' ? state.evidenceFrom : Math.max(state.evidenceFrom, state.since + warmUpMs);
  if (interval.from < from || interval.to <= interval.from) return state;
  const tick = tickOf(spec, interval, state.boundsMs);
  return {
    ...state,
    evidence: step(spec, state.evidence ?? init(spec), tick),
    judged:
      spec.kind === 'gauges'
        ? { canary: interval.canary, stable: interval.stable }
        : { canary: sum(state.judged.canary, interval.canary), stable: sum(state.judged.stable, interval.stable) },
  };
}

export function tickOf(spec: Spec, interval: Interval, boundsMs: readonly number[] | null): Tick {
  const { from, to, canary, stable, series } = interval;
  if (spec.kind === 'gauges') return { kind: 'gauges', from, to, canary, stable };
  const ofStable = series.filter(({ role }) => role === 'stable');
  if (spec.kind === 'tails') {
    const instances = ofStable.map(({ key, values }) => ({ key, counts: values }));
    return {
      kind: 'tails',
      from,
      to,
      boundsMs: boundsMs ?? [],
      canary: filled(canary, stable),
      stable: filled(stable, canary),
      instances,
    };
  }
  const arm = (values: readonly number[]) => armOf(values, spec.isRate);
  const strata = [...new Set(series.map(({ stratum }) => stratum))];
  const part = (role: 'canary' | 'stable', stratum: string) =>
    arm(
      series.reduce<readonly number[]>(
        (all, one) => (one.role === role && one.stratum === stratum ? sum(all, one.values) : all),
        [],
      ),
    );
  return {
    kind: 'counts',
    from,
    to,
    canary: arm(canary),
    stable: arm(stable),
    instances: ofStable.map(({ key, stratum, values }) => ({ key, group: stratum, ...arm(values) })),
    parts:
      strata.length < 2
        ? {}
        : Object.fromEntries(
            strata.map((stratum) => [partName(stratum), { canary: part('canary', stratum), stable: part('stable', stratum) }]),
          ),
  };
}

/** A route may be named like what every object has. */
const partName = (stratum: string): string => (stratum in Object.prototype ? `"${stratum}"` : stratum);

/** As many buckets as the other arm has: an arm without requests has none. */
const filled = (counts: readonly number[], other: readonly number[]): readonly number[] =>
  sum(
    counts,
    other.map(() => 0),
  );

/** The two counters are read one after the other, which may leave one bad request more than there are requests. */
export const armOf = ([n = 0, bad = 0]: readonly number[], isRate = false) => ({ n, bad: isRate ? bad : Math.min(n, bad) });

/** Seven digits: ranks need no more, and the state stays small. */
const short = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(7)));

/** As many values as a rank test is shown at the most: six hours of minutes. */
const MOST_VALUES = 360;

export const noteValues = (state: State, [at, canary, stable]: State['values'][number]): State => ({
  ...state,
  values: [...state.values, [at, short(canary), short(stable)] as const].slice(-MOST_VALUES),
});

export const noteBreach = (state: State, breached: boolean, of: number): State => ({
  ...state,
  breaches: [...state.breaches, breached].slice(-Math.max(1, of)),
});

const isBusy = (interval: Interval): boolean => interval.canary.some((count) => 0 < count);

const sameBounds = (a: readonly number[] | null, b: readonly number[] | null): boolean =>
  a === null || b === null || (a.length === b.length && a.every((bound, index) => bound === b[index]));

/** The store gives back what it was given; a state of another version, or a damaged one, starts anew. */
function isState(stored: unknown): stored is State {
  if (!isRecord(stored) || stored['version'] !== 2) return false;
  const { sample, boundsMs, newest, breaches } = stored;
  return (
    typeof stored['kind'] === 'string' &&
    typeof stored['since'] === 'number' &&
    typeof stored['evidenceFrom'] === 'number' &&
    isRecord(stored['judged']) &&
    [stored['judged']['canary'], stored['judged']['stable']].every(isNumbers) &&
    (stored['evidence'] === null || isEvidenceState(stored['evidence'])) &&
    Array.isArray(stored['values']) &&
    typeof stored['measurements'] === 'number' &&
    [stored['seenAt'], stored['from'], stored['to'], stored['busyUntil']].every((at) => at === null || typeof at === 'number') &&
    [stored['canary'], stored['stable'], stored['exposed'], boundsMs ?? [], newest ?? []].every(isNumbers) &&
    Array.isArray(breaches) &&
    breaches.every((breach) => typeof breach === 'boolean') &&
    (sample === null ? stored['seenAt'] === null : typeof stored['seenAt'] === 'number' && isSample(sample))
  );
}

/** Only as far as a damaged one would make us stumble; the numbers in it are ours. */
function isEvidenceState(evidence: unknown): boolean {
  if (!isRecord(evidence)) return false;
  const isProcess = (process: unknown): boolean => isRecord(process) && isNumbers(process['bets']);
  const { kind, dispersion, effect, proof, here } = evidence;
  const hasHere = (...names: readonly string[]): boolean => isRecord(here) && names.every((name) => isProcess(here[name]));
  if (kind === 'gauges')
    return typeof evidence['pairs'] === 'number' && isRecord(evidence['block']) && isRecord(evidence['blocks']);
  const hasCommon =
    isRecord(dispersion) &&
    Array.isArray(dispersion['scales']) &&
    isNumbers(effect) &&
    isNumbers(proof) &&
    isProcess(evidence['own']);
  if (kind === 'tails')
    return (
      hasCommon &&
      (evidence['bounds'] === null ||
        (Array.isArray(evidence['bounds']) &&
          evidence['bounds'].every((bound) => isRecord(bound) && isProcess(bound['process'])))) &&
      hasHere('shown', 'own')
    );
  return (
    kind === 'counts' &&
    hasCommon &&
    isProcess(evidence['all']) &&
    hasHere('all', 'own') &&
    isRecord(evidence['past']) &&
    isRecord(evidence['parts']) &&
    Object.values(evidence['parts']).every(isProcess)
  );
}

const isSample = (sample: unknown): boolean =>
  isRecord(sample) &&
  typeof sample['at'] === 'number' &&
  isRecord(sample['series']) &&
  Object.values(sample['series']).every(
    (series) =>
      isRecord(series) &&
      typeof series['at'] === 'number' &&
      (series['startedAt'] === null || typeof series['startedAt'] === 'number') &&
      isNumbers(series['values']),
  );

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every((item) => Number.isFinite(item));
