/** A threshold's one number: an expression of any kind, and how old the samples are that it was made of. */
import type { Measurement } from '../../../domain/analysis/measurement.ts';
import { Instant } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Question } from '../../../ports/metric-provider.ts';
import type { Client } from './client.ts';
import { failed } from './prometheus.ts';

export type ValueAsked = {
  readonly question: Question;
  readonly query: string;
  readonly selectors: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
};

/** Points of a range query; more say nothing new. */
const MOST_POINTS = 60;
const SHORTEST_STEP_MS = 1_000;

export async function measureValue(client: Client, asked: ValueAsked, signal: AbortSignal): Promise<Measurement> {
  const { question, selectors } = asked;
  const [value, times] = await Promise.all([
    valueOf(client, asked, signal),
    Promise.all(
      selectors.map(async (selector) => ({ selector, found: await client.instant(`max(timestamp(${selector}))`, signal) })),
    ),
  ]);
  if (!value.ok) return failed(question, value.error);
  let at = Number.POSITIVE_INFINITY;
  for (const { selector, found } of times) {
    if (!found.ok) return failed(question, found.error);
    const newest = found.value[0]?.value;
    if (newest === undefined) return noData(question, `no sample of ${selector}`);
    at = Math.min(at, newest);
  }
  if (value.value === null) return noData(question, 'no series answers to the query');
  if (Number.isNaN(value.value)) return noData(question, 'the answer is NaN, as of nothing divided by nothing');
  if (!Number.isFinite(value.value)) return failed(question, 'the answer is infinite, as of something divided by nothing');
  const ms = Math.round(at * 1000);
  // An expression without any selector is about now.
  return { kind: 'value', at: Number.isSafeInteger(ms) && ms >= 0 ? Instant(ms) : question.now, value: value.value };
}

const noData = ({ now }: Question, detail: string): Measurement => ({ kind: 'no_data', at: now, detail });

/** Null where nothing answers to it. */
async function valueOf(
  client: Client,
  { question, query, texts }: ValueAsked,
  signal: AbortSignal,
): Promise<Result<number | null, string>> {
  const rangeMs = Number(texts['range'] ?? 0);
  if (rangeMs === 0) {
    const answer = await client.instant(query, signal);
    if (!answer.ok) return answer;
    if (answer.value.length > 1) return err(severalSeries(answer.value.length));
    return ok(answer.value[0]?.value ?? null);
  }
  const stepMs = Math.max(SHORTEST_STEP_MS, Math.ceil(rangeMs / MOST_POINTS / 1000) * 1000);
  const answer = await client.range(query, { fromMs: question.now - rangeMs, toMs: question.now, stepMs }, signal);
  if (!answer.ok) return answer;
  if (answer.value.length > 1) return err(severalSeries(answer.value.length));
  const values = answer.value[0]?.values ?? [];
  return ok(values.length === 0 ? null : reduced(values, texts['reduce'] ?? 'max'));
}

const severalSeries = (count: number): string => `${count} series answer where one is needed: aggregate them, such as with max()`;

/** One point that is no number makes the whole none. */
function reduced(values: readonly number[], how: string): number {
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
