/** A threshold's one number: an expression of any kind, and how old the samples are that it was made of. */
import type { Measurement } from '../../../domain/analysis/measurement.ts';
import { Instant } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Question } from '../../../ports/metric-provider.ts';
import { failed, noData } from './answer.ts';
import type { Asked, Form } from './asked.ts';
import type { Client, Sample } from './client.ts';

export type ValueForm = Extract<Form, { kind: 'value' }>;

/** Points of a range query; more say nothing new. */
const MOST_POINTS = 60;
const SHORTEST_STEP_MS = 1_000;

export const stepWithin = (rangeMs: number): number => Math.max(SHORTEST_STEP_MS, Math.ceil(rangeMs / MOST_POINTS / 1000) * 1000);

export async function measureValue(client: Client, asked: Asked, form: ValueForm, signal: AbortSignal): Promise<Measurement> {
  const { question } = asked;
  const [value, times] = await Promise.all([
    valueOf(client, asked, form, signal),
    Promise.all(
      form.selectors.map(async (selector) => ({ selector, found: await client.instant(newestOf(asked, selector), signal) })),
    ),
  ]);
  if (!value.ok) return failed(question, value.error);
  const ages: Age[] = [];
  for (const { selector, found } of times) {
    if (!found.ok) return failed(question, found.error);
    ages.push({ selector, newest: newestIn(asked, found.value) });
  }
  return measured(question, value.value, ages);
}

/** A selector and the time of its newest sample in seconds; null without any. */
export type Age = { readonly selector: string; readonly newest: number | null };

/** `value` is null where nothing answers to the query. */
export function measured(question: Question, value: number | null, ages: readonly Age[]): Measurement {
  let at = Number.POSITIVE_INFINITY;
  for (const { selector, newest } of ages) {
    if (newest === null) return noData(question, `no sample of ${selector}`);
    at = Math.min(at, newest);
  }
  if (value === null) return noData(question, 'no series answers to the query');
  if (Number.isNaN(value)) return noData(question, 'the answer is NaN, as of nothing divided by nothing');
  if (!Number.isFinite(value)) return failed(question, 'the answer is infinite, as of something divided by nothing');
  const ms = Math.round(at * 1000);
  // An expression without any selector is about now.
  return { kind: 'value', at: Number.isSafeInteger(ms) && ms >= 0 ? Instant(ms) : question.now, value };
}

/** Asked for all services at once, the times are told apart, too: another's fresh sample says nothing of ours. */
export function newestOf({ labels: { service, version } }: Asked, selector: string): string {
  return service === undefined ? `max(timestamp(${selector}))` : `max by (${service}, ${version}) (timestamp(${selector}))`;
}

export function newestIn(asked: Asked, samples: readonly Sample[]): number | null {
  const times = samples.filter((sample) => isOurs(asked, sample)).map(({ value }) => value);
  return times.length === 0 ? null : Math.max(...times);
}

/** Where one question serves all services, rows that name another service or version are others' answers. */
export function isOurs({ labels, question }: Asked, sample: Sample): boolean {
  if (labels.service === undefined) return true;
  const { [labels.service]: service = question.service, [labels.version]: version = question.canaryVersion } = sample.labels;
  return service === question.service && version === question.canaryVersion;
}

async function valueOf(
  client: Client,
  asked: Asked,
  { query, rangeMs, reduce }: ValueForm,
  signal: AbortSignal,
): Promise<Result<number | null, string>> {
  if (rangeMs === 0) {
    const answer = await client.instant(query, signal);
    if (!answer.ok) return answer;
    const own = answer.value.filter((sample) => isOurs(asked, sample));
    return own.length > 1 ? err(severalSeries(own.length)) : ok(own[0]?.value ?? null);
  }
  // Whole seconds, so that those who ask within one ask the same.
  const toMs = Math.ceil(asked.question.now / SHORTEST_STEP_MS) * SHORTEST_STEP_MS;
  const answer = await client.range(query, { fromMs: toMs - rangeMs, toMs, stepMs: stepWithin(rangeMs) }, signal);
  if (!answer.ok) return answer;
  const own = answer.value.filter(([first]) => first && isOurs(asked, first.sample));
  if (own.length > 1) return err(severalSeries(own.length));
  const values = (own[0] ?? []).map(({ sample }) => sample.value);
  return ok(values.length === 0 ? null : reduced(values, reduce));
}

export const severalSeries = (count: number): string =>
  `${count} series answer where one is needed: aggregate them, such as with max()`;

/** One point that is no number makes the whole none. */
export function reduced(values: readonly number[], how: string): number {
  if (values.some((value) => Number.isNaN(value))) return Number.NaN;
  switch (how) {
    case 'min':
      return Math.min(...values);
    case 'mean':
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    case 'last':
      return values.at(-1) ?? Number.NaN;
    default:
      return Math.max(...values);
  }
}
