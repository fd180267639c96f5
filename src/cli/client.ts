/** The API as functions. Failures are values: not reached, or refused with the service's own words. */
import type { BacktestInput, SimulateInput } from '../contract/ahead.ts';
import type { BacktestView, PreviewView, SimulatedView } from '../contract/ahead-views.ts';
import type { AuditHead } from '../contract/audit-chain.ts';
import type { FlagView, InboxEntryView } from '../contract/wire-flags.ts';
import type { MadeTokenView, TokenInput, TokenView } from '../contract/wire-access.ts';
import type { DeliveryView, EndpointView, ReplayedView, TestedView } from '../contract/webhooks.ts';
import type { CheckView, PlanView, ProblemView, ReleaseView, ServiceView, TargetView, ValidatedView } from '../contract/wire.ts';
import type { Result } from '../lib/result.ts';
import type { Identity } from './identity.ts';
import { transport } from './transport.ts';

export type ClientError =
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** Something answered that is not Headgate. */
  | { readonly kind: 'foreign'; readonly status: number; readonly detail: string }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly problem: ProblemView;
      /** Until when the service wants to be left alone; null where it did not say. */
      readonly retryAfterMs: number | null;
    };

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
  readonly plan: ValidatedView['plan'];
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
type List<T> = { readonly items: readonly T[]; readonly nextCursor: string | null };
type Body = Readonly<Record<string, unknown>>;

export type Client = {
  /** Asked again with the same key it starts nothing else. */
  start(options: StartOptions, key: string): Answer<ReleaseView>;
  /** What would be started; nothing is. */
  tryStart(options: StartOptions): Answer<ReleaseView>;
  release(id: string): Answer<ReleaseView>;
  checks(id: string): Answer<{ readonly items: readonly CheckView[] }>;
  releases(query: Readonly<Record<string, string>>): Answer<List<ReleaseView>>;
  wait(id: string, until: string, timeout: string): Answer<{ readonly reached: boolean; readonly release: ReleaseView }>;
  command(id: string, verb: string, order: Order): Answer<ReleaseView>;
  services(): Answer<List<ServiceView>>;
  service(name: string): Answer<ServiceView>;
  /** With what each serves now. */
  targets(name: string): Answer<List<TargetView>>;
  setStable(name: string, body: Readonly<Record<string, unknown>>): Answer<ServiceView>;
  applyPlan(document: string): Answer<PlanView>;
  validate(document: string): Answer<ValidationView>;
  previewPlan(body: Pick<SimulateInput, 'document' | 'traffic'>): Answer<PreviewView>;
  simulatePlan(body: SimulateInput): Answer<SimulatedView>;
  backtestPlan(body: BacktestInput): Answer<BacktestView>;
  createToken(body: TokenInput): Answer<MadeTokenView>;
  tokens(cursor: string | null): Answer<List<TokenView>>;
  revokeToken(id: string): Answer<TokenView>;
  auditHead(): Answer<AuditHead>;
  /** The rows as they are hashed, line by line, as they come. */
  auditLines(): Answer<AsyncIterable<string>>;
  endpoints(): Answer<List<EndpointView>>;
  deliveries(query: Readonly<Record<string, string>>): Answer<List<DeliveryView>>;
  testEndpoint(name: string, body: Body): Answer<TestedView>;
  enableEndpoint(name: string, body: Body): Answer<EndpointView>;
  replay(name: string, body: Body): Answer<ReplayedView>;
  redeliver(seq: number, body: Body, key: string): Answer<{ readonly seq: number }>;
  inbox(query: Readonly<Record<string, string>>): Answer<List<InboxEntryView>>;
  retryInbox(seq: number, key: string): Answer<{ readonly state: 'pending' }>;
  flags(): Answer<List<FlagView>>;
  refreshFlag(source: string, flag: string): Answer<FlagView>;
};

export type ClientOptions = {
  readonly server: string;
  readonly actor: string;
  /** Sent as a bearer; null where the service asks for none. */
  readonly token: string | null;
  readonly fetch: typeof globalThis.fetch;
  /** Who can say it anew; wins over the token. */
  readonly identity?: Identity;
};

export function client(options: ClientOptions): Client {
  const { call, lines } = transport(options);
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
    services: () => call('GET', '/v1/services'),
    service: (name) => call('GET', `/v1/services/${part(name)}`),
    targets: (name) => call('GET', `/v1/services/${part(name)}/targets`),
    setStable: (name, body) => call('PUT', `/v1/services/${part(name)}/stable`, body, { 'if-match': '*' }),
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
    redeliver: (seq, body, key) => call('POST', `/v1/webhooks/deliveries/${seq}/redeliver`, body, { 'idempotency-key': key }),
    inbox: (query) => call('GET', `/v1/webhooks/inbox?${new URLSearchParams(query).toString()}`),
    retryInbox: (seq, key) => call('POST', `/v1/webhooks/inbox/${seq}/retry`, undefined, { 'idempotency-key': key }),
    flags: () => call('GET', '/v1/flags'),
    refreshFlag: (source, flag) => call('POST', `/v1/flags/${part(source)}/${part(flag)}/refresh`),
  };
}
