/** The API as functions. Failures are values: not reached, or refused with the service's own words. */
import type { BacktestInput, SimulateInput } from '../contract/ahead.ts';
import type { BacktestView, PreviewView, SimulatedView } from '../contract/ahead-views.ts';
import type { AuditHead } from '../contract/audit-chain.ts';
import type { MadeTokenView, TokenInput, TokenView } from '../contract/wire-access.ts';
import type { DeliveryView, EndpointView, ReplayedView, TestedView } from '../contract/webhooks.ts';
import type { PlanView, ProblemView, ReleaseView } from '../contract/wire.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';

export type ClientError =
  | { readonly kind: 'unreachable'; readonly detail: string }
  | { readonly kind: 'refused'; readonly status: number; readonly problem: ProblemView };

export type Answer<T> = Promise<Result<T, ClientError>>;

export type StartOptions = {
  readonly plan: unknown;
  readonly version: string;
  readonly first?: boolean;
  readonly paused?: boolean;
  readonly onBusy?: string;
  readonly reason?: string;
};

export type ValidationView = {
  readonly valid: boolean;
  readonly problems: readonly FoundProblem[];
  readonly warnings: readonly FoundProblem[];
};
export type FoundProblem = {
  readonly pointer: string;
  readonly detail: string;
  readonly line: number | null;
  readonly column: number | null;
};

type List<T> = { readonly items: readonly T[]; readonly nextCursor: string | null };
type Body = Readonly<Record<string, unknown>>;

export type Client = {
  start(options: StartOptions): Answer<ReleaseView>;
  release(id: string): Answer<ReleaseView>;
  releases(
    query: Readonly<Record<string, string>>,
  ): Answer<{ readonly items: readonly ReleaseView[]; readonly nextCursor: string | null }>;
  wait(id: string, until: string, timeout: string): Answer<{ readonly reached: boolean; readonly release: ReleaseView }>;
  command(id: string, verb: string, body: Readonly<Record<string, unknown>>): Answer<ReleaseView>;
  applyPlan(document: string): Answer<PlanView>;
  validate(document: string): Answer<ValidationView>;
  previewPlan(body: Pick<SimulateInput, 'document' | 'traffic'>): Answer<PreviewView>;
  simulatePlan(body: SimulateInput): Answer<SimulatedView>;
  backtestPlan(body: BacktestInput): Answer<BacktestView>;
  createToken(body: TokenInput): Answer<MadeTokenView>;
  tokens(cursor: string | null): Answer<{ readonly items: readonly TokenView[]; readonly nextCursor: string | null }>;
  revokeToken(id: string): Answer<TokenView>;
  auditHead(): Answer<AuditHead>;
  /** The rows as they are hashed, line by line, as they come. */
  auditLines(): Answer<AsyncIterable<string>>;
  endpoints(): Answer<List<EndpointView>>;
  deliveries(query: Readonly<Record<string, string>>): Answer<List<DeliveryView>>;
  testEndpoint(name: string, body: Body): Answer<TestedView>;
  enableEndpoint(name: string, body: Body): Answer<EndpointView>;
  replay(name: string, body: Body): Answer<ReplayedView>;
  redeliver(seq: number, body: Body): Answer<{ readonly seq: number }>;
};

export type ClientOptions = {
  readonly server: string;
  readonly actor: string;
  /** Sent as a bearer; null where the service asks for none. */
  readonly token: string | null;
  readonly fetch: typeof globalThis.fetch;
};

export function client({ server, actor, token, fetch }: ClientOptions): Client {
  const base = server.replace(/\/+$/, '');
  const away = (error: unknown): ClientError => {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const detail = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause);
    return { kind: 'unreachable', detail: `${base} cannot be reached (${detail}); is the service running?` };
  };
  async function sent(method: string, path: string, body?: unknown): Answer<Response> {
    const headers = {
      'x-headgate-actor': actor,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    try {
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      return ok(await fetch(`${base}${path}`, { method, headers, ...content }));
    } catch (error) {
      return err(away(error));
    }
  }
  async function call<T>(method: string, path: string, body?: unknown): Answer<T> {
    const answer = await sent(method, path, body);
    if (!answer.ok) return answer;
    try {
      const content: unknown = await answer.value.json();
      // The service answers by the schemas of `contract/wire.ts`; these are their types.
      if (answer.value.ok) return ok(content as T);
      return err({ kind: 'refused', status: answer.value.status, problem: content as ProblemView });
    } catch (error) {
      return err(away(error));
    }
  }
  async function lines(path: string): Answer<AsyncIterable<string>> {
    const answer = await sent('GET', path);
    if (!answer.ok) return answer;
    const { body } = answer.value;
    if (answer.value.ok && body) return ok(linesOf(body));
    return err({ kind: 'refused', status: answer.value.status, problem: (await answer.value.json()) as ProblemView });
  }
  const part = encodeURIComponent;
  return {
    start: (options) => call('POST', '/v1/releases', options),
    release: (id) => call('GET', `/v1/releases/${part(id)}`),
    releases: (query) => call('GET', `/v1/releases?${new URLSearchParams(query).toString()}`),
    wait: (id, until, timeout) => call('GET', `/v1/releases/${part(id)}/wait?until=${part(until)}&timeout=${part(timeout)}`),
    command: (id, verb, body) => call('POST', `/v1/releases/${part(id)}/commands/${part(verb)}`, body),
    applyPlan: (document) => call('POST', '/v1/plans', { document }),
    validate: (document) => call('POST', '/v1/plans:validate', { document }),
    previewPlan: (body) => call('POST', '/v1/plans:preview', body),
    simulatePlan: (body) => call('POST', '/v1/plans:simulate', body),
    backtestPlan: (body) => call('POST', '/v1/plans:backtest', body),
    createToken: (body) => call('POST', '/v1/tokens', body),
    tokens: (cursor) => call('GET', `/v1/tokens?limit=200${cursor === null ? '' : `&cursor=${part(cursor)}`}`),
    revokeToken: (id) => call('DELETE', `/v1/tokens/${part(id)}`),
    auditHead: () => call('GET', '/v1/audit:head'),
    auditLines: () => lines('/v1/audit:export'),
    endpoints: () => call('GET', '/v1/webhooks/endpoints'),
    deliveries: (query) => call('GET', `/v1/webhooks/deliveries?${new URLSearchParams(query).toString()}`),
    testEndpoint: (name, body) => call('POST', `/v1/webhooks/endpoints/${part(name)}/test`, body),
    enableEndpoint: (name, body) => call('POST', `/v1/webhooks/endpoints/${part(name)}/enable`, body),
    replay: (name, body) => call('POST', `/v1/webhooks/endpoints/${part(name)}/replay`, body),
    redeliver: (seq, body) => call('POST', `/v1/webhooks/deliveries/${seq}/redeliver`, body),
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
