/**
 * One exchange of JSON over HTTP with a metric store or a flag platform, strictly: bounded in time and size, redirects refused because they
 * would take the credentials along, and every way to fail a sentence.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { z } from 'zod';
import { err, ok } from '../../lib/result.ts';
import { traceHeaders } from '../system/carrier.ts';
import type { Result } from '../../lib/result.ts';

/** How a store is reached, the same for all of them. */
export const access = {
  auth: z
    .union(
      [
        z.strictObject({ bearer: z.string().min(1) }),
        z.strictObject({ basic: z.strictObject({ user: z.string().min(1), password: z.string() }) }),
      ],
      { error: '{ bearer: ... } or { basic: { user, password } }' },
    )
    .optional(),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[^\r\n]*$/)).default({}),
  /** PEM text, as `file:/path/ca.pem` gives it. */
  tls: z.strictObject({ ca: z.string().optional(), cert: z.string().optional(), key: z.string().optional() }).default({}),
  timeoutMs: z.number().int().min(100).max(60_000).default(4_000),
};

export const address = z.url({ protocol: /^https?$/, error: 'an address such as http://127.0.0.1:8086' });

/** A whole secret for the `Authorization` header: `Token ...`, where a store has a scheme of its own. */
export type Access = {
  readonly auth?:
    | { readonly bearer: string }
    | { readonly basic: { readonly user: string; readonly password: string } }
    | undefined;
  readonly authorization?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined };
  readonly timeoutMs: number;
  /** The largest answer that is taken, where it is another than 16 MB. */
  readonly mostBytes?: number;
};

export type Ask = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly body?: { readonly type: string; readonly text: string } | undefined;
};

/** One exchange; tests hand in their own. */
export type Send = (ask: Ask, signal: AbortSignal) => Promise<Answered>;

export type Answered = {
  readonly status: number;
  readonly body: string;
  /** As `Retry-After` says it: seconds, or a date. */
  readonly retryAfter?: string | undefined;
};

const MOST_BYTES = 16 << 20;

export function sender({ auth, authorization, headers, tls, timeoutMs, mostBytes = MOST_BYTES }: Access): Send {
  const secret =
    authorization ??
    (!auth
      ? undefined
      : 'bearer' in auth
        ? `Bearer ${auth.bearer.trim()}`
        : `Basic ${Buffer.from(`${auth.basic.user}:${auth.basic.password.trim()}`).toString('base64')}`);
  const hidden = [
    ...(secret === undefined ? [] : [secret, ...secret.split(' ').slice(1)]),
    ...(auth && 'basic' in auth ? [auth.basic.password.trim()] : []),
    ...Object.values(headers),
  ];
  const fixed = { ...headers, ...(secret === undefined ? {} : { authorization: secret }), accept: 'application/json' };
  return ({ method, url, body }, signal) =>
    new Promise((resolve, reject) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const failed = (error: Error): void =>
        reject(limited.aborted ? new Error(signal.aborted ? 'no answer in time' : `no answer within ${timeoutMs} ms`) : error);
      const request = url.startsWith('https:') ? requestHttps : requestHttp;
      const typed = body ? { 'content-type': body.type, 'content-length': String(Buffer.byteLength(body.text)) } : {};
      const asked = request(
        new URL(url),
        { method, headers: { ...fixed, ...typed, ...traceHeaders() }, signal: limited, ...tls },
        (answer) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          answer.on('data', (part: Buffer) => {
            bytes += part.length;
            if (mostBytes < bytes) answer.destroy(new Error('an answer without end'));
            else parts.push(part);
          });
          answer.on('error', failed);
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              body: withoutSecrets(Buffer.concat(parts).toString('utf8'), hidden, answer.statusCode ?? 0),
              retryAfter: answer.headers['retry-after'],
            }),
          );
        },
      );
      asked.on('error', failed);
      asked.end(body?.text);
    });
}

/** Longer than any word that an answer may hold because it means it. */
const NO_WORD = 16;

/**
 * Whatever is answered, none of what we showed is in it afterwards: it would go on into sentences, logs and spans. Numbers
 * that were asked for are left alone where a secret could as well be a label, such as the name of a tenant in a header.
 */
function withoutSecrets(text: string, secrets: readonly string[], status: number): string {
  const least = 200 <= status && status < 300 ? NO_WORD : 1;
  const written = secrets
    .filter(({ length }) => least <= length)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  return without(written, text);
}

export const without = (secrets: readonly string[], text: string): string =>
  secrets.filter((secret) => secret !== '').reduce((clean, secret) => clean.replaceAll(secret, '***'), text);

/** The JSON of an answer, undefined for `204`; the error says what else came. `told` finds a store's own words in its error. */
export async function exchange(
  send: Send,
  ask: Ask,
  told: (json: unknown) => string | null,
  signal: AbortSignal,
): Promise<Result<unknown, string>> {
  try {
    const { status, body } = await send(ask, signal);
    if (status === 204) return ok(undefined);
    const json = parsed(body);
    if (status === 200) return json === undefined ? err('the answer is no JSON') : ok(json);
    if (300 <= status && status < 400) return err(`answered ${status}, a redirect, and those are not followed`);
    const words = told(json);
    return err(`answered ${status}${words === null ? '' : `: ${words.slice(0, 300)}`}`);
  } catch (error) {
    return err(reasonOf(error));
  }
}

/** Why nothing came, in as few words as there are. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
