/**
 * Prometheus as a metric provider. It asks for the counters themselves, summed per version and instance, never for rates:
 * the judge makes disjoint intervals of them, and sees a restart. One question brings all counts of one instant, with the
 * time of the samples behind them, so that a stopped scrape is not taken for calm.
 */
import { Instant } from '../../../domain/ids.ts';
import type { CounterSeries, HistogramSeries, Measurement, Role } from '../../../domain/analysis/measurement.ts';
import type { Check } from '../../../domain/plan.ts';
import { unreachable } from '../../../lib/assert.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { MetricProvider, OfferedCheck, Question } from '../../../ports/metric-provider.ts';
import { bucketsPerSeries } from './buckets.ts';
import type { Client, Sample } from './client.ts';
import type { PrometheusOptions } from './options.ts';
import { bucketsOf, filled, isSelector, PART, selectorsIn, syntaxError, together } from './promql.ts';
import { measureValue } from './value.ts';

export function prometheus(name: string, options: PrometheusOptions, client: Client): MetricProvider {
  const templates = options.checks;
  const offers = Object.fromEntries(
    Object.entries(templates).map(([offered, { kind }]): [string, OfferedCheck] => [offered, { kind, query: { offered } }]),
  );
  return {
    name,
    type: 'prometheus',
    offers,
    refuses: (check) => refusal(name, options, check),
    async measure(question, signal) {
      const asked = textsOf(options, question);
      if (!asked.ok) return failed(question, `${name}: ${asked.error}`);
      const measurement = await measure(client, { options, question, ...asked.value }, signal);
      return measurement.kind === 'failed' ? { ...measurement, detail: `${name}: ${measurement.detail}` } : measurement;
    },
    close: async () => {},
  };
}

export const failed = ({ now }: Question, detail: string): Measurement => ({ kind: 'failed', at: now, detail });

/** The texts of a check: its own, or those that the operator wrote for the name that it gives. */
function templateOf({ checks }: PrometheusOptions, { query }: Check): Readonly<Record<string, string>> {
  const offered = query['offered'];
  const template = offered === undefined ? undefined : checks[offered];
  if (!template) return query;
  const { kind: _, ...texts } = template;
  return texts;
}

function refusal(name: string, options: PrometheusOptions, check: Check): string | null {
  const texts = templateOf(options, check);
  const version = check.query['version'];
  if (version !== undefined && !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(version)) return `${version} is no name of a label`;
  const wanted = { ratio: ['bad', 'total'], latency: ['histogram'], threshold: ['query'] }[check.kind];
  for (const key of wanted) {
    const text = texts[key];
    if (text === undefined) return `${name} needs ${wanted.join(' and ')} for a check of kind ${check.kind}`;
    const wrong = syntaxError(text);
    if (wrong !== null) return `${key}: ${wrong}`;
    if (check.kind !== 'threshold' && !isSelector(text))
      return `${key} is a selector, such as http_requests_total{service="shop"}: Headgate takes sums and differences itself`;
  }
  return null;
}

type Texts = { readonly texts: Readonly<Record<string, string>>; readonly isShared: boolean };

function textsOf(
  options: PrometheusOptions,
  { check, service, canaryVersion, stableVersion, intervalMs }: Question,
): Result<Texts, string> {
  if (stableVersion === canaryVersion)
    return err(`canary and stable are both version ${canaryVersion}: their series cannot be told apart`);
  const values = {
    service,
    canary: canaryVersion,
    stable: stableVersion ?? '',
    interval: `${Math.max(1, Math.round(intervalMs / 1000))}s`,
  };
  const texts: Record<string, string> = {};
  for (const [key, template] of Object.entries(templateOf(options, check))) {
    const text = NO_QUERY.has(key) ? ok(template) : filled(template, values);
    if (!text.ok) return err(`${key}: ${text.error}`);
    texts[key] = text.value;
  }
  return ok({ texts, isShared: check.query['offered'] !== undefined && options.labels.service !== undefined });
}

const NO_QUERY: ReadonlySet<string> = new Set(['version', 'offered', 'range', 'reduce']);

type Asked = Texts & { readonly options: PrometheusOptions; readonly question: Question };

async function measure(client: Client, asked: Asked, signal: AbortSignal): Promise<Measurement> {
  const { question, texts } = asked;
  const text = (key: string): string => texts[key] ?? '';
  switch (question.check.kind) {
    case 'threshold':
      return measureValue(client, { question, query: text('query'), selectors: selectorsIn(text('query')), texts }, signal);
    case 'ratio': {
      const rows = await rowsOf(client, { ...asked, selectors: { bad: text('bad'), total: text('total') } }, signal);
      return rows.ok ? countersOf(question, rows.value) : failed(question, rows.error);
    }
    case 'latency': {
      const buckets = bucketsOf(text('histogram'));
      const rows = await rowsOf(client, { ...asked, selectors: { bucket: buckets } }, signal);
      return rows.ok ? histogramOf(question, rows.value, text('histogram')) : failed(question, rows.error);
    }
    default:
      return unreachable(question.check);
  }
}

/** One row of an answer: a part of the question, of one instance of one version. */
export type Row = {
  readonly part: string;
  readonly role: Role | null;
  readonly key: string;
  readonly le: string;
  readonly value: number;
};

type Selected = Asked & {
  /** By the part of the answer that they give; the time of the samples is that of the last one's. */
  readonly selectors: Readonly<Record<string, string>>;
};

async function rowsOf(
  client: Client,
  { options, question, isShared, selectors }: Selected,
  signal: AbortSignal,
): Promise<Result<readonly Row[], string>> {
  const dated = Object.values(selectors).at(-1) ?? '';
  const { labels } = options;
  const version = question.check.query['version'] ?? labels.version;
  const service = isShared ? labels.service : undefined;
  const by = [...(service === undefined ? [] : [service]), version, labels.instance];
  const summed = Object.entries(selectors).map(([part, selector]) => {
    const all = part === 'bucket' ? [...by, 'le'] : by;
    return [part, `sum by (${all.join(', ')}) (${selector})`];
  });
  const query = together({ ...Object.fromEntries(summed), at: `max by (${by.join(', ')}) (timestamp(${dated}))` });
  const answer = await client.instant(query, signal);
  if (!answer.ok) return answer;
  const mine = answer.value.filter(({ labels: own }) => service === undefined || own[service] === question.service);
  const strange = mine.find(({ labels: own }) => own[PART] !== 'at' && !(own[PART] !== undefined && own[PART] in selectors));
  if (strange) return err(`a row that nobody asked for: ${JSON.stringify(strange.labels).slice(0, 200)}`);
  return ok(mine.map((sample) => rowOf(sample, { version, instance: labels.instance, question })));
}

function rowOf(
  { labels, value }: Sample,
  { version, instance, question }: { readonly version: string; readonly instance: string; readonly question: Question },
): Row {
  const own = labels[version];
  const role = own === question.canaryVersion ? 'canary' : own !== undefined && own === question.stableVersion ? 'stable' : null;
  return { part: labels[PART] ?? '', role, key: `${own ?? ''} ${labels[instance] ?? ''}`, le: labels['le'] ?? '', value };
}

/** Rows of each series under its key, by part. */
const find = (rows: readonly Row[], key: string, part: string): Row | undefined =>
  rows.find((row) => row.key === key && row.part === part);

function countersOf(question: Question, rows: readonly Row[]): Measurement {
  const orphan = rows.find(({ part, key }) => part === 'bad' && !find(rows, key, 'total'));
  if (orphan) return failed(question, `bad requests of a version that has no requests: ${orphan.key.trim()}`);
  const series = rows.flatMap(({ part, role, key, value }): readonly CounterSeries[] =>
    part === 'total' && role !== null
      ? [{ key, role, startedAt: null, total: value, bad: find(rows, key, 'bad')?.value ?? 0 }]
      : [],
  );
  return dated(question, rows, series, (at) => ({ kind: 'counters', at, series }));
}

function histogramOf(question: Question, rows: readonly Row[], selector: string): Measurement {
  const read = bucketsPerSeries(
    rows.filter(({ part, role }) => part === 'bucket' && role !== null),
    selector,
  );
  if (!read.ok) return failed(question, read.error);
  const { boundsMs, series } = read.value;
  return dated(question, rows, series, (at) => ({ kind: 'histogram', at, boundsMs, series }));
}

/** Dated by the newest sample of the canary; stable's may be fresh while nobody looks at the canary any more. */
function dated(
  question: Question,
  rows: readonly Row[],
  series: readonly (CounterSeries | HistogramSeries)[],
  make: (at: Instant) => Measurement,
): Measurement {
  const odd = series.find((one) => ('total' in one ? [one.total, one.bad] : one.counts).some((count) => !Number.isFinite(count)));
  if (odd) return failed(question, `a count of ${odd.key.trim()} that is none`);
  if (!series.some(({ role }) => role === 'canary'))
    return { kind: 'no_data', at: question.now, detail: `no series of version ${question.canaryVersion}` };
  const times = rows.flatMap(({ part, role, value }) => (part === 'at' && role === 'canary' ? [value] : []));
  const at = Math.round(Math.max(...times) * 1000);
  if (times.length === 0 || !Number.isSafeInteger(at) || at < 0) return failed(question, 'samples without a time');
  return make(Instant(at));
}
