/**
 * The one way out over HTTP: bounded in time and in size. No redirect is followed, because it would take what we know to a
 * place that the operator never named, and no failure tells the address or a header, since either may hold a secret.
 */
import { request as requestHttp } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import { traceHeaders } from './carrier.ts';

export type Ask = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** Beside those that every request of this client has. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly text: string } | undefined;
  /** So many bytes of the answer are wanted, and what comes after them is not waited for. Left out: the whole of it. */
  readonly upTo?: number;
};

export type Answered = {
  readonly status: number;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
};

/** One exchange; tests hand in their own. */
export type Send = (ask: Ask, signal: AbortSignal) => Promise<Answered>;

export type Limits = {
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined };
  /** The largest whole answer that is taken, where it is another than 16 MB. */
  readonly mostBytes?: number;
};

const MOST_BYTES = 16 << 20;

export function client({ timeoutMs, headers, tls, mostBytes = MOST_BYTES }: Limits): Send {
  const fixed = { 'user-agent': 'headgate', ...headers };
  return ({ method, url, headers: own, body, upTo }, signal) =>
    new Promise((resolve, reject) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const failed = (error: Error): void =>
        reject(limited.aborted ? new Error(signal.aborted ? 'no answer in time' : `no answer within ${timeoutMs} ms`) : error);
      const request = url.startsWith('https:') ? requestHttps : requestHttp;
      const typed = body ? { 'content-type': body.type, 'content-length': String(Buffer.byteLength(body.text)) } : {};
      const asked: ClientRequest = request(
        new URL(url),
        { method, headers: { ...fixed, ...own, ...typed, ...traceHeaders() }, signal: limited, ...tls },
        (answer) => {
          answer.on('error', failed);
          const status = answer.statusCode ?? 0;
          read(answer, { upTo, mostBytes }, (text) =>
            resolve({ status, headers: headersOf(answer), body: withoutSecrets(text, secretsIn({ ...fixed, ...own }), status) }),
          );
        },
      );
      asked.on('error', failed);
      asked.end(body?.text);
    });
}

/** Headers that hold nothing to hide. */
const PLAIN: ReadonlySet<string> = new Set(['accept', 'content-type', 'user-agent']);

/** What we show to who is asked: every header that the operator or a kind of receiver gave, and what is inside of it. */
const secretsIn = (headers: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(headers).flatMap(([name, value]) => {
    if (PLAIN.has(name.toLowerCase())) return [];
    const [scheme, secret] = /^(\w+) (.+)$/.exec(value)?.slice(1) ?? [];
    if (name.toLowerCase() !== 'authorization' || secret === undefined) return [value];
    const password =
      scheme === 'Basic'
        ? Buffer.from(secret, 'base64')
            .toString()
            .replace(/^[^:]*:/, '')
        : '';
    return [value, secret, password];
  });

/** Longer than any word that an answer may hold because it means it. */
const NO_WORD = 16;

/**
 * Whatever is answered, none of what we showed is in it afterwards: it would go on into sentences, logs and spans. Numbers
 * that were asked for are left alone where a secret could as well be a label, such as the name of a tenant in a header.
 */
function withoutSecrets(text: string, secrets: readonly string[], status: number): string {
  const least = 200 <= status && status < 300 ? NO_WORD : 1;
  return secrets
    .filter(({ length }) => least <= length)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    .reduce((clean, secret) => clean.replaceAll(secret, '***'), text);
}

type Wanted = { readonly upTo: number | undefined; readonly mostBytes: number };

function read(answer: IncomingMessage, { upTo, mostBytes }: Wanted, done: (text: string) => void): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  const finish = (): void => done(Buffer.concat(parts).subarray(0, upTo).toString('utf8'));
  const enough = (): void => {
    finish();
    answer.destroy();
  };
  if (upTo === 0) return enough();
  answer.on('data', (part: Buffer) => {
    bytes += part.length;
    parts.push(part);
    if (upTo === undefined && mostBytes < bytes) answer.destroy(new Error('an answer without end'));
    else if (upTo !== undefined && upTo <= bytes) enough();
  });
  answer.on('end', finish);
}

const headersOf = ({ headers }: IncomingMessage): Answered['headers'] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));

/** Whatever answers, with whatever status; the error is why nothing came, in as few words as there are. */
export async function answerTo(send: Send, ask: Ask, signal: AbortSignal): Promise<Result<Answered, string>> {
  try {
    return ok(await send(ask, signal));
  } catch (error) {
    return err(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
