/**
 * What is the same for every flag platform: what is asked of it, and what its refusals mean. A platform that wants an
 * approval, limits calls or knows nothing of the flag says so in a sentence; none of it is a crash, and no sentence has a secret.
 */
import type { Weight } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { RouterError } from '../../../ports/traffic-router.ts';
import { sender } from '../../outgoing/access.ts';
import type { Access } from '../../outgoing/access.ts';
import { answerTo } from '../../outgoing/client.ts';
import type { Ask } from '../../outgoing/client.ts';
import { parsed } from '../../outgoing/json.ts';

export type FlagError = Pick<RouterError, 'kind' | 'detail'>;

export type FlagState = {
  /** Of all who ask, how many get the flag; null when that cannot be told, and why is in `detail`. */
  readonly on: Weight | null;
  /** The write that it was set by, where the platform keeps it. */
  readonly seq: number | null;
  readonly detail: string | null;
};

export type FlagWrite<S> = {
  readonly on: Weight;
  readonly seq: number;
  readonly lowering: boolean;
  /** What was seen of it last, if anything. */
  readonly seen: S | null;
};

/** One way to take a flag from everybody; tried in order until the flag shows that nobody gets it. */
export type WayOff<F, S> = (flag: F, write: FlagWrite<S>, signal: AbortSignal) => Promise<Result<void, FlagError>>;

export type FlagPlatform<F, S extends FlagState> = {
  read(flag: F, signal: AbortSignal): Promise<Result<S, FlagError>>;
  write(flag: F, write: FlagWrite<S>, signal: AbortSignal): Promise<Result<void, FlagError>>;
  /** The shortest first. */
  readonly waysOff: readonly WayOff<F, S>[];
};

/** A call to a platform: the JSON of its answer, or what its refusal means. */
export type FlagCall = (ask: Ask, signal: AbortSignal) => Promise<Result<unknown, FlagError>>;

export type Dialect = {
  /** As sentences name it. */
  readonly platform: string;
  /** Refusals that mean that somebody has to approve the change there. */
  isApproval(status: number, words: string): boolean;
};

const MOST_BYTES = 4 << 20;
const WORDS = 200;

/** Whatever the platform says, none of these is in it afterwards. */
const without = (secrets: readonly string[], text: string): string =>
  secrets.filter((secret) => secret !== '').reduce((clean, secret) => clean.replaceAll(secret, '***'), text);

export function flagCall(access: Access, dialect: Dialect, secrets: readonly string[]): FlagCall {
  const send = sender({ ...access, mostBytes: MOST_BYTES });
  return async (ask, signal) => {
    if (signal.aborted) return err({ kind: 'timeout', detail: `${dialect.platform}: the call was cancelled before it began` });
    const answer = await answerTo(send, ask, signal);
    if (!answer.ok) return err({ kind: 'unreachable', detail: `${dialect.platform}: ${without(secrets, answer.error)}` });
    const { status, body, headers } = answer.value;
    const json = parsed(body);
    if (200 <= status && status < 300)
      return status === 204 || body.trim() === '' || json !== undefined
        ? ok(json)
        : err({ kind: 'rejected', detail: `${dialect.platform}: the answer is no JSON` });
    const words = without(secrets, wordsOf(json));
    const refusal = refusalOf(dialect, { status, words, retryAfter: headers['retry-after'] });
    return err({ kind: refusal.kind, detail: `${dialect.platform}: ${refusal.detail}` });
  };
}

/** What platforms call their own words. */
function wordsOf(json: unknown): string {
  if (typeof json !== 'object' || json === null) return '';
  const { message, error, details } = json as { message?: unknown; error?: unknown; details?: unknown };
  const first: unknown = Array.isArray(details) ? details[0] : undefined;
  const detail = typeof first === 'object' && first !== null && 'message' in first ? first.message : undefined;
  const found = [detail, message, error].find((each) => typeof each === 'string' && each !== '');
  return typeof found === 'string' ? found.replaceAll(/\s+/g, ' ').slice(0, WORDS) : '';
}

type Refused = { readonly status: number; readonly words: string; readonly retryAfter?: string | undefined };

function refusalOf({ isApproval }: Dialect, { status, words, retryAfter }: Refused): FlagError {
  const said = words === '' ? '' : `: ${words}`;
  if (300 <= status && status < 400)
    return { kind: 'rejected', detail: `answered ${status}, a redirect, and those are not followed` };
  if (isApproval(status, words))
    return { kind: 'rejected', detail: `somebody has to approve the change there first (${status}${said})` };
  switch (status) {
    case 401:
      return { kind: 'rejected', detail: `does not take the token (401${said})` };
    case 403:
      return { kind: 'rejected', detail: `the token may not do that (403${said})` };
    case 404:
      return { kind: 'not_found', detail: `does not know the flag, the project or the environment (404${said})` };
    case 409:
      return { kind: 'rejected', detail: `somebody else changes the flag at the same time (409${said})` };
    case 429:
      return { kind: 'rejected', detail: `takes no more calls for now (429)${waitText(retryAfter)}` };
    default:
      return { kind: status < 500 ? 'rejected' : 'unreachable', detail: `answered ${status}${said}` };
  }
}

const waitText = (retryAfter: string | undefined): string => {
  if (retryAfter === undefined || !/^[\w :,]{1,40}$/.test(retryAfter)) return '';
  return /^\d+$/.test(retryAfter) ? `, again in ${retryAfter} s` : `, again at ${retryAfter}`;
};
