/** The API as functions. Failures are values: not reached, or refused with the service's own words. */
import type { ProblemView } from '../../../src/contract/wire.ts';
import { answered, unanswered } from './contact.ts';

export type Failure =
  | { readonly kind: 'unreachable'; readonly detail: string }
  | { readonly kind: 'refused'; readonly status: number; readonly problem: ProblemView };

/** A list as every list comes. */
export type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null };

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

type Asked = {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Of what takes the service a while to work out. */
  readonly patienceMs?: number;
};

const PATIENCE_MS = 15_000;
let clockOffMs = 0;

/** The service's time, as far as its answers tell: countdowns are right on a machine whose clock is wrong. */
export const serviceNow = (): number => atService(Date.now());
/** What the service's clock said when ours said this. */
export const atService = (ours: number): number => ours + clockOffMs;

function noteClock(date: string | null): void {
  const at = date === null ? Number.NaN : Date.parse(date);
  // The header has whole seconds: what is within them is no difference.
  const off = at + 500 - Date.now();
  if (Number.isFinite(off)) clockOffMs = Math.abs(off) < 1_500 ? 0 : off;
}

/** Told why when the service knows us no longer; null when nothing was shown that it could know. */
type Unknown = (why: string | null) => void;
const hearing = new Set<Unknown>();

export function onUnknown(listener: Unknown): () => void {
  hearing.add(listener);
  return () => hearing.delete(listener);
}

/** Told after too many 401s instead of one more; who is known is never told so. */
const TOO_MANY = 'urn:headgate:problem:too-many';
const isUnknown = (status: number, { type }: ProblemView): boolean => status === 401 || type === TOO_MANY;

/** A refusal of what was shown says so in its challenge, one of nothing shown does not (RFC 6750). */
function tellUnknown({ status, headers }: Response, { detail }: ProblemView): void {
  const isRefused = status !== 401 || headers.get('www-authenticate')?.includes('invalid_token') === true;
  for (const listener of hearing) listener(isRefused ? detail : null);
}

export async function call<T>(
  path: string,
  { method = 'GET', body, headers = {}, signal, patienceMs = PATIENCE_MS }: Asked = {},
): Promise<Answer<T>> {
  const patience = AbortSignal.timeout(patienceMs);
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
  } catch (error) {
    if (signal?.aborted !== true) unanswered();
    return { ok: false, error: { kind: 'unreachable', detail: wordsOf(error) } };
  }
  noteClock(answer.headers.get('date'));
  const content: unknown = answer.status === 204 ? null : await answer.json().catch(() => undefined);
  // A proxy that answers for a service that is gone says so by these.
  if (content === undefined && 502 <= answer.status && answer.status <= 504) unanswered();
  else answered();
  // The service answers by the schemas of `src/contract/wire.ts`; these are their types.
  if (answer.ok) return { ok: true, value: content as T };
  const problem = problemOf(content, answer);
  if (isUnknown(answer.status, problem)) tellUnknown(answer, problem);
  return { ok: false, error: { kind: 'refused', status: answer.status, problem } };
}

function problemOf(content: unknown, answer: Response): ProblemView {
  if (typeof content === 'object' && content !== null && 'detail' in content) return content as ProblemView;
  return { type: 'about:blank', title: answer.statusText, status: answer.status, detail: `answered ${answer.status}` };
}

const wordsOf = (error: unknown): string =>
  error instanceof DOMException && error.name === 'TimeoutError' ? 'it took too long' : 'it does not answer';

/** What went wrong, as one sentence. */
export function failureText(failure: Failure): string {
  if (failure.kind === 'unreachable') return `Headgate cannot be reached: ${failure.detail}`;
  const { title, detail, errors = [] } = failure.problem;
  const more = errors.map(({ pointer, detail: one, line }) => `${line === null ? pointer : `line ${line}`}: ${one}`);
  return [`${title}: ${detail}`, ...more.filter((one) => !one.endsWith(detail))].join('; ');
}

/** For requests that create or raise: sent again with the same key, they have their effect once. */
export function idempotencyKey(): string {
  // Only there on https and on loopback; a console is also opened by the name of a machine.
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const query = (values: Readonly<Record<string, string | number | null | undefined>>): string => {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values))
    if (value !== null && value !== undefined && value !== '') search.set(key, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
};
