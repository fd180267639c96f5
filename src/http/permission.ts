/**
 * Every route says what it asks for, here and nowhere else. Denied by default: a route without a permission does not
 * compile, one that says nothing of services is not for whoever is bound to some, and nobody unknown passes.
 */
import { createRoute } from '@hono/zod-openapi';
import type { RouteConfig } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import type { Actor } from '../domain/release.ts';
import { actorFrom, refusesRight } from '../domain/rights.ts';
import type { Permission, Principal, Scope } from '../domain/rights.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { AuditOrigin } from '../ports/store.ts';
import { problem } from './problem.ts';
import type { ProblemResponse } from './problem.ts';

/** What the app knows of a request before a route is found. */
export type Caller = {
  /** Who asks; asked once per request. */
  who(): Promise<Result<Principal, ProblemResponse>>;
  /** Whether it would be let in again now: for an answer that goes on for long. */
  isKnown(): Promise<boolean>;
  /** The service of a release, null when there is no such release. */
  serviceOf(release: string): Promise<string | null>;
  readonly address: string | null;
  /** Somebody known was refused something that would have changed something. */
  refused(principal: Principal, why: string): void;
};

declare module 'hono' {
  interface ContextVariableMap {
    principal: Principal;
    caller: Caller;
  }
}

/** Commands on a release: the right depends on the verb in the path. */
export type ByVerb = { readonly byVerb: Readonly<Record<string, Scope>> };
/**
 * How a route keeps to the services of who asks: `service` is named in its path, a `release` is, its `handler` looks for
 * itself (see `refusesService` and `visible`), or what it says is of no service (`none`).
 */
export type Bound = 'service' | 'release' | 'handler' | 'none';
export type Asks = { readonly permission: Permission | ByVerb; readonly bound?: Bound };

/** As `createRoute`, with what the caller must be allowed to do; the API's description says it as `x-permission`. */
export const route = <const R extends RouteConfig & Asks>(config: R) =>
  createRoute({ ...config, 'x-permission': config.permission, middleware: [permit(config.permission, config.bound)] as const });

/** The same for routes that are not in the API's description. */
export const permit = (permission: Asks['permission'], bound?: Bound): MiddlewareHandler & Asks =>
  Object.assign<MiddlewareHandler, Asks>(
    async (c, next) => {
      if (permission === 'anyone') return next();
      const caller = c.get('caller');
      const who = await caller.who();
      if (!who.ok) return who.error;
      const allowed = await judged(c, who.value, { permission, ...(bound ? { bound } : {}) });
      if (!allowed.ok) {
        caller.refused(who.value, allowed.error);
        return problem(c, 'forbidden', allowed.error);
      }
      c.set('principal', who.value);
      return next();
    },
    bound ? { permission, bound } : { permission },
  );

async function judged(c: Context, principal: Principal, { permission, bound }: Asks): Promise<Result<null, string>> {
  // What is no verb is told so by the route itself, to whoever may see the release.
  const scope = typeof permission === 'string' ? permission : (permission.byVerb[c.req.param('verb') ?? ''] ?? 'read');
  const right = refusesRight(principal, scope);
  if (right !== null) return err(right);
  if (principal.services === null || scope === 'lower' || scope === 'known') return ok(null);
  if (bound === 'handler' || bound === 'none') return ok(null);
  if (bound === undefined) return err(`this is about all services, and ${principal.name} has rights for some only`);
  const named = bound === 'service' ? (c.req.param('name') ?? null) : await c.get('caller').serviceOf(c.req.param('id') ?? '');
  const foreign = named === null ? null : refusesRight(principal, scope, named);
  return foreign === null ? ok(null) : err(foreign);
}

/** For `bound: 'handler'`: the refusal, or null when the principal has its right for the service as well. */
export function refusesService(c: Context, scope: Scope, service: string): ProblemResponse | null {
  const principal = c.get('principal');
  const foreign = refusesRight(principal, scope, service);
  if (foreign === null) return null;
  c.get('caller').refused(principal, foreign);
  return problem(c, 'forbidden', foreign);
}

/** For lists with `bound: 'handler'`: only what is of services that the principal has rights for. */
export const visible = (c: Context, service: string): boolean => c.get('principal').services?.includes(service) ?? true;

/** Who asks, as it is written into events and the audit. */
export const actorOf = (c: Context): Actor => actorFrom(c.get('principal'));

/** Where an act came from, for its row in the audit. */
export const originOf = (c: Context, principal: Principal = c.get('principal')): AuditOrigin => ({
  kind: principal.kind,
  token: principal.token,
  provenance: principal.provenance,
  address: c.get('caller').address,
  request: c.get('requestId'),
});
