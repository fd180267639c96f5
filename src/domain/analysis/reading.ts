/** What an answer is worth before anything is concluded from it: new evidence, the same again, silence, or nonsense. */
import { unreachable } from '../../lib/assert.ts';
import type { Check } from '../plan.ts';
import { intervalSince, nameOf } from './interval.ts';
import type { Counting, CumulativeSeries } from './interval.ts';
import { requestsIn } from './histogram.ts';
import { isCount } from './measurement.ts';
import type { Measurement, Role } from './measurement.ts';
import type { Addition, State } from './state.ts';
import { durationWords } from './words.ts';

export type Reading =
  | ({ readonly kind: 'fresh' } & Addition)
  | { readonly kind: 'repeated' }
  | { readonly kind: 'no_data'; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'nonsense'; readonly detail: string };

type Timing = { readonly now: number; readonly intervalMs: number };

/** Bad requests may be read a moment before the total that they belong to. */
const BAD_SLACK = { share: 0.01, count: 1 };

const NEEDED: Readonly<Record<Check['kind'], readonly Measurement['kind'][]>> = {
  ratio: ['counters'],
  slo: ['counters'],
  rate: ['counters'],
  latency: ['histogram'],
  gauge: ['gauges'],
  threshold: ['value'],
  'mann-whitney': ['gauges', 'counters'],
};

export function readAnswer(check: Check, state: State, answer: Measurement, { now, intervalMs }: Timing): Reading {
  if (answer.kind === 'failed' || answer.kind === 'no_data') return { kind: answer.kind, detail: answer.detail };
  if (!NEEDED[check.kind].includes(answer.kind)) {
    return nonsense(
      `the provider answered with ${answer.kind}, and a ${check.kind} check needs ${NEEDED[check.kind].join(' or ')}`,
    );
  }
  if (!Number.isSafeInteger(answer.at) || answer.at < 0)
    return nonsense(`the provider dates its sample ${answer.at}, which is no instant`);
  if (now + intervalMs < answer.at)
    return nonsense(`the provider dates its sample ${durationWords(answer.at - now)} ahead of now; are the clocks in step?`);

  const wrong = wrongIn(answer, check);
  if (wrong !== null) return nonsense(wrong);
  if (state.sample !== null && answer.at <= state.sample.at) return { kind: 'repeated' };
  return freshOf(state, answer, check);
}

const nonsense = (detail: string): Reading => ({ kind: 'nonsense', detail });

type Answer = Exclude<Measurement, { kind: 'failed' | 'no_data' }>;

function freshOf(state: State, answer: Answer, check: Check): Reading {
  switch (answer.kind) {
    case 'value':
      return { kind: 'fresh', ...valueAddition(answer) };
    case 'gauges':
      return levels(state, answer);
    case 'counters': {
      const series = answer.series.map(({ total, bad, ...rest }) => ({ ...rest, values: [total, bad] }));
      const counting = { total: (values: readonly number[]) => values[0] ?? 0, isRate: check.kind === 'rate' };
      return cumulative(state, { at: answer.at, series, boundsMs: null }, counting);
    }
    case 'histogram': {
      const series = answer.series.map(({ counts, ...rest }) => ({ ...rest, values: counts }));
      return cumulative(state, { at: answer.at, series, boundsMs: answer.boundsMs }, { total: requestsIn, isRate: false });
    }
    default:
      return unreachable(answer);
  }
}

// Adding zero makes a negative zero a plain one, which JSON would do on the way to the store and back.
const valueAddition = ({ at, value }: Extract<Answer, { kind: 'value' }>): Addition => ({
  sample: { at, series: {} },
  boundsMs: null,
  interval: { from: at, to: at, canary: [value + 0], stable: [], series: [], stableRestarted: false },
});

/** Levels at one time, as an interval since the last sample: a pair of means, and no counts. */
function levels({ sample }: State, { at, series }: Extract<Answer, { kind: 'gauges' }>): Reading {
  const of = (role: Role): readonly number[] => series.filter((one) => one.role === role).map(({ value }) => value + 0);
  const canary = of('canary');
  if (canary.length === 0) return { kind: 'no_data', detail: 'the provider has no level of the canary' };
  const interval = {
    from: sample?.at ?? at,
    to: at,
    canary,
    stable: of('stable'),
    series: series.map(({ key, role, value }) => ({ key, role, stratum: '', values: [value + 0] })),
    stableRestarted: false,
  };
  return { kind: 'fresh', sample: { at, series: {} }, boundsMs: null, interval };
}

type Cumulative = {
  readonly at: number;
  readonly series: readonly CumulativeSeries[];
  readonly boundsMs: readonly number[] | null;
};

function cumulative(state: State, { at, series, boundsMs }: Cumulative, counting: Counting): Reading {
  if (!series.some(({ role }) => role === 'canary'))
    return { kind: 'no_data', detail: 'the provider has no series of the canary' };
  const comparable = boundsMs === null || state.boundsMs === null || boundsMs.join() === state.boundsMs.join();
  const { sample, interval } = intervalSince(comparable ? state.sample : null, { at, series }, counting);
  if (boundsMs === null && interval !== null && !counting.isRate) {
    for (const [requests = 0, bad = 0] of [interval.canary, interval.stable]) {
      if (isTooMany(bad, requests))
        return nonsense(`the provider counts ${bad} bad requests among ${requests} since its last sample`);
    }
  }
  return { kind: 'fresh', sample, boundsMs, interval };
}

const isTooMany = (bad: number, total: number): boolean => total * (1 + BAD_SLACK.share) + BAD_SLACK.count < bad;

/** What no counter or gauge can say, in a sentence; null when the numbers may be true. */
function wrongIn(answer: Answer, check: Check): string | null {
  switch (answer.kind) {
    case 'value':
      return Number.isFinite(answer.value) ? null : `the provider answered ${answer.value}, which is no number to judge`;
    case 'counters':
      return wrongSeries(answer.series, ({ total, bad }) => {
        if (![total, bad].every(isCount)) return `a count that is none: ${bad} bad of ${total}`;
        // Events are of another kind than what they are counted against: several in a second, or in a request.
        return check.kind !== 'rate' && isTooMany(bad, total) ? `more bad requests than requests: ${bad} of ${total}` : null;
      });
    case 'gauges':
      return wrongSeries(
        answer.series.map((one) => ({ ...one, startedAt: null })),
        ({ value }) => (Number.isFinite(value) ? null : `the value ${value}, which is no number to judge`),
      );
    case 'histogram':
      return (
        wrongBounds(answer.boundsMs) ??
        wrongSeries(answer.series, ({ counts }) => {
          if (counts.length !== answer.boundsMs.length + 1)
            return `${counts.length} buckets for ${answer.boundsMs.length} bounds`;
          return counts.every(isCount) ? null : `a count that is none: ${counts.find((count) => !isCount(count))}`;
        })
      );
    default:
      return unreachable(answer);
  }
}

type Named = Pick<CumulativeSeries, 'key' | 'role' | 'startedAt'>;

function wrongSeries<S extends Named>(series: readonly S[], wrong: (one: S) => string | null): string | null {
  const names = new Set<string>();
  for (const one of series) {
    const where = `the provider's series ${nameOf(one)}`;
    if (names.has(nameOf(one))) return `${where} is there twice`;
    names.add(nameOf(one));
    if (one.startedAt !== null && !Number.isFinite(one.startedAt))
      return `${where} began at ${one.startedAt}, which is no instant`;
    const detail = wrong(one);
    if (detail !== null) return `${where} has ${detail}`;
  }
  return null;
}

function wrongBounds(boundsMs: readonly number[]): string | null {
  const rising = boundsMs.every((bound, index) => Number.isFinite(bound) && (boundsMs[index - 1] ?? 0) < bound);
  return 0 < boundsMs.length && rising
    ? null
    : `the provider's bucket bounds do not rise from above nothing: ${boundsMs.join(', ')}`;
}
