/**
 * Series of points as a store gives them, to measurements. What is measured now and what would have been measured then go
 * the same way: of every series its newest point that is not older than the look back, and nothing made up in between.
 */
import type { CounterSeries, GaugeSeries, HistogramSeries, Measurement, Role } from '../../domain/analysis/measurement.ts';
import { Instant } from '../../domain/ids.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { Question, Span } from '../../ports/metric-provider.ts';

export type Point = { readonly atMs: number; readonly value: number };

/** `part` is the key of the check's question that it answers; `le` the bound of a bucket, in ms. */
export type Line = {
  readonly part: string;
  readonly role: Role;
  readonly key: string;
  readonly stratum?: string | undefined;
  readonly le?: number | undefined;
  /** One of several counters that make an instance's when they are added up. */
  readonly isPart?: boolean;
  /** In the order of time. */
  readonly points: readonly Point[];
};

type Row = Omit<Line, 'points'> & Point;

export const failed = ({ now }: Pick<Question, 'now'>, detail: string): Measurement => ({ kind: 'failed', at: now, detail });
export const noData = ({ now }: Pick<Question, 'now'>, detail: string): Measurement => ({ kind: 'no_data', at: now, detail });

/** With the provider's name in front, as every failure of it is told. */
export const named = (name: string, measurement: Measurement): Measurement =>
  measurement.kind === 'failed' || measurement.kind === 'no_data'
    ? { ...measurement, detail: `${name}: ${measurement.detail}` }
    : measurement;

/** `aligned`: points of one instance are taken of one time, where a store gives its counters one by one. */
export type Looking = {
  readonly lookbackMs: number;
  readonly aligned: boolean;
  /** Of the past stable alone is an answer, too. */
  readonly isPast?: boolean;
};

export function measurementOf(
  question: Question,
  lines: readonly Line[],
  { lookbackMs, aligned, isPast = false }: Looking,
): Measurement {
  if (question.check.kind === 'threshold') return valueOf(question, lines, lookbackMs);
  const span = { fromMs: question.now - lookbackMs, toMs: question.now };
  const groups = aligned ? [...Map.groupBy(lines, nameOf).values()] : [];
  const rows = summed(
    aligned ? groups.flatMap((group) => rowsOfOneTime(group, span)) : lines.flatMap((line) => newestIn(line, span)),
  );
  const wrong = rows.find(({ value }) => !Number.isFinite(value));
  if (wrong) return failed(question, `a value of ${nameOf(wrong)} that is none`);
  const inexact = rows.find(({ part, value }) => part !== 'query' && Number.MAX_SAFE_INTEGER < value);
  if (inexact) return failed(question, `a count of ${nameOf(inexact)} too large to be exact`);
  const asked = { question, isPast };
  if (rows.some(({ part }) => part === 'histogram')) return histogramOf(asked, rows);
  return rows.some(({ part }) => part === 'query') ? gaugesOf(asked, rows) : countersOf(asked, rows);
}

type Window = { readonly fromMs: number; readonly toMs: number };

function newestIn({ points, ...line }: Line, { fromMs, toMs }: Window): readonly Row[] {
  const newest = points.findLast(({ atMs }) => atMs <= toMs);
  return newest && fromMs <= newest.atMs ? [{ ...line, ...newest }] : [];
}

/** Nothing of an instance of which a part has no recent point: a total without its errors looks calm. */
function rowsOfOneTime(group: readonly Line[], span: Window): readonly Row[] {
  const present = group.filter((line) => newestIn(line, span).length > 0);
  const parts = (lines: readonly Line[]): number => new Set(lines.map(({ part }) => part)).size;
  if (parts(present) < parts(group)) return [];
  const toMs = Math.min(...present.flatMap((line) => newestIn(line, span).map(({ atMs }) => atMs)));
  return present.flatMap((line) => newestIn(line, { ...span, toMs }));
}

function summed(rows: readonly Row[]): readonly Row[] {
  const groups = Map.groupBy(
    rows.filter(({ isPart }) => isPart),
    (row) => `${row.part} ${row.le} ${nameOf(row)}`,
  );
  const sums = [...groups.values()].flatMap((group): readonly Row[] =>
    group[0]
      ? [
          {
            ...group[0],
            value: group.reduce((sum, { value }) => sum + value, 0),
            atMs: Math.max(...group.map(({ atMs }) => atMs)),
          },
        ]
      : [],
  );
  return [...rows.filter(({ isPart }) => !isPart), ...sums];
}

const nameOf = ({ role, key, stratum }: Pick<Row, 'role' | 'key' | 'stratum'>): string =>
  [role, key, stratum].filter(Boolean).join(' ');

type Asked = { readonly question: Question; readonly isPast: boolean };

function countersOf(asked: Asked, rows: readonly Row[]): Measurement {
  const isTotal = ({ part }: Row): boolean => part === 'total' || part === 'per';
  const bad = Map.groupBy(
    rows.filter((row) => !isTotal(row)),
    nameOf,
  );
  const totals = Map.groupBy(rows.filter(isTotal), nameOf);
  const orphan = [...bad.keys()].find((key) => !totals.has(key));
  if (orphan !== undefined)
    return failed(asked.question, `bad requests or events of a series that counts nothing else: ${orphan}`);
  const twice = [...totals, ...bad].find(([, same]) => same.length > 1);
  if (twice) return failed(asked.question, `several series are one instance: ${twice[0]}; tell them apart, or select one`);
  const series = [...totals.entries()].flatMap(([name, [row]]): readonly CounterSeries[] => {
    if (!row) return [];
    const { role, key, stratum, value } = row;
    const own = { key: stratum === undefined ? key : `${key} ${stratum}`, role, startedAt: null };
    return [{ ...own, ...(stratum === undefined ? {} : { stratum }), total: value, bad: bad.get(name)?.[0]?.value ?? 0 }];
  });
  const odd = series.find(({ total, bad: events }) => total < 0 || events < 0);
  if (odd) return failed(asked.question, `a count of ${odd.key} below nothing`);
  return dated(asked, rows.filter(isTotal), (at) => ({ kind: 'counters', at, series }));
}

function histogramOf(asked: Asked, rows: readonly Row[]): Measurement {
  const all: { readonly bounds: readonly number[]; readonly series: HistogramSeries }[] = [];
  for (const [name, own] of Map.groupBy(rows, nameOf)) {
    const sorted = own.toSorted((a, b) => (a.le ?? 0) - (b.le ?? 0));
    const wrong = wrongBuckets(sorted);
    if (wrong !== null || !sorted[0]) return failed(asked.question, `the histogram of ${name} ${wrong}`);
    const { role, key } = sorted[0];
    const counts = sorted.map(({ value }, index) => value - (sorted[index - 1]?.value ?? 0));
    const bounds = sorted.slice(0, -1).map(({ le }) => le ?? 0);
    // A bound of nothing holds what took no time, which belongs to the first bucket that is one.
    const [first = 0, second = 0, ...rest] = counts;
    const isFromZero = bounds[0] === 0;
    all.push({
      bounds: bounds.slice(isFromZero ? 1 : 0),
      series: { key, role, startedAt: null, counts: isFromZero ? [first + second, ...rest] : counts },
    });
  }
  const boundsMs = all[0]?.bounds ?? [];
  const other = all.find(({ bounds }) => bounds.join() !== boundsMs.join());
  if (other) return failed(asked.question, `the histograms of ${all[0]?.series.key} and ${other.series.key} have other buckets`);
  return dated(asked, rows, (at) => ({ kind: 'histogram', at, boundsMs, series: all.map(({ series }) => series) }));
}

function wrongBuckets(sorted: readonly Row[]): string | null {
  if (sorted.some(({ le }) => le === undefined || Number.isNaN(le) || le < 0)) return 'has a bound that is no number';
  if (sorted.some(({ le }, index) => le === sorted[index - 1]?.le)) return 'has a bucket twice';
  if (sorted.at(-1)?.le !== Infinity) return 'has no bucket +Inf';
  if (sorted.filter(({ le }) => le !== 0).length < 2) return 'has one bucket only';
  const sinks = sorted.some(({ value }, index) => value < (sorted[index - 1]?.value ?? 0));
  return sinks ? 'has a bucket that holds less than a smaller one' : null;
}

function gaugesOf(asked: Asked, rows: readonly Row[]): Measurement {
  const twice = [...Map.groupBy(rows, nameOf)].find(([, same]) => same.length > 1);
  if (twice) return failed(asked.question, `several series are one instance: ${twice[0]}; tell them apart, or select one`);
  const series = rows.map(({ key, role, value }): GaugeSeries => ({ key, role, value }));
  return dated(asked, rows, (at) => ({ kind: 'gauges', at, series }));
}

/** Dated by the newest point of the canary; stable's may be fresh while nobody looks at the canary any more. */
function dated({ question, isPast }: Asked, rows: readonly Row[], make: (at: Instant) => Measurement): Measurement {
  const isAlone = isPast && rows.every(({ role }) => role === 'stable');
  const times = rows.flatMap(({ role, atMs }) => (role === 'canary' || isAlone ? [atMs] : []));
  if (times.length === 0) return noData(question, `no recent series of version ${question.canaryVersion}`);
  const at = Math.round(Math.max(...times));
  return Number.isSafeInteger(at) && at >= 0 ? make(Instant(at)) : failed(question, 'points without a time');
}

const REDUCERS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  mean: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  last: (values) => values.at(-1) ?? Number.NaN,
};

/** One number: the newest point, or what the check takes of those of its range. */
function valueOf(question: Question, lines: readonly Line[], lookbackMs: number): Measurement {
  const { range, reduce = 'max' } = question.check.query;
  const found = lines.flatMap(({ points, key }) => {
    const recent = points.filter(
      ({ atMs }) => atMs <= question.now && question.now - (range === undefined ? lookbackMs : Number(range)) <= atMs,
    );
    return recent.length > 0 ? [{ key, recent: range === undefined ? recent.slice(-1) : recent }] : [];
  });
  const [only, second] = found;
  if (!only) return noData(question, 'no recent point answers to the query');
  if (second)
    return failed(
      question,
      `${found.length} series answer where one is needed (${only.key}, ${second.key}): select one, or aggregate them`,
    );
  const value = REDUCERS[reduce]?.(only.recent.map((point) => point.value)) ?? Number.NaN;
  if (!Number.isFinite(value)) return failed(question, 'the answer is no number');
  const at = only.recent.at(-1)?.atMs ?? -1;
  return Number.isSafeInteger(at) && at >= 0
    ? { kind: 'value', at: Instant(at), value }
    : failed(question, 'a point without a time');
}

const MOST_STEPS = 20_000;

/** The instants at which a history is asked for, oldest first. */
export function stepsOf({ from, to, stepMs }: Span): Result<readonly Instant[], string> {
  const steps = Math.floor((to - from) / stepMs);
  if (!(stepMs >= 1) || !(steps >= 0)) return err('a history needs a span that begins before it ends, and a step');
  if (MOST_STEPS < steps) return err(`a history of ${steps} steps is more than ${MOST_STEPS}: take longer steps`);
  return ok(Array.from({ length: steps + 1 }, (_, index) => Instant(Math.round(from + index * stepMs))));
}

/** What was to be measured at each of them, out of lines that reach far enough back. */
export const historyOf = (
  question: Question,
  lines: readonly Line[],
  instants: readonly Instant[],
  looking: Looking,
): readonly Measurement[] => {
  // Points are walked once over all steps, not once per step.
  const cursors = lines.map(() => 0);
  return instants.map((now) => {
    const seen = lines.map((line, index) => {
      let end = cursors[index] ?? 0;
      while (end < line.points.length && (line.points[end]?.atMs ?? Infinity) <= now) end++;
      cursors[index] = end;
      return { ...line, points: line.points.slice(Math.max(0, end - KEPT), end) };
    });
    return measurementOf({ ...question, now }, seen, { ...looking, isPast: true });
  });
};

/** Points that one measurement looks at, at most: those of a threshold's range. */
const KEPT = 2_000;

/** Bounds are seconds, as is the custom, unless the text says milliseconds. */
export const unitMs = (text: string): number => (/(_|\b)(milliseconds|millis|ms)(_|\b)/i.test(text) ? 1 : 1000);
