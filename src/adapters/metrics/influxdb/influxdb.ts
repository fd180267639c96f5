/**
 * InfluxDB as a metric provider. It asks for the newest value of each series of a cumulative field, never for derivatives:
 * the judge makes disjoint intervals of them, and sees a restart. Series of one instance are added up, tag by tag.
 */
import type { Measurement } from '../../../domain/analysis/measurement.ts';
import type { Check } from '../../../domain/plan.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { MetricProvider, Question } from '../../../ports/metric-provider.ts';
import type { Send } from '../../outgoing/client.ts';
import { failed, historyOf, measurementOf, named, noData, stepsOf, unitMs } from '../lines.ts';
import type { Line } from '../lines.ts';
import { offersOf, partsOf, textsOf } from '../texts.ts';
import type { Texts } from '../texts.ts';
import { ask } from './client.ts';
import type { Series } from './client.ts';
import type { InfluxdbOptions } from './options.ts';
import { conditionWith, literal, parseSelector, quoted } from './selector.ts';
import type { Selector } from './selector.ts';

export function influxdb(name: string, options: InfluxdbOptions, send: Send): MetricProvider {
  return {
    name,
    type: 'influxdb',
    offers: offersOf(options.checks),
    refuses(check) {
      const read = selectorsOf(name, options, check);
      return read.ok ? null : read.error;
    },
    async measure(question, signal) {
      const read = prepare(name, options, question);
      return named(name, read.ok ? await measure(read.value, send, signal) : failed(question, read.error));
    },
    async history(question, span, signal) {
      const read = prepare(name, options, question);
      const instants = stepsOf(span);
      if (!instants.ok) return instants;
      if (!read.ok) return err(`${name}: ${read.error}`);
      const { selectors, lookbackMs } = read.value;
      if (Object.values(selectors).some(({ call }) => call !== null))
        return err(`${name}: what a function makes of a range has no history: ask for the field itself`);
      const back = Math.max(lookbackMs, Number(question.check.query['range'] ?? 0));
      const lines = await linesOf(read.value, { fromMs: span.from - back, toMs: span.to, newest: false }, send, signal);
      return lines.ok
        ? ok(historyOf(question, lines.value, instants.value, { lookbackMs, aligned: false }))
        : err(`${name}: ${lines.error}`);
    },
    close: async () => {},
  };
}

type Selectors = Readonly<Record<string, Selector>>;

type Prepared = {
  readonly options: InfluxdbOptions;
  readonly question: Question;
  readonly texts: Texts;
  readonly selectors: Selectors;
  readonly lookbackMs: number;
};

function selectorsOf(name: string, options: InfluxdbOptions, check: Check): Result<Selectors, string> {
  const texts = textsOf(options.checks, check);
  const parts = partsOf(name, check, texts);
  if (!parts.ok) return parts;
  if (check.kind === 'rate' && !parts.value.includes('per'))
    return err(`${name} does not know how long an instance lives: say with "per" what the events are counted against`);
  const selectors: Record<string, Selector> = {};
  for (const key of parts.value) {
    const read = parseSelector(texts[key] ?? '');
    if (!read.ok) return err(`${key}: ${read.error}; it is a field and where it is from, such as requests from http`);
    if (read.value.call !== null && check.kind !== 'threshold')
      return err(`${key} is a field without a function, such as requests from http: Headgate takes sums and differences itself`);
    if (read.value.call !== null && texts['reduce'] !== undefined && texts['range'] === undefined)
      return err(`${key}: say the range that ${read.value.call.name}() is taken over`);
    selectors[key] = read.value;
  }
  return ok(selectors);
}

function prepare(name: string, options: InfluxdbOptions, question: Question): Result<Prepared, string> {
  const { check, canaryVersion, stableVersion } = question;
  if (stableVersion === canaryVersion)
    return err(`canary and stable are both version ${canaryVersion}: their series cannot be told apart`);
  const selectors = selectorsOf(name, options, check);
  if (!selectors.ok) return selectors;
  const { lookbackMs } = options;
  return ok({ options, question, texts: textsOf(options.checks, check), selectors: selectors.value, lookbackMs });
}

async function measure(asked: Prepared, send: Send, signal: AbortSignal): Promise<Measurement> {
  const { question, selectors, lookbackMs, texts } = asked;
  const call = selectors['query']?.call ?? null;
  const rangeMs = texts['range'] === undefined ? null : Number(texts['range']);
  if (call !== null) return aggregate(asked, rangeMs ?? lookbackMs, send, signal);
  const span = { fromMs: question.now - (rangeMs ?? lookbackMs), toMs: question.now, newest: rangeMs === null };
  const lines = await linesOf(asked, span, send, signal);
  return lines.ok ? measurementOf(question, lines.value, { lookbackMs, aligned: false }) : failed(question, lines.error);
}

type Times = { readonly fromMs: number; readonly toMs: number; readonly newest: boolean };

async function linesOf(
  { options, question, texts, selectors }: Prepared,
  times: Times,
  send: Send,
  signal: AbortSignal,
): Promise<Result<readonly Line[], string>> {
  const parts = Object.entries(selectors);
  const versionTag = texts['version'] ?? options.tags.version;
  const isValue = question.check.kind === 'threshold';
  const versions = isValue ? null : { tag: versionTag, question };
  const statements = parts.map(([, selector]) =>
    statementOf(selector, {
      ...times,
      question,
      versions,
      column: times.newest ? `last(${selector.field})` : selector.field,
      isGrouped: true,
    }),
  );
  const answer = await ask(options, statements, send, signal);
  if (!answer.ok) return answer;
  const lines: Line[] = [];
  for (const [index, [part]] of parts.entries())
    for (const { tags, points } of answer.value[index] ?? []) {
      const role = isValue ? 'canary' : roleOf(tags[versionTag], question);
      if (role === null) return err(`a series that nobody asked for: ${JSON.stringify(tags).slice(0, 200)}`);
      const own = isValue ? JSON.stringify(tags) : (tags[options.tags.instance] ?? '');
      const stratum = texts['by'] === undefined ? undefined : (tags[texts['by']] ?? '');
      const key = isValue ? own : `${tags[versionTag] ?? ''} ${own}`.trim();
      const le = part === 'histogram' ? boundOf(tags[options.tags.le], texts['histogram'] ?? '') : undefined;
      lines.push({ part, role, key, stratum, le, points, isPart: part !== 'query' });
    }
  return ok(lines);
}

const roleOf = (version: string | undefined, { canaryVersion, stableVersion }: Question): Line['role'] | null =>
  version === canaryVersion ? 'canary' : version !== undefined && version === stableVersion ? 'stable' : null;

const boundOf = (le: string | undefined, text: string): number =>
  le === '+Inf' ? Infinity : /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(le ?? '') ? Number(le) * unitMs(text) : Number.NaN;

type Statement = {
  readonly column: string;
  /** By all tags: the series as they are. */
  readonly isGrouped: boolean;
  readonly fromMs: number;
  readonly toMs: number;
  readonly question: Question;
  /** Null: the selector says itself whose values it wants. */
  readonly versions: { readonly tag: string; readonly question: Question } | null;
};

function statementOf({ source, condition }: Selector, { column, isGrouped, versions, question, ...times }: Statement): string {
  const { service, canaryVersion: canary, stableVersion: stable } = question;
  const wanted = [canary, ...(stable === null ? [] : [stable])];
  const where = [
    ...(condition === null ? [] : [`(${conditionWith(condition, { service, canary, stable: stable ?? '' })})`]),
    ...(versions === null ? [] : [`(${wanted.map((version) => `${quoted(versions.tag)} = ${literal(version)}`).join(' OR ')})`]),
    `time > ${Math.round(times.fromMs)}ms`,
    `time <= ${Math.round(times.toMs)}ms`,
  ];
  return `SELECT ${column} AS "value" FROM ${source} WHERE ${where.join(' AND ')}${isGrouped ? ' GROUP BY *' : ''}`;
}

/** A function of a range is one number, and is as old as the newest point in it. */
async function aggregate(
  { options, question, selectors }: Prepared,
  rangeMs: number,
  send: Send,
  signal: AbortSignal,
): Promise<Measurement> {
  const selector = selectors['query'];
  if (!selector?.call) return failed(question, 'nothing to aggregate');
  const { name, argument } = selector.call;
  const common = { fromMs: question.now - rangeMs, toMs: question.now, question, versions: null };
  const statements = [`${name}(${selector.field}${argument === null ? '' : `, ${argument}`})`, `last(${selector.field})`].map(
    (column) => statementOf(selector, { ...common, column, isGrouped: false }),
  );
  const answer = await ask(options, statements, send, signal);
  if (!answer.ok) return failed(question, answer.error);
  const [values = [], newest = []] = answer.value;
  const value = only(values);
  const at = only(newest);
  if (value === null || at === null) return noData(question, 'no recent point answers to the query');
  if (value === 'several' || at === 'several') return failed(question, 'several values answer where one is needed');
  return measurementOf(question, [{ part: 'query', role: 'canary', key: '', points: [{ atMs: at.atMs, value: value.value }] }], {
    lookbackMs: Math.max(rangeMs, options.lookbackMs),
    aligned: false,
  });
}

function only(series: readonly Series[]): Series['points'][number] | 'several' | null {
  const points = series.flatMap((one) => one.points);
  return points.length > 1 ? 'several' : (points[0] ?? null);
}
