/**
 * Any JSON over HTTP as a metric provider. The operator says how it is asked and where the numbers are; a number is a
 * number, and anything else at its place is an error that names the place. `null` is how an answer says that it has none.
 */
import type { CounterSeries, GaugeSeries, HistogramSeries, Measurement, Role } from '../../../domain/analysis/measurement.ts';
import { Instant } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import { kindsServed } from '../../../ports/metric-provider.ts';
import type { MetricProvider, Question } from '../../../ports/metric-provider.ts';
import type { Ask, Send } from '../../outgoing/client.ts';
import { exchange } from '../../outgoing/json.ts';
import { failed, named, noData, stepsOf } from '../lines.ts';
import { filled, placesIn } from '../../outgoing/template.ts';
import { offersOf } from '../texts.ts';
import type { WebCheck, WebOptions } from './options.ts';
import { at as valueAt, kindOf } from '../../outgoing/pointer.ts';

/** Requests that a history may take. */
const MOST_REQUESTS = 500;

export function web(name: string, { checks }: WebOptions, send: Send): MetricProvider {
  const offers = offersOf(checks);
  const wanted = ({ check }: Pick<Question, 'check'>): WebCheck | undefined => {
    const { offered = '' } = check.query;
    return Object.hasOwn(checks, offered) ? checks[offered] : undefined;
  };
  return {
    name,
    type: 'web',
    offers,
    refuses(check) {
      const { offered, ...rest } = check.query;
      const known = Object.keys(offers).join(' and ');
      const found = wanted({ check });
      if (!found)
        return `${name} is asked by names from headgate.yaml, not by "${offered ?? Object.values(rest).join(', ')}"; it offers ${known}`;
      if (Object.keys(rest).length > 0)
        return `${name} takes no ${Object.keys(rest).join(', ')}: what is asked is in headgate.yaml`;
      if (!kindsServed(found.kind).includes(check.kind))
        return `${name} answers ${offered} for checks of kind ${kindsServed(found.kind).join(', ')}, not ${check.kind}`;
      return found.kind === 'ratio' && !found.stable && check.kind !== 'slo'
        ? `${name} knows nothing of stable for ${offered}: it answers checks of kind slo`
        : null;
    },
    async measure(question, signal) {
      const check = wanted(question);
      if (!check) return named(name, failed(question, 'nothing of this name is configured'));
      return named(name, await measure(check, question, send, signal));
    },
    async history(question, span, signal) {
      const check = wanted(question);
      const instants = stepsOf(span);
      if (!check || !instants.ok) return instants.ok ? err(`${name} has nothing of this name`) : instants;
      if (!asksUntil(check)) return err(`${name}: its address has no {{to}}, so it tells of now only`);
      if (MOST_REQUESTS < instants.value.length)
        return err(`${name}: ${instants.value.length} requests are more than ${MOST_REQUESTS}: take longer steps`);
      const answers: Measurement[] = [];
      for (const now of instants.value) {
        const answer = await measure(check, { ...question, since: span.from, now, isPast: true }, send, signal);
        answers.push(named(name, answer));
      }
      const [first] = answers;
      return first?.kind === 'failed' && answers.every(({ kind }) => kind === 'failed') ? err(first.detail) : ok(answers);
    },
    close: async () => {},
  };
}

const placesOf = ({ url, body }: WebCheck): readonly string[] =>
  placesIn(url + JSON.stringify(body ?? '')).map(({ name }) => name);
const asksUntil = (check: WebCheck): boolean => placesOf(check).some((place) => place.startsWith('to'));
/** Counted from a time that we say: then that is when counting began. */
const asksFrom = (check: WebCheck): boolean => placesOf(check).some((place) => place.startsWith('from'));

/** Of the past stable alone is an answer, too. */
type Asked = Question & { readonly isPast?: boolean };

async function measure(check: WebCheck, question: Asked, send: Send, signal: AbortSignal): Promise<Measurement> {
  if (question.stableVersion === question.canaryVersion && 'stable' in check && check.stable)
    return failed(question, `canary and stable are both version ${question.canaryVersion}: they cannot be told apart`);
  const ask = askOf(check, question);
  if (!ask.ok) return failed(question, ask.error);
  const answer = await exchange(send, ask.value, () => null, signal);
  if (!answer.ok) return failed(question, answer.error);
  if (answer.value === undefined) return noData(question, 'the answer is empty (204)');
  const read = measurementOf(check, question, answer.value);
  return read.ok ? read.value : failed(question, read.error);
}

function askOf({ url, method, body }: WebCheck, question: Question): Result<Ask, string> {
  const values = valuesOf(question);
  const address = filled(url, ({ name: place }) => encodeURIComponent(String(values[place] ?? '')));
  // No escape keeps dots from leading out of a path.
  if (depthOf(address) !== depthOf(filled(url, () => 'x'))) return err('a value of dots cannot stand in a path');
  const put = (text: string): unknown => {
    const whole = /^\{\{\s*(\w+)\s*\}\}$/.exec(text)?.[1];
    return whole === undefined ? filled(text, ({ name }) => String(values[name] ?? '')) : (values[whole] ?? '');
  };
  const visit = (value: unknown): unknown => {
    if (typeof value === 'string') return put(value);
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner)]));
  };
  return ok({
    method,
    url: address,
    ...(body === undefined ? {} : { body: { type: 'application/json', text: JSON.stringify(visit(body)) } }),
  });
}

const depthOf = (url: string): number => new URL(url).pathname.split('/').length;

function valuesOf({
  service,
  canaryVersion,
  stableVersion,
  since,
  now,
  intervalMs,
}: Question): Readonly<Record<string, string | number>> {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    service,
    canary: canaryVersion,
    stable: stableVersion ?? '',
    interval: Math.max(1, Math.round(intervalMs / 1000)),
    ...{ from: Math.floor(since / 1000), to: Math.floor(now / 1000) },
    ...{ fromMs: since, toMs: now, fromIso: iso(since), toIso: iso(now) },
  };
}

type Read<T> = Result<T, string>;

function measurementOf(check: WebCheck, question: Asked, document: unknown): Read<Measurement> {
  const { canaryVersion, stableVersion } = question;
  const at = timeOf(check, question, document);
  if (!at.ok) return at;
  if (at.value === null) return ok(noData(question, `no time at ${check.at}`));
  if (check.kind === 'threshold') {
    const value = numberAt(document, check.value);
    if (!value.ok) return value;
    return ok(
      value.value === null ? noData(question, `null at ${check.value}`) : { kind: 'value', at: at.value, value: value.value },
    );
  }
  const sides: readonly (readonly [Role, string, WebSide])[] = [
    ['canary', canaryVersion, check.canary],
    ...(check.stable && stableVersion !== null ? [['stable', stableVersion, check.stable] as const] : []),
  ];
  const startedAt = asksFrom(check) ? question.since : null;
  const series: (CounterSeries | GaugeSeries | HistogramSeries)[] = [];
  const bounds = check.kind === 'latency' ? boundsOf(check.boundsMs, document) : ok([]);
  if (!bounds.ok) return bounds;
  for (const [role, version, side] of sides) {
    const own = sideOf(check, side, { document, role, version, startedAt, bounds: bounds.value });
    if (!own.ok) return own;
    if (role === 'canary' && own.value.length === 0 && !question.isPast)
      return ok(noData(question, `no numbers of version ${canaryVersion}`));
    series.push(...own.value);
  }
  if (series.length === 0) return ok(noData(question, 'no numbers of any version'));
  const of = { at: at.value };
  if (check.kind === 'latency')
    return ok({ kind: 'histogram', ...of, boundsMs: bounds.value, series: series.filter((one) => 'counts' in one) });
  if (check.kind === 'gauge') return ok({ kind: 'gauges', ...of, series: series.filter((one) => 'value' in one) });
  return ok({ kind: 'counters', ...of, series: series.filter((one) => 'total' in one) });
}

type WebSide = Readonly<Record<string, string>>;
type Place = {
  readonly document: unknown;
  readonly role: Role;
  readonly version: string;
  readonly startedAt: Instant | null;
  readonly bounds: readonly number[];
};

/** The series of one version; none where the answer says null. */
function sideOf(check: WebCheck, side: WebSide, place: Place): Read<readonly (CounterSeries | GaugeSeries | HistogramSeries)[]> {
  const { document, role, version, startedAt } = place;
  const keyOf = (instance: string): string => `${version} ${instance}`.trim();
  if (check.kind === 'latency') return histogramOf(check, side['counts'] ?? '', place);
  if (check.kind === 'gauge') {
    const values = numbersAt(document, side['value'] ?? '');
    return values.ok ? ok([...values.value].map(([key, value]) => ({ key: keyOf(key), role, value }))) : values;
  }
  const [totalPointer = '', badPointer = ''] =
    check.kind === 'rate' ? [side['per'], side['events']] : [side['total'], side['bad']];
  const totals = numbersAt(document, totalPointer);
  if (!totals.ok) return totals;
  const bads = numbersAt(document, badPointer);
  if (!bads.ok) return bads;
  const series: CounterSeries[] = [];
  for (const [key, total] of totals.value) {
    const bad = bads.value.get(key);
    if (bad === undefined) return err(`${totalPointer} counts ${keyOf(key)}, and ${badPointer} does not`);
    if (total < 0 || bad < 0) return err(`a count of ${keyOf(key)} below nothing`);
    if (Number.MAX_SAFE_INTEGER < Math.max(total, bad)) return err(`a count of ${keyOf(key)} too large to be exact`);
    series.push({ key: keyOf(key), role, startedAt, total, bad });
  }
  const orphan = [...bads.value.keys()].find((key) => !totals.value.has(key));
  return orphan === undefined ? ok(series) : err(`${badPointer} counts ${keyOf(orphan)}, and ${totalPointer} does not`);
}

function histogramOf(
  { cumulated }: Extract<WebCheck, { kind: 'latency' }>,
  pointer: string,
  { document, role, version, startedAt, bounds }: Place,
): Read<readonly HistogramSeries[]> {
  const found = valueAt(document, pointer);
  if (!found.ok) return found;
  if (found.value === null) return ok([]);
  if (!Array.isArray(found.value)) return err(`${pointer} is ${kindOf(found.value)}, not a list of counts`);
  if (found.value.length !== bounds.length + 1)
    return err(`${pointer} has ${found.value.length} buckets, and ${bounds.length} bounds make ${bounds.length + 1}`);
  const counts: number[] = [];
  for (const [index, count] of found.value.entries()) {
    if (typeof count !== 'number' || !Number.isFinite(count)) return err(`${pointer}/${index} is ${kindOf(count)}, not a count`);
    const own = cumulated ? count - Number(found.value[index - 1] ?? 0) : count;
    if (Number.MAX_SAFE_INTEGER < count) return err(`${pointer}/${index} is too large to be exact`);
    if (own < 0) return err(`${pointer}/${index} is ${cumulated ? 'less than the bucket before' : 'below nothing'}`);
    counts.push(own);
  }
  return ok([{ key: version, role, startedAt, counts }]);
}

function boundsOf(given: readonly number[] | string, document: unknown): Read<readonly number[]> {
  if (typeof given !== 'string') return ok(given);
  const found = valueAt(document, given);
  if (!found.ok) return found;
  if (!Array.isArray(found.value) || found.value.length === 0 || found.value.length > 200)
    return err(`${given} is ${kindOf(found.value)}, not a list of bounds`);
  const bounds: number[] = [];
  for (const [index, bound] of found.value.entries()) {
    if (typeof bound !== 'number' || !Number.isFinite(bound) || bound <= (bounds.at(-1) ?? 0))
      return err(`${given}/${index} is ${kindOf(bound)}: bounds are numbers that rise`);
    bounds.push(bound);
  }
  return ok(bounds);
}

/** Null where the answer says so. */
function numberAt(document: unknown, pointer: string): Read<number | null> {
  const found = valueAt(document, pointer);
  if (!found.ok || found.value === null) return found.ok ? ok(null) : found;
  return typeof found.value === 'number' && Number.isFinite(found.value)
    ? ok(found.value)
    : err(`${pointer === '' ? 'the answer' : pointer} is ${kindOf(found.value)}, not a number`);
}

/** One number, or one of each instance by its name; nothing where the answer says null. */
function numbersAt(document: unknown, pointer: string): Read<ReadonlyMap<string, number>> {
  const found = valueAt(document, pointer);
  if (!found.ok) return found;
  if (typeof found.value !== 'object' || found.value === null || Array.isArray(found.value)) {
    const one = numberAt(document, pointer);
    return one.ok ? ok(new Map(one.value === null ? [] : [['', one.value]])) : one;
  }
  const numbers = new Map<string, number>();
  for (const [key, value] of Object.entries(found.value)) {
    if (typeof value !== 'number' || !Number.isFinite(value))
      return err(`${pointer}/${key.slice(0, 100)} is ${kindOf(value)}, not a number`);
    numbers.set(key, value);
  }
  return ok(numbers);
}

/** Seconds or milliseconds since 1970, or ISO 8601. */
function timeOf({ at }: WebCheck, { now }: Question, document: unknown): Read<Instant | null> {
  if (at === 'now') return ok(now);
  const found = valueAt(document, at);
  if (!found.ok || found.value === null) return found.ok ? ok(null) : found;
  const { value } = found;
  const isIso = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(value);
  const ms = Math.round(
    typeof value === 'number' ? (value < SECONDS_END ? value * 1000 : value) : isIso ? Date.parse(value) : Number.NaN,
  );
  return Number.isSafeInteger(ms) && ms > 0 ? ok(Instant(ms)) : err(`${at} is ${kindOf(value)}, not a time`);
}

/** As seconds it would be the year 5138, as milliseconds it is 1973. */
const SECONDS_END = 1e11;
