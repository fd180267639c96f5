/** The API as functions. Failures are values: not reached, or refused with the service's own words. */
import type { BacktestInput, SimulateInput } from '../contract/ahead.ts';
import type { BacktestView, PreviewView, SimulatedView } from '../contract/ahead-views.ts';
import type { CheckView, PlanView, ProblemView, ReleaseView, ServiceView } from '../contract/wire.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { fixedIdentity } from './identity.ts';
import type { Identity } from './identity.ts';

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

export type Order = {
  readonly body: Readonly<Record<string, unknown>>;
  readonly key: string;
  /** The `stateVersion` that was seen; null for whatever it is. */
  readonly seen: number | null;
};

export type Client = {
  /** Asked again with the same key it starts nothing else. */
  start(options: StartOptions, key: string): Answer<ReleaseView>;
  /** What would be started; nothing is. */
  tryStart(options: StartOptions): Answer<ReleaseView>;
  release(id: string): Answer<ReleaseView>;
  checks(id: string): Answer<{ readonly items: readonly CheckView[] }>;
  releases(
    query: Readonly<Record<string, string>>,
  ): Answer<{ readonly items: readonly ReleaseView[]; readonly nextCursor: string | null }>;
  wait(id: string, until: string, timeout: string): Answer<{ readonly reached: boolean; readonly release: ReleaseView }>;
  command(id: string, verb: string, order: Order): Answer<ReleaseView>;
  setStable(name: string, body: Readonly<Record<string, unknown>>): Answer<ServiceView>;
  applyPlan(document: string): Answer<PlanView>;
  validate(document: string): Answer<ValidationView>;
  previewPlan(body: Pick<SimulateInput, 'document' | 'traffic'>): Answer<PreviewView>;
  simulatePlan(body: SimulateInput): Answer<SimulatedView>;
  backtestPlan(body: BacktestInput): Answer<BacktestView>;
};

export type ClientOptions = {
  readonly server: string;
  readonly actor: string;
  readonly fetch: typeof globalThis.fetch;
  readonly identity?: Identity;
};

/** Longer than the longest thing that is asked: a simulation, or a past replayed. */
const ANSWER_MS = 120_000;

export function client({ server, actor, fetch, identity = fixedIdentity(null) }: ClientOptions): Client {
  const base = server.replace(/\/+$/, '');
  async function call<T>(method: string, path: string, body?: unknown, more: Readonly<Record<string, string>> = {}): Answer<T> {
    const first = await ask<T>(method, path, body, more);
    const isUnknown = !first.ok && first.error.kind === 'refused' && first.error.status === 401;
    return isUnknown && (await identity.renew()) ? ask<T>(method, path, body, more) : first;
  }
  async function ask<T>(method: string, path: string, body: unknown, more: Readonly<Record<string, string>>): Answer<T> {
    try {
      const token = await identity.token();
      const headers = {
        'x-headgate-actor': actor,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more,
      };
      const answer = await fetch(`${base}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // A connection that leads nowhere any more says nothing, ever.
        signal: AbortSignal.timeout(ANSWER_MS),
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
    start: (options, key) => call('POST', '/v1/releases', options, { 'idempotency-key': key }),
    tryStart: (options) => call('POST', '/v1/releases?validate_only=true', options),
    release: (id) => call('GET', `/v1/releases/${part(id)}`),
    checks: (id) => call('GET', `/v1/releases/${part(id)}/checks`),
    releases: (query) => call('GET', `/v1/releases?${new URLSearchParams(query).toString()}`),
    wait: (id, until, timeout) => call('GET', `/v1/releases/${part(id)}/wait?until=${part(until)}&timeout=${part(timeout)}`),
    command: (id, verb, { body, key, seen }) =>
      call('POST', `/v1/releases/${part(id)}/commands/${part(verb)}`, body, {
        'idempotency-key': key,
        'if-match': seen === null ? '*' : `"${seen}"`,
      }),
    setStable: (name, body) => call('PUT', `/v1/services/${part(name)}/stable`, body, { 'if-match': '*' }),
    applyPlan: (document) => call('POST', '/v1/plans', { document }),
    validate: (document) => call('POST', '/v1/plans:validate', { document }),
    previewPlan: (body) => call('POST', '/v1/plans:preview', body),
    simulatePlan: (body) => call('POST', '/v1/plans:simulate', body),
    backtestPlan: (body) => call('POST', '/v1/plans:backtest', body),
  };
}
