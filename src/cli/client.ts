/** The API as functions. Failures are values: not reached, or refused with the service's own words. */
import type { BacktestInput, SimulateInput } from '../contract/ahead.ts';
import type { BacktestView, PreviewView, SimulatedView } from '../contract/ahead-views.ts';
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
  readonly fetch: typeof globalThis.fetch;
};

export function client({ server, actor, fetch }: ClientOptions): Client {
  const base = server.replace(/\/+$/, '');
  async function call<T>(method: string, path: string, body?: unknown): Answer<T> {
    const headers = {
      'x-headgate-actor': actor,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    try {
      const answer = await fetch(`${base}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const content: unknown = await answer.json();
      // The service answers by the schemas of `contract/wire.ts`; these are their types.
      return answer.ok ? ok(content as T) : err({ kind: 'refused', status: answer.status, problem: content as ProblemView });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const detail = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause);
      return err({
        kind: 'unreachable',
        detail: `${base} cannot be reached (${detail}); is the service running?`,
      });
    }
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
    endpoints: () => call('GET', '/v1/webhooks/endpoints'),
    deliveries: (query) => call('GET', `/v1/webhooks/deliveries?${new URLSearchParams(query).toString()}`),
    testEndpoint: (name, body) => call('POST', `/v1/webhooks/endpoints/${part(name)}/test`, body),
    enableEndpoint: (name, body) => call('POST', `/v1/webhooks/endpoints/${part(name)}/enable`, body),
    replay: (name, body) => call('POST', `/v1/webhooks/endpoints/${part(name)}/replay`, body),
    redeliver: (seq, body) => call('POST', `/v1/webhooks/deliveries/${seq}/redeliver`, body),
  };
}
