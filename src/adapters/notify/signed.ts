/**
 * What goes out under the Standard Webhooks 1.0: three headers, and a body that stays small. Webhooks and the operator's
 * own hooks are sent alike, so that one piece of code at the receiver's verifies both.
 */
import { z } from 'zod';
import { secretProblem, sign } from '../../lib/standard-webhooks.ts';
import type { Ask } from '../outgoing/client.ts';

const secret = z.string().superRefine((text, ctx) => {
  const problem = secretProblem(text);
  if (problem !== null) ctx.addIssue(problem);
});

/** `secret: env:X`, or `secrets: [new, old]` while receivers change theirs. */
export const secretOptions = { secret: secret.optional(), secrets: z.array(secret).min(1).max(4).optional() };

export type SecretOptions = { readonly secret?: string | undefined; readonly secrets?: readonly string[] | undefined };

export const secretsOf = ({ secret: one, secrets }: SecretOptions): readonly string[] =>
  secrets ?? (one === undefined ? [] : [one]);

export const BOTH = 'either secret or secrets, not both';

export type Signed = {
  readonly id: string;
  readonly url: string;
  /** JSON. */
  readonly body: string;
  readonly secrets: readonly string[];
  readonly atSeconds: number;
};

/** Of the answer only the status counts. */
export function signedPost({ id, url, body, secrets, atSeconds }: Signed): Ask {
  const named = headerId(id);
  const headers = {
    'webhook-id': named,
    'webhook-timestamp': String(atSeconds),
    ...(secrets.length === 0 ? {} : { 'webhook-signature': sign({ id: named, atSeconds, body }, secrets) }),
  };
  return { method: 'POST', url, headers, body: { type: 'application/json', text: body }, upTo: 0 };
}

/** A header takes no other letters, and a full stop would blur where the id ends and the time begins. */
export const headerId = (id: string): string =>
  encodeURIComponent(id.toWellFormed()).replaceAll('%2F', '/').replaceAll('.', '%2E');

export const MOST_BYTES = 20_000;
/** These name the event, and are never left out. */
const KEPT = new Set(['id', 'type', 'release', 'target', 'service', 'seq', 'at', 'by', 'sentence', 'omitted']);
const MOST_SENTENCE = 4_000;

export type Payload = {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** As JSON, below 20 kB: what is largest is left out, and named in `omitted`. */
export function payloadText({ type, at, data }: { type: string; at: number; data: Readonly<Record<string, unknown>> }): string {
  const timestamp = new Date(at).toISOString();
  const text = (of: Readonly<Record<string, unknown>>): string => JSON.stringify({ type, timestamp, data: of } satisfies Payload);
  const fits = (of: Readonly<Record<string, unknown>>): boolean => Buffer.byteLength(text(of)) < MOST_BYTES;
  if (fits(data)) return text(data);
  const said = data['sentence'];
  const sentence = typeof said === 'string' ? said.slice(0, MOST_SENTENCE) : '';
  let thin: Record<string, unknown> = { ...data, sentence };
  const omitted: string[] = [];
  const bySize = Object.entries(data)
    .filter(([key]) => !KEPT.has(key))
    .map(([key, value]) => ({ key, bytes: Buffer.byteLength(JSON.stringify(value) ?? '') }))
    .toSorted((a, b) => b.bytes - a.bytes);
  for (const { key } of bySize) {
    if (fits(thin)) break;
    omitted.push(key);
    const { [key]: _gone, ...rest } = thin;
    thin = { ...rest, omitted };
  }
  return text(thin);
}
