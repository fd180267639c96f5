/** What the platforms have in common: options, asking for JSON, a print of what a flag does, words from outside made tame. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { FlagState } from '../../domain/flag.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { FlagError } from '../../ports/flag-source.ts';
import type { Hint } from '../../ports/webhook-source.ts';
import { answerTo } from '../outgoing/client.ts';
import type { Send } from '../outgoing/client.ts';
import { parsed } from '../outgoing/json.ts';

const one = z.string({ error: 'a secret, as env:NAME or file:PATH' }).min(8, 'a secret of 8 characters at least');

/** One, or several while one is exchanged for another. */
export const secrets = z
  .union([one, z.array(one).min(1, 'one secret at least').max(5, '5 secrets at most')], {
    error: 'a secret as env:NAME or file:PATH, or a list of them',
  })
  .transform((given): readonly string[] => (typeof given === 'string' ? [given] : given));

export const place = z.string().min(1).max(200);

/** Answers of flag platforms are small; a whole environment of them is not. */
export const API = { timeoutMs: 10_000, mostBytes: 8 << 20 } as const;

/** What the address answers with; null where there is nothing. */
export async function asked(send: Send, url: string, signal: AbortSignal): Promise<Result<unknown, FlagError>> {
  const answer = await answerTo(send, { method: 'GET', url }, signal);
  if (!answer.ok) return err({ kind: 'unreachable', detail: answer.error });
  const { status, body } = answer.value;
  if (status === 404) return ok(null);
  if (status !== 200)
    return err({ kind: 500 <= status || status === 429 ? 'unreachable' : 'refused', detail: `answered ${status}` });
  const json = parsed(body);
  return json === undefined ? err({ kind: 'unreadable', detail: 'the answer is no JSON' }) : ok(json);
}

/** The answer in the shape that is needed of it, made into a state; null is a flag that is not there. */
export function stateFrom<S extends z.ZodType>(
  answer: Result<unknown, FlagError>,
  shape: S,
  made: (found: z.output<S>) => FlagState | null,
): Result<FlagState, FlagError> {
  if (!answer.ok) return answer;
  if (answer.value === null) return ok(NOT_THERE);
  const found = shape.safeParse(answer.value);
  if (found.success) return ok(made(found.data) ?? NOT_THERE);
  const [issue] = found.error.issues;
  return err({
    kind: 'unreadable',
    detail: `the answer is another than expected: /${issue?.path.join('/') ?? ''} ${issue?.message ?? ''}`,
  });
}

const NOT_THERE: FlagState = {
  exists: false,
  enabled: false,
  percent: null,
  variations: {},
  revision: null,
  updatedBy: null,
  fingerprint: 'not there',
};

/** The same for the same value, in whatever order its keys come. */
export const fingerprintOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 32);

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

/** A value of a variation, as a name. */
export const valueName = (value: unknown): string => tame(typeof value === 'string' ? value : JSON.stringify(value), 60);

/** The payload as JSON in this shape; the error says what is missing. */
export function payload<S extends z.ZodType>(
  body: string,
  shape: S,
  read: (found: z.output<S>) => readonly Hint[],
): Result<readonly Hint[], string> {
  const json = parsed(body);
  if (json === undefined) return err('the body is no JSON');
  const found = shape.safeParse(json);
  if (found.success) return ok(read(found.data));
  const [issue] = found.error.issues;
  return err(`the body is another than expected: /${issue?.path.join('/') ?? ''} ${issue?.message ?? ''}`);
}

export const hint = (flag: string | null, what: string | null | undefined, by: string | null | undefined): Hint => ({
  flag,
  what: tame(what ?? '', 200) || 'changed',
  changedBy: tame(by ?? '', 100) || null,
});

/** Words from outside stand in our sentences: one line, of a length, and no full stop at the end. */
export const tame = (text: string, longest: number): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, longest)
    .replace(/[\s.]+$/, '');

export const text = z.string().nullish();

/** What is passed on as it is, whether there or not. */
export const anything = z.unknown().optional();
