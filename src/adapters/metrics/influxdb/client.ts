/** InfluxDB's `/query`, strictly: anything but the whole of every statement's answer is an error in words. */
import { z } from 'zod';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Access } from '../../outgoing/access.ts';
import type { Send } from '../../outgoing/client.ts';
import { exchange } from '../../outgoing/json.ts';
import type { Point } from '../lines.ts';
import type { InfluxdbOptions } from './options.ts';

export type Series = { readonly tags: Readonly<Record<string, string>>; readonly points: readonly Point[] };

const whole = z.literal(false).optional();
/** What a series or a result lacks would be taken for calm: nothing in them is called otherwise than it is known. */
const series = z.strictObject({
  name: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
  columns: z.tuple([z.literal('time'), z.literal('value')]),
  values: z.array(z.tuple([z.number().int().min(0), z.number()])).min(1),
  partial: whole,
});
const answer = z.object({
  results: z.array(
    z.strictObject({
      statement_id: z.number().int(),
      series: z.array(series).min(1).optional(),
      messages: z.unknown().optional(),
      partial: whole,
      error: z.undefined().optional(),
    }),
  ),
  error: z.undefined().optional(),
});

const told = z.object({ error: z.string() });
const toldInside = z.object({ results: z.array(z.looseObject({ error: z.string().optional() })) });
const words = (json: unknown): string | null => {
  const inside = toldInside.safeParse(json).data?.results.find(({ error }) => error !== undefined)?.error;
  return told.safeParse(json).data?.error ?? inside ?? null;
};

/** Every statement's series, in the order of the statements. */
export async function ask(
  { url, database, retentionPolicy }: Pick<InfluxdbOptions, 'url' | 'database' | 'retentionPolicy'>,
  statements: readonly string[],
  send: Send,
  signal: AbortSignal,
): Promise<Result<readonly (readonly Series[])[], string>> {
  const query = new URLSearchParams({
    db: database,
    ...(retentionPolicy === undefined ? {} : { rp: retentionPolicy }),
    epoch: 'ms',
    q: statements.join('; '),
  }).toString();
  const asked = await exchange(send, { method: 'GET', url: `${url.replace(/\/$/, '')}/query?${query}` }, words, signal);
  if (!asked.ok) return asked;
  const read = answer.safeParse(asked.value);
  if (!read.success) return err(refusal(asked.value, read.error));
  const { results } = read.data;
  if (results.length !== statements.length || results.some(({ statement_id: id }, index) => id !== index))
    return err(`${results.length} answers to ${statements.length} statements`);
  return ok(
    results.map((result) =>
      (result.series ?? []).map(({ tags, values }) => ({
        tags,
        points: values.map(([atMs, value]) => ({ atMs, value })),
      })),
    ),
  );
}

function refusal(json: unknown, { issues }: z.ZodError): string {
  const said = words(json);
  if (said !== null) return said.slice(0, 300);
  const [issue] = issues;
  if (issue?.path.at(-1) === 'partial') return 'an incomplete answer';
  return `an answer that cannot be read at /${(issue?.path ?? []).map(String).join('/')}: ${issue?.message ?? ''}`.slice(0, 300);
}

/** InfluxDB 2 and later have a scheme of their own for their tokens. */
export function accessOf({ auth, ...options }: InfluxdbOptions): Access {
  return auth && 'token' in auth ? { ...options, authorization: `Token ${auth.token.trim()}` } : { ...options, auth };
}
