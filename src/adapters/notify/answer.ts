/** What a receiver of notices is asked by, and what its answers mean that are not 2xx. */
import type { NotifyError } from '../../ports/notifier.ts';
import type { Answered, Send } from '../outgoing/client.ts';

export type Wire = {
  readonly send: Send;
  /** Seconds since 1970 by the machine's own clock, as receivers count them. */
  readonly wallSeconds: () => number;
};

export const unreachable = (name: string, why: string): NotifyError => ({ kind: 'unreachable', detail: `${name}: ${why}` });

const GONE = 410;
/** Not well for the moment, says the receiver, and may say for how long. */
const ASKS_FOR_TIME = new Set([429, 502, 503, 504]);
const PASSING = new Set([408, 425]);

/** What an answer means that is not 2xx. `words` are the receiver's own. */
export function refusalOf(name: string, { status, headers }: Answered, { wallSeconds }: Wire, words = ''): NotifyError {
  const said = words === '' ? '' : `: ${words.slice(0, 200)}`;
  if (status === GONE) return { kind: 'gone', detail: `${name}: the receiver says it is gone (410)${said}` };
  if (300 <= status && status < 400)
    return { kind: 'refused', detail: `${name}: the receiver answered ${status}, a redirect, and those are not followed` };
  const detail = `${name}: the receiver answered ${status}${said}`;
  if (ASKS_FOR_TIME.has(status))
    return { kind: 'unreachable', detail, retryAfterMs: retryAfterMs(headers['retry-after'], wallSeconds()) };
  return { kind: PASSING.has(status) || 500 <= status ? 'unreachable' : 'refused', detail };
}

/** Seconds, or a date. Undefined for none, and for nonsense. */
export function retryAfterMs(text: string | undefined, nowSeconds: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1_000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowSeconds * 1_000);
}
