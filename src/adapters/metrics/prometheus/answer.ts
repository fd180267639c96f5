/** Rows to a measurement: counters, buckets or levels per instance, by the role of its version, dated by their samples. */
import { Instant } from '../../../domain/ids.ts';
import { isCount } from '../../../domain/analysis/measurement.ts';
import type { CounterSeries, GaugeSeries, HistogramSeries, Measurement, Role } from '../../../domain/analysis/measurement.ts';
import type { Question } from '../../../ports/metric-provider.ts';
import type { Asked, Form } from './asked.ts';
import { bucketsPerSeries } from './buckets.ts';
import type { Sample } from './client.ts';
import { AT, rowsOf } from './rows.ts';
import type { Row } from './rows.ts';

export const failed = ({ now }: Question, detail: string): Measurement => ({ kind: 'failed', at: now, detail });
export const noData = ({ now }: Question, detail: string): Measurement => ({ kind: 'no_data', at: now, detail });

/** More are a label that was forgotten, and would be kept with every measurement. */
const MOST_SERIES = 2_000;

/** Whose samples date an answer: in the past, before the canary came, those of stable do. */
export type Dating = 'canary' | 'past';

export function answerOf(asked: Asked, samples: readonly Sample[], dating: Dating = 'canary'): Measurement {
  const { question, form } = asked;
  const rows = rowsOf(asked, samples);
  if (!rows.ok) return failed(question, rows.error);
  const dated = (series: readonly Series[], make: (at: Instant) => Measurement): Measurement =>
    datedBy({ question, rows: rows.value, series, dating }, make);
  switch (form.kind) {
    case 'counters':
      return countersOf(asked, form, rows.value, dated);
    case 'histogram': {
      const own = rows.value.filter(({ part, role }) => part !== AT && role !== null);
      const read = bucketsPerSeries(own, form.classic);
      if (!read.ok) return failed(question, read.error);
      const { boundsMs, series } = read.value;
      return dated(series, (at) => ({ kind: 'histogram', at, boundsMs, series }));
    }
    case 'gauges':
      return levelsOf(asked, rows.value, dated);
    default:
      return failed(question, 'one number is no row');
  }
}

type Series = CounterSeries | HistogramSeries | GaugeSeries;
type Dated = (series: readonly Series[], make: (at: Instant) => Measurement) => Measurement;

function countersOf(
  { question, labels }: Asked,
  form: Extract<Form, { kind: 'counters' }>,
  rows: readonly Row[],
  dated: Dated,
): Measurement {
  // Without anything to count against, it is the time of each instance's newest sample: it grows by the seconds of its life.
  const [counted, against] = form.total === null ? ['bad', AT] : ['total', 'total'];
  const find = (part: string) => new Map(rows.filter((row) => row.part === part).map((row) => [row.key, row.value]));
  const [bads, totals] = [find('bad'), find(against)];
  const orphan = rows.find(({ part, key }) => part === 'bad' && !totals.has(key));
  if (orphan) return failed(question, `bad requests of a version that has no requests: ${orphan.key.trim()}`);
  const series = rows.flatMap(({ part, role, key, stratum }): readonly CounterSeries[] => {
    if (part !== counted || role === null) return [];
    const counts = { startedAt: null, total: totals.get(key) ?? Number.NaN, bad: bads.get(key) ?? 0 };
    return [{ key, role, ...(labels.by === undefined ? {} : { stratum }), ...counts }];
  });
  return dated(series, (at) => ({ kind: 'counters', at, series }));
}

function levelsOf({ question, form }: Asked, rows: readonly Row[], dated: Dated): Measurement {
  const levels = rows.flatMap(({ part, role, key, value }): readonly GaugeSeries[] =>
    part === 'level' && role !== null ? [{ key, role, value }] : [],
  );
  const endless = levels.find(({ value }) => Math.abs(value) === Infinity);
  if (endless) return failed(question, `the level of ${endless.key.trim()} is infinite, as of something divided by nothing`);
  // Nothing divided by nothing: an instance with nothing to say, as if it were not there.
  const series = levels.filter(({ value }) => !Number.isNaN(value));
  if (form.kind === 'gauges' && form.selectors.length === 0)
    return failed(question, 'a level that is made of no series has no time');
  return dated(series, (at) => ({ kind: 'gauges', at, series }));
}

type Datable = {
  readonly question: Question;
  readonly rows: readonly Row[];
  readonly series: readonly Series[];
  readonly dating: Dating;
};

/** Dated by the newest sample of the canary; stable's may be fresh while nobody looks at the canary any more. */
function datedBy({ question, rows, series, dating }: Datable, make: (at: Instant) => Measurement): Measurement {
  const odd = series.find((one) => countsOf(one).some((count) => !isCount(count)));
  if (odd) return failed(question, `a count of ${odd.key.trim()} that is none`);
  if (MOST_SERIES < series.length)
    return failed(question, `${series.length} series, and ${MOST_SERIES} are the most: is a label too much in it?`);
  const isThere = (role: Role): boolean => series.some((one) => one.role === role);
  const role = isThere('canary') ? 'canary' : dating === 'past' && isThere('stable') ? 'stable' : null;
  if (role === null) return noData(question, `no series of version ${question.canaryVersion}`);
  const seconds = timeOf(rows, role);
  const at = Math.round(seconds * 1000);
  if (!Number.isSafeInteger(at) || at < 0) return failed(question, 'samples without a time');
  return make(Instant(at));
}

/**
 * The newest sample of the role. A level that is made of several is as old as the oldest of them, and what is the same
 * for all versions has a time, too.
 */
function timeOf(rows: readonly Row[], role: Role): number {
  const times = Map.groupBy(
    rows.filter(({ part }) => part.startsWith(AT)),
    ({ part }) => part,
  );
  const newest = [...times.values()].flatMap((own) => {
    const ofRole = own.filter((row) => row.role === role);
    const chosen = 0 < ofRole.length ? ofRole : own.filter((row) => row.part !== AT && row.key.trim() === '');
    return chosen.length === 0 ? [] : [Math.max(...chosen.map(({ value }) => value))];
  });
  return Math.min(...newest);
}

const countsOf = (one: Series): readonly number[] => ('total' in one ? [one.total, one.bad] : 'counts' in one ? one.counts : []);
