/**
 * One request to a receiver of notices: no redirect is followed, since it could lead to a place that the operator never
 * named, no answer is read beyond what is needed, and no failure tells the address, which may hold a secret.
 */
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { NotifyError } from '../../ports/notifier.ts';

export type Ask = {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** How much of the answer is read: nothing, where it is not said. */
  readonly mostBytes?: number;
};

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

export type Wire = {
  readonly fetch: typeof globalThis.fetch;
  /** Seconds since 1970 by the machine's own clock, as receivers count them. */
  readonly wallSeconds: () => number;
};

/** The error is a word for what went wrong on the way. */
export async function exchange({ fetch }: Wire, ask: Ask, signal: AbortSignal): Promise<Result<Answer, string>> {
  try {
    const { method, url, headers, body, mostBytes = 0 } = ask;
    const answer = await fetch(url, { method, headers, redirect: 'manual', signal, ...(body === undefined ? {} : { body }) });
    return ok({ status: answer.status, headers: answer.headers, text: await start(answer, mostBytes) });
  } catch (error) {
    return err(wireError(error));
  }
}

/** As much of the body as is wanted; what comes after it is not waited for. */
async function start({ body }: Response, mostBytes: number): Promise<string> {
  if (!body) return '';
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = body.getReader();
  while (bytes < mostBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    bytes += value.length;
  }
  // The status is known: what becomes of the rest changes nothing.
  await reader.cancel().catch(() => {});
  return Buffer.concat(parts).subarray(0, mostBytes).toString('utf8');
}

export const unreachable = (name: string, why: string): NotifyError => ({ kind: 'unreachable', detail: `${name}: ${why}` });

const GONE = 410;
/** Not well for the moment, says the receiver, and may say for how long. */
const ASKS_FOR_TIME = new Set([429, 502, 503, 504]);
const PASSING = new Set([408, 425]);

/** What an answer means that is not 2xx. `words` are the receiver's own. */
export function refusalOf(name: string, { status, headers }: Answer, { wallSeconds }: Wire, words = ''): NotifyError {
  const said = words === '' ? '' : `: ${words.slice(0, 200)}`;
  if (status === GONE) return { kind: 'gone', detail: `${name}: the receiver says it is gone (410)${said}` };
  if (300 <= status && status < 400)
    return { kind: 'refused', detail: `${name}: the receiver answered ${status}, a redirect, and those are not followed` };
  const detail = `${name}: the receiver answered ${status}${said}`;
  if (ASKS_FOR_TIME.has(status))
    return { kind: 'unreachable', detail, retryAfterMs: retryAfterMs(headers.get('retry-after'), wallSeconds()) };
  return { kind: PASSING.has(status) || 500 <= status ? 'unreachable' : 'refused', detail };
}

/** Seconds, or a date. Undefined for none, and for nonsense. */
export function retryAfterMs(text: string | null, nowSeconds: number): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1_000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowSeconds * 1_000);
}

function wireError(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'the request failed';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
