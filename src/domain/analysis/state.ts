/** What the judge remembers of one check: the last cumulative sample, and what was counted since the weight changed. */
import type { Check } from '../plan.ts';
import { sum } from './interval.ts';
import type { Interval, Sample } from './interval.ts';

export type State = {
  readonly version: 1;
  readonly kind: Check['kind'];
  /** The evidence begins here; another instant starts it anew. */
  readonly since: number;
  readonly sample: Sample | null;
  /** Bucket bounds of a latency check; other ones start the evidence anew. */
  readonly boundsMs: readonly number[] | null;
  /** Our own time when the newest sample was taken in: a frozen provider does not move it. */
  readonly seenAt: number | null;
  /** Span of what was counted, and the end of the last interval in which the canary had a request. */
  readonly from: number | null;
  readonly to: number | null;
  readonly busyUntil: number | null;
  readonly measurements: number;
  /** Whether each of the last `failures.of` counted measurements was over the limit. */
  readonly breaches: readonly boolean[];
  /** Sums over the counted intervals: [total, bad] or one number per bucket. */
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  /** For hard limits, also with warm-up and the interval in which the weight changed: the newest alone, and the sum. */
  readonly newest: readonly number[] | null;
  readonly exposed: readonly number[];
};

/** What a good answer adds: an interval between two samples, a value, or only a sample to count from. */
export type Addition = {
  readonly sample: Sample;
  readonly boundsMs: readonly number[] | null;
  readonly interval: Interval | null;
};

/** The state to go on from; counts are dropped when the weight has changed since, the last sample is kept. */
export function restore(stored: unknown, check: Check, since: number): State {
  if (!isState(stored) || stored.kind !== check.kind) return empty(check.kind, since);
  if (stored.since === since) return stored;
  const { sample, seenAt, boundsMs } = stored;
  return { ...empty(check.kind, since), sample, seenAt, boundsMs };
}

const empty = (kind: Check['kind'], since: number): State => ({
  version: 1,
  kind,
  since,
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
});

/**
 * `askable`: there is something new to hold against the limits. What only hard limits may see is not: the change of the
 * weight, the warm-up, a first sample.
 */
export function absorb(
  before: State,
  { sample, boundsMs, interval }: Addition,
  { now, warmUpMs }: { readonly now: number; readonly warmUpMs: number },
): { readonly state: State; readonly askable: boolean } {
  const known = sameBounds(before.boundsMs, boundsMs) ? before : empty(before.kind, before.since);
  const seen = { ...known, sample, boundsMs, seenAt: now };
  if (interval === null || interval.to <= seen.since) return { state: seen, askable: false };

  // Values are looked at one by one; their sum means nothing.
  const isSummed = seen.kind !== 'threshold';
  const exposed = {
    ...seen,
    newest: interval.canary,
    exposed: isSummed ? sum(seen.exposed, interval.canary) : [],
  };
  if (interval.from < seen.since + warmUpMs) return { state: exposed, askable: false };

  const state: State = {
    ...exposed,
    from: seen.from ?? interval.from,
    to: interval.to,
    busyUntil: isBusy(interval) ? interval.to : seen.busyUntil,
    measurements: seen.measurements + 1,
    canary: isSummed ? sum(seen.canary, interval.canary) : [],
    stable: sum(seen.stable, interval.stable),
  };
  // An interval without a canary request would only repeat the last answer to the same question.
  return { state, askable: isBusy(interval) || !isSummed };
}

export const noteBreach = (state: State, breached: boolean, of: number): State => ({
  ...state,
  breaches: [...state.breaches, breached].slice(-Math.max(1, of)),
});

const isBusy = (interval: Interval): boolean => interval.canary.some((count) => 0 < count);

const sameBounds = (a: readonly number[] | null, b: readonly number[] | null): boolean =>
  a === null || b === null || (a.length === b.length && a.every((bound, index) => bound === b[index]));

/** The store gives back what it was given; a state of another version, or a damaged one, starts anew. */
function isState(stored: unknown): stored is State {
  if (!isRecord(stored) || stored['version'] !== 1) return false;
  const { sample, boundsMs, newest, breaches } = stored;
  return (
    typeof stored['kind'] === 'string' &&
    typeof stored['since'] === 'number' &&
    typeof stored['measurements'] === 'number' &&
    [stored['seenAt'], stored['from'], stored['to'], stored['busyUntil']].every((at) => at === null || typeof at === 'number') &&
    [stored['canary'], stored['stable'], stored['exposed'], boundsMs ?? [], newest ?? []].every(isNumbers) &&
    Array.isArray(breaches) &&
    breaches.every((breach) => typeof breach === 'boolean') &&
    (sample === null ? stored['seenAt'] === null : typeof stored['seenAt'] === 'number' && isSample(sample))
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
