/** Requests to the service: who asks is said with each, and anew when it is not believed any more. */
import type { ProblemView } from '../contract/wire.ts';
import { err, ok } from '../lib/result.ts';
import type { Answer, ClientError, ClientOptions } from './client.ts';
import { fixedIdentity } from './identity.ts';

/** Longer than the longest thing that is asked: a simulation, or a past replayed. */
const ANSWER_MS = 120_000;

const RIGHT = '--server or HEADGATE_SERVER says where the service is, such as http://127.0.0.1:8080';

export type Transport = {
  call<T>(method: string, path: string, body?: unknown, more?: Readonly<Record<string, string>>): Answer<T>;
  lines(path: string): Answer<AsyncIterable<string>>;
};

type Sending = {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly more: Readonly<Record<string, string>>;
};

/** A header holds Latin letters alone, and a job may be named in any. */
const sayable = (name: string): string => name.replaceAll(/[^ -~\u00a1-\u00ff]/g, '?');

export function transport({ server, actor, token, fetch, identity = fixedIdentity(token) }: ClientOptions): Transport {
  const base = server.replace(/\/+$/, '');
  const away = (error: unknown): ClientError => {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const detail = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause);
    return { kind: 'unreachable', detail: `${base} cannot be reached (${detail}); is the service running?` };
  };
  async function once({ method, path, body, more }: Sending, signal: AbortSignal | null): Answer<Response> {
    try {
      const bearer = await identity.token();
      const headers = {
        'x-headgate-actor': sayable(actor),
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more,
      };
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      return ok(await fetch(`${base}${path}`, { method, headers, signal, ...content }));
    } catch (error) {
      return err(away(error));
    }
  }
  /** Who is not known any more says so anew, once. */
  async function sent(sending: Sending, signal: AbortSignal | null): Answer<Response> {
    const first = await once(sending, signal);
    return first.ok && first.value.status === 401 && (await identity.renew()) ? once(sending, signal) : first;
  }
  async function contentOf(response: Response): Answer<object> {
    const type = response.headers.get('content-type') ?? 'text';
    try {
      const content: unknown = await response.json();
      if (typeof content === 'object' && content !== null && (response.ok || 'detail' in content)) return ok(content);
    } catch (error) {
      // What breaks off in the middle may be whole the next time.
      if (!(error instanceof SyntaxError) || type.includes('json')) return err(away(error));
    }
    const { status } = response;
    if (500 <= status) return err({ kind: 'unreachable', detail: `${base} answers ${status}; is the service running?` });
    return err({ kind: 'foreign', status, detail: `${base} is not Headgate: it answers ${status} with ${type}; ${RIGHT}` });
  }
  async function call<T>(method: string, path: string, body?: unknown, more: Readonly<Record<string, string>> = {}): Answer<T> {
    // A connection that leads nowhere any more says nothing, ever.
    const answer = await sent({ method, path, body, more }, AbortSignal.timeout(ANSWER_MS));
    if (!answer.ok) return answer;
    const content = await contentOf(answer.value);
    if (!content.ok) return content;
    // The service answers by the schemas of `contract/wire.ts`; these are their types.
    return answer.value.ok ? ok(content.value as T) : err(refusalOf(answer.value, content.value));
  }
  async function lines(path: string): Answer<AsyncIterable<string>> {
    const answer = await sent({ method: 'GET', path, body: undefined, more: {} }, null);
    if (!answer.ok) return answer;
    const { body } = answer.value;
    if (answer.value.ok && body) return ok(linesOf(body));
    const content = await contentOf(answer.value);
    return content.ok ? err(refusalOf(answer.value, content.value)) : content;
  }
  return { call, lines };
}

function refusalOf({ status, headers }: Response, content: unknown): ClientError {
  const seconds = /^\d{1,6}$/.exec(headers.get('retry-after') ?? '')?.[0];
  // Refusals are problem documents, by the service's own schema.
  return {
    kind: 'refused',
    status,
    problem: content as ProblemView,
    retryAfterMs: seconds === undefined ? null : Number(seconds) * 1_000,
  };
}

/** At line feeds only: a reason may hold other characters that readers of lines take for an end. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    const found = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = found.pop() ?? '';
    yield* found;
  }
  if (rest !== '') yield rest;
}
