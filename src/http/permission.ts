/** Every route says what it asks for, here and nowhere else: a route without a permission does not compile. */
import { createRoute } from '@hono/zod-openapi';
import type { RouteConfig } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import type { Actor } from '../domain/release.ts';
import { SCOPES } from '../domain/rights.ts';
import type { Permission, Principal } from '../domain/rights.ts';

declare module 'hono' {
  interface ContextVariableMap {
    principal: Principal;
  }
}

/** As `createRoute`, with what the caller must be allowed to do; the API's description says it as `x-permission`. */
export const route = <const R extends RouteConfig & { readonly permission: Permission }>(config: R) =>
  createRoute({ ...config, 'x-permission': config.permission, middleware: [permit(config.permission)] as const });

/** The same for routes that are not in the API's description. */
export const permit = (permission: Permission): MiddlewareHandler =>
  Object.assign<MiddlewareHandler, { permission: Permission }>(
    async (c, next) => {
      c.set('principal', nobodyAsked(c.req.header('x-headgate-actor')));
      return next();
    },
    { permission },
  );

/** Without identity everybody may do everything, under the name that they give. */
const nobodyAsked = (header: string | undefined): Principal => {
  const text = (header ?? '').trim().slice(0, 100);
  const rights = { scopes: SCOPES, services: null };
  if (text.startsWith('ci:')) return { kind: 'ci', name: text.slice(3), ...rights };
  return { kind: 'person', name: text === '' ? 'anonymous' : text, ...rights };
};

/** Who asks, as it is written into events and the audit. */
export const actorOf = (c: Context): Actor => {
  const { kind, name } = c.get('principal');
  return { kind, name };
};
