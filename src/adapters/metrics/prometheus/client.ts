/**
 * The HTTP API of Prometheus, strictly: anything but a complete, successful answer of the expected form is an error in
 * words. The same question within a moment is asked once, whoever asks.
 */
import { z } from 'zod';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import { sender } from '../../outgoing/access.ts';
import { answerTo } from '../../outgoing/client.ts';
import type { Ask, Send } from '../../outgoing/client.ts';
import { parsed } from '../../outgoing/json.ts';
import type { PrometheusOptions } from './options.ts';

/** A value, or of a native histogram the ranges that hold something; its value is then no number. */
export type Sample = {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly ranges?: readonly Range[];
};
export type Range = { readonly lower: number; readonly upper: number; readonly count: number };
/** One series over a span. */
export type Course = readonly { readonly atMs: number; readonly sample: Sample }[];

export type Client = {
  instant(query: string, signal: AbortSignal): Promise<Result<readonly Sample[], string>>;
  range(query: string, span: Span, signal: AbortSignal): Promise<Result<readonly Course[], string>>;
  /** A range that nobody else asks for, and that is not kept. */
  past(query: string, span: Span, signal: AbortSignal): Promise<Result<readonly Course[], string>>;
};

export type Span = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

export type ClientDeps = { readonly send: Send; readonly monotonicMs: () => number };

const number = z.string().regex(/^(NaN|[+-]?Inf|[+-]?\d+(\.\d+)?(e[+-]?\d+)?)$/i);
const point = z.tuple([z.number(), number]);
const labels = z.record(z.string(), z.string());
const succeeded = <T extends z.ZodType>(data: T) =>
  z.object({
    status: z.literal('success'),
    data,
    isPartial: z.literal(false).optional(),
    warnings: z.array(z.string()).max(0).optional(),
  });
const histogram = z.object({ buckets: z.array(z.tuple([z.number(), number, number, number])).optional() });
const instantAnswer = succeeded(
  z.discriminatedUnion('resultType', [
    z.object({
      resultType: z.literal('vector'),
      result: z.array(
        z.union([
          z.object({ metric: labels, value: point }),
          z.object({ metric: labels, histogram: z.tuple([z.number(), histogram]) }),
        ]),
      ),
    }),
    z.object({ resultType: z.literal('scalar'), result: point }),
  ]),
);
const rangeAnswer = succeeded(
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(
      z
        .object({
          metric: labels,
          values: z.array(point).optional(),
          histograms: z.array(z.tuple([z.number(), histogram])).optional(),
        })
        .refine(({ values, histograms }) => values !== undefined || histograms !== undefined),
    ),
  }),
);
const failure = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() });

export function client({ url, shareMs }: Pick<PrometheusOptions, 'url' | 'shareMs'>, deps: ClientDeps): Client {
  const api = `${url.replace(/\/$/, '')}/api/v1`;
  const instant = asker(`${api}/query`, instantAnswer, shareMs, deps);
  const range = asker(`${api}/query_range`, rangeAnswer, shareMs, deps);
  const past = asker(`${api}/query_range`, rangeAnswer, 0, deps);
  return {
    async instant(query, signal) {
      const answer = await instant({ query }, signal);
      if (!answer.ok) return answer;
      const { data } = answer.value;
      if (data.resultType === 'scalar') return ok([{ labels: {}, value: numberOf(data.result[1]) }]);
      return ok(
        data.result.map((row) =>
          'value' in row
            ? { labels: row.metric, value: numberOf(row.value[1]) }
            : { labels: row.metric, value: Number.NaN, ranges: rangesOf(row.histogram[1]) },
        ),
      );
    },
    range: async (query, span, signal) => coursesOf(await range(formOf(query, span), signal)),
    past: async (query, span, signal) => coursesOf(await past(formOf(query, span), signal)),
  };
}

const formOf = (query: string, { fromMs, toMs, stepMs }: Span) => ({
  query,
  start: String(fromMs / 1000),
  end: String(toMs / 1000),
  step: String(stepMs / 1000),
});

function coursesOf(answer: Result<z.output<typeof rangeAnswer>, string>): Result<readonly Course[], string> {
  if (!answer.ok) return answer;
  return ok(
    answer.value.data.result.map(({ metric, values = [], histograms = [] }) => [
      ...values.map(([at, value]) => ({ atMs: at * 1000, sample: { labels: metric, value: numberOf(value) } })),
      ...histograms.map(([at, seen]) => ({
        atMs: at * 1000,
        sample: { labels: metric, value: Number.NaN, ranges: rangesOf(seen) },
      })),
    ]),
  );
}

type Asker<T> = (form: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Result<T, string>>;

/** Read once, too, for all who share an answer. */
function asker<T>(url: string, shape: z.ZodType<T>, shareMs: number, { send, monotonicMs }: ClientDeps): Asker<T> {
  const shared = new Map<string, { readonly askedMs: number; readonly answer: Promise<Result<T, string>> }>();
  const fetched = async (body: string, signal: AbortSignal): Promise<Result<T, string>> => {
    const ask: Ask = { method: 'POST', url, body: { type: 'application/x-www-form-urlencoded', text: body } };
    const answer = await exchange(send, ask, signal);
    if (!answer.ok) return answer;
    const read = shape.safeParse(answer.value);
    return read.success ? ok(read.data) : err(refusal(answer.value));
  };
  return async (form, signal) => {
    // VictoriaMetrics otherwise answers as of half a minute ago; nobody else minds.
    const body = new URLSearchParams({ ...form, nocache: '1' }).toString();
    for (const [old, { askedMs }] of shared) if (shareMs <= monotonicMs() - askedMs) shared.delete(old);
    const known = shared.get(body);
    // What is shared does not end with one of those who wait for it: the exchange has a time limit of its own.
    const answer = known?.answer ?? fetched(body, shareMs === 0 ? signal : new AbortController().signal);
    if (!known && shareMs > 0) shared.set(body, { askedMs: monotonicMs(), answer });
    return orGone(answer, signal);
  };
}

const rangesOf = ({ buckets = [] }: z.output<typeof histogram>): readonly Range[] =>
  buckets.map(([, lower, upper, count]) => ({ lower: numberOf(lower), upper: numberOf(upper), count: numberOf(count) }));

const numberOf = (text: string): number => (/inf/i.test(text) ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text));

/** The answer, or that there was none in time: what is shared goes on for the others. */
async function orGone<T>(answer: Promise<Result<T, string>>, signal: AbortSignal): Promise<Result<T, string>> {
  let late = (): void => {};
  const gone = new Promise<Result<T, string>>((resolve) => {
    late = () => resolve(err('no answer in time'));
  });
  if (signal.aborted) late();
  signal.addEventListener('abort', late, { once: true });
  try {
    return await Promise.race([gone, answer]);
  } finally {
    signal.removeEventListener('abort', late);
  }
}

async function exchange(send: Send, ask: Ask, signal: AbortSignal): Promise<Result<unknown, string>> {
  const answer = await answerTo(send, ask, signal);
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  const value = parsed(body);
  if (status === 200) return value === undefined ? err('the answer is no JSON') : ok(value);
  const told = failure.safeParse(value);
  return err(told.success ? `${told.data.errorType}: ${told.data.error.slice(0, 300)}` : `answered ${status}`);
}

/** What is wrong with an answer that came with 200. */
function refusal(value: unknown): string {
  const told = failure.safeParse(value);
  if (told.success) return `${told.data.errorType}: ${told.data.error.slice(0, 300)}`;
  const hinted = z.object({ warnings: z.array(z.string()).min(1) }).safeParse(value);
  if (hinted.success) return `an incomplete answer: ${hinted.data.warnings[0]?.slice(0, 200)}`;
  if (z.object({ isPartial: z.literal(true) }).safeParse(value).success) return 'an incomplete answer';
  const typed = z.object({ data: z.object({ resultType: z.string() }) }).safeParse(value);
  return typed.success ? `an answer of type ${typed.data.data.resultType} that cannot be read` : 'an answer that is none';
}

/** Of a past in many steps more comes than of a look. */
const MOST_BYTES = 32 << 20;

export const prometheusSender = (options: PrometheusOptions): Send => sender({ ...options, mostBytes: MOST_BYTES });
