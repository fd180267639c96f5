/**
 * What applications push as a metric provider: a check's texts are the names of their series. It answers from what is
 * kept, dated by the newest push of the canary; counts with a hole in them are no counts.
 */
import type { CounterSeries, GaugeSeries, HistogramSeries, Measurement, Role } from '../../../domain/analysis/measurement.ts';
import type { Instant } from '../../../domain/ids.ts';
import type { Check } from '../../../domain/plan.ts';
import type { Pushed } from '../../../domain/push.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { MetricProvider, Question } from '../../../ports/metric-provider.ts';
import { failed, named, noData } from '../lines.ts';
import { offersOf, partsOf, textsOf } from '../texts.ts';
import type { Texts } from '../texts.ts';
import type { PushOptions } from './options.ts';

/** What is kept of these versions. */
export type PushedOf = (service: string, versions: readonly string[]) => Promise<readonly Pushed[]>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const VALUE = /^(?:(max|min|mean|sum)\(\s*([A-Za-z0-9][A-Za-z0-9._-]{0,99})\s*\)|([A-Za-z0-9][A-Za-z0-9._-]{0,99}))$/;
/** An instance that did not push for so many intervals is not waited for any more, and its levels are not its levels now. */
const SILENT_INTERVALS = 3;
const SILENT_MS = 30_000;

export function push(name: string, { checks }: PushOptions, pushedOf: PushedOf): MetricProvider {
  return {
    name,
    type: 'push',
    offers: offersOf(checks),
    refuses: (check) => refusal(name, check, textsOf(checks, check)),
    async measure(question) {
      const { check, service, canaryVersion, stableVersion } = question;
      const texts = textsOf(checks, check);
      const parts = partsOf(name, check, texts);
      if (!parts.ok) return failed(question, parts.error);
      if (stableVersion === canaryVersion)
        return failed(question, `${name}: canary and stable are both version ${canaryVersion}: they cannot be told apart`);
      const kept = await pushedOf(service, [canaryVersion, ...(stableVersion === null ? [] : [stableVersion])]);
      return named(name, measured({ question, texts, parts: parts.value }, kept));
    },
    history: async () => err(`${name} keeps the newest counts only: what was pushed has no history`),
    close: async () => {},
  };
}

function refusal(name: string, check: Check, texts: Texts): string | null {
  const parts = partsOf(name, check, texts);
  if (!parts.ok) return parts.error;
  if (texts['version'] !== undefined) return `${name} knows the version from the push: leave "version" out`;
  if (texts['range'] !== undefined) return `${name} keeps the newest value only: leave "range" out`;
  for (const key of parts.value) {
    const text = texts[key] ?? '';
    if (check.kind === 'threshold' ? !VALUE.test(text) : !NAME.test(text))
      return check.kind === 'threshold'
        ? `${key} is the name of a gauge that is pushed, or max(), min(), mean() or sum() of it over the instances`
        : `${key} is the name of what is pushed, such as requests`;
  }
  return null;
}

type Asked = { readonly question: Question; readonly texts: Texts; readonly parts: readonly string[] };
type Row = Pushed & { readonly role: Role; readonly key: string };

function measured({ question, texts, parts }: Asked, kept: readonly Pushed[]): Measurement {
  const { now, canaryVersion, check, intervalMs } = question;
  const silentMs = Math.max(SILENT_MS, SILENT_INTERVALS * intervalMs);
  const rows = kept.map((row): Row => {
    const role = row.version === canaryVersion ? 'canary' : 'stable';
    return { ...row, role, key: `${row.version} ${row.instance}` };
  });
  if (!rows.some(({ role }) => role === 'canary')) return noData(question, `nothing was pushed for version ${canaryVersion}`);
  const torn = rows.find(({ missing, receivedAt }) => missing.length > 0 && now - receivedAt <= silentMs);
  if (torn && !parts.includes('query'))
    return failed(
      question,
      `pushes ${torn.missing.slice(0, 5).join(', ')} of ${torn.key} did not come: their counts are missing`,
    );
  const present = rows.map((row) => ({ ...row, gauges: row.gauges.filter(({ at }) => now - at <= silentMs) }));
  if (check.kind === 'threshold') return valueOf(question, present, texts['query'] ?? '');
  if (parts.includes('query')) return gaugesOf(question, present, texts['query'] ?? '');
  if (parts.includes('histogram')) return histogramOf(question, present, texts['histogram'] ?? '');
  const [bad = '', total = null] = parts.includes('total') ? [texts['bad'], texts['total']] : [texts['events'], texts['per']];
  const series = countersOf(present, { bad, total: total ?? null, by: texts['by'] ?? null });
  return series.ok
    ? dated(question, series.value, (at, own) => ({ kind: 'counters', at, series: own }))
    : failed(question, series.error);
}

type Dated<T> = { readonly at: Instant; readonly series: T };

function dated<T extends { readonly role: Role }>(
  question: Question,
  all: readonly Dated<T>[],
  make: (at: Instant, series: readonly T[]) => Measurement,
): Measurement {
  const newest = all.filter(({ series }) => series.role === 'canary').toSorted((a, b) => b.at - a.at)[0];
  if (!newest) return noData(question, `version ${question.canaryVersion} pushes nothing of this name`);
  return make(
    newest.at,
    all.map(({ series }) => series),
  );
}

type CounterNames = { readonly bad: string; readonly total: string | null; readonly by: string | null };

/** Both are pushed, or the count is not one: an application says that there were no errors. */
function countersOf(rows: readonly Row[], { bad, total, by }: CounterNames): Result<readonly Dated<CounterSeries>[], string> {
  const all: Dated<CounterSeries>[] = [];
  for (const { role, key, counters, countedFrom } of rows) {
    const own = counters.filter((counter) => counter.by === by);
    for (const stratum of new Set(own.map((counter) => counter.stratum))) {
      const find = (name: string) => own.find((counter) => counter.stratum === stratum && counter.name === name);
      const [badOnes, totals] = [find(bad), total === null ? null : find(total)];
      if (!badOnes && !totals) continue;
      const where = stratum === null ? key : `${key} ${stratum}`;
      if (!badOnes || totals === undefined)
        return err(
          `${where} pushes ${badOnes ? bad : total} and no ${badOnes ? total : bad}: push both, 0 where there were none`,
        );
      // Counted against the seconds of its life where nothing else is said.
      const at = totals === null || badOnes.at < totals.at ? badOnes.at : totals.at;
      const against = totals === null ? Math.max(0, badOnes.at - countedFrom) / 1000 : totals.count;
      const named = { key: where, role, startedAt: countedFrom, ...(stratum === null ? {} : { stratum }) };
      all.push({ at, series: { ...named, total: against, bad: badOnes.count } });
    }
  }
  return ok(all);
}

function histogramOf(question: Question, rows: readonly Row[], name: string): Measurement {
  const found = rows.flatMap(({ role, key, countedFrom, histograms }) =>
    histograms
      .filter((histogram) => histogram.name === name)
      .map(({ at, boundsMs, counts }) => {
        const series: HistogramSeries = { key, role, startedAt: countedFrom, counts };
        return { at, boundsMs, series };
      }),
  );
  const boundsMs = found[0]?.boundsMs ?? [];
  const other = found.find((one) => one.boundsMs.join() !== boundsMs.join());
  if (other) return failed(question, `the histograms of ${found[0]?.series.key} and ${other.series.key} have other buckets`);
  return dated(question, found, (at, series) => ({ kind: 'histogram', at, boundsMs, series }));
}

const gaugesIn = (rows: readonly Row[], name: string): readonly Dated<GaugeSeries>[] =>
  rows.flatMap(({ role, key, gauges }) =>
    gauges.filter((gauge) => gauge.name === name).map(({ at, value }) => ({ at, series: { key, role, value } })),
  );

const gaugesOf = (question: Question, rows: readonly Row[], name: string): Measurement =>
  dated(question, gaugesIn(rows, name), (at, series) => ({ kind: 'gauges', at, series }));

const OVER: Readonly<Record<string, (values: readonly number[]) => number>> = {
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  sum: (values) => values.reduce((all, value) => all + value, 0),
  mean: (values) => values.reduce((all, value) => all + value, 0) / values.length,
};

function valueOf(question: Question, rows: readonly Row[], text: string): Measurement {
  const [, how, inner, plain = inner ?? ''] = VALUE.exec(text) ?? [];
  const own = gaugesIn(rows, plain).filter(({ series }) => series.role === 'canary');
  if (how === undefined && own.length > 1)
    return failed(
      question,
      `${own.length} instances push ${plain} where one value is needed: say max(${plain}), min, mean or sum`,
    );
  const reduce = OVER[how ?? 'max'];
  if (!reduce) return failed(question, `${how} is no way to make one value of many`);
  return dated(question, own, (at, series) => ({ kind: 'value', at, value: reduce(series.map(({ value }) => value)) }));
}
