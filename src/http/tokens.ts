/** API tokens: made, listed, taken back. Only admins come here, and nobody gives more than he has. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { limit, timeCursor } from '../contract/paging.ts';
import { listOf } from '../contract/wire.ts';
import { madeTokenView, tokenBody, tokenView } from '../contract/wire-access.ts';
import type { TokenView } from '../contract/wire-access.ts';
import { scopesOf } from '../domain/rights.ts';
import type { StoredToken } from '../ports/token-store.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { keyHeader, once } from './once.ts';
import type { Kept } from './once.ts';
import { originOf, route, visible } from './permission.ts';
import { problem, refused } from './problem.ts';
import type { ProblemResponse } from './problem.ts';

const list = route({
  method: 'get',
  path: '/v1/tokens',
  permission: 'admin',
  bound: 'handler',
  request: {
    query: z.object({ limit, cursor: timeCursor }).strict(),
  },
  responses: { 200: jsonOf(listOf(tokenView), 'Newest first'), ...problems },
});
const create = route({
  method: 'post',
  path: '/v1/tokens',
  permission: 'admin',
  bound: 'handler',
  request: { headers: z.object(keyHeader), body: { required: true, ...jsonOf(tokenBody, 'Whose it is, and what it may do') } },
  responses: { 201: jsonOf(madeTokenView, 'With its secret, which is shown this once'), ...problems },
});
const revoke = route({
  method: 'delete',
  path: '/v1/tokens/{id}',
  permission: 'admin',
  request: { params: z.object({ id: z.string().regex(/^[0-9A-Za-z]{10}$/, 'the id of a token') }) },
  responses: { 200: jsonOf(tokenView, 'Revoked, and every session made from it'), ...problems },
});

export function tokenRoutes({ context, access }: HttpDeps) {
  const app = routes();
  app.openapi(list, async (c) => {
    const { limit: size, cursor = null } = c.req.valid('query');
    const page = await context.store.tokens({ limit: size, cursor });
    const shown = page.rows.filter(({ services }) => isMine(c.get('principal').services, services));
    return c.json({ items: shown.map(viewToken), nextCursor: page.next }, 200);
  });
  app.openapi(create, (c) =>
    once(c, { store: context.store, again: madeBefore }, async (keep) => {
      const { role = null, scopes = [], services = null, name, kind, expires } = c.req.valid('json');
      const unknown = services?.find((service) => !context.services.has(service));
      if (unknown !== undefined && visible(c, unknown))
        return problem(c, 'invalid', `no service named ${unknown}`, [
          { path: '/services', message: `no service named ${unknown}`, line: null, column: null },
        ]);
      const made = await access.createToken(
        { role, scopes, services, name, kind, forMs: expires },
        { principal: c.get('principal'), origin: originOf(c) },
        keep(({ id }) => ({ status: 201, body: null, location: `/v1/tokens/${id}` })),
      );
      if (!made.ok) return refused(c, made.error);
      c.header('cache-control', 'no-store');
      return c.json({ token: viewToken(made.value.token), secret: made.value.text }, 201);
    }),
  );
  app.openapi(revoke, async (c) => {
    const { id } = c.req.valid('param');
    const revoked = await access.revokeToken(id, { principal: c.get('principal'), origin: originOf(c) });
    return revoked.ok ? c.json(viewToken(revoked.value), 200) : refused(c, revoked.error);
  });
  return app;
}

/** The secret is not kept, so it cannot be answered twice. */
const madeBefore = (c: Context, { location = '' }: Kept): ProblemResponse =>
  problem(
    c,
    'not_accepted',
    `this request made ${location} before, and the secret was shown then: revoke it, and ask under a new key`,
  );

/** Whoever is bound to services sees the tokens that are bound to some of them and no other. */
const isMine = (mine: readonly string[] | null, services: readonly string[] | null): boolean =>
  mine === null || (services !== null && services.every((service) => mine.includes(service)));

const viewToken = (token: StoredToken): TokenView => {
  const { id, name, kind, role, services, createdAt, createdBy, expiresAt, lastUsedAt, revokedAt } = token;
  const rights = { role, scopes: [...scopesOf(token)], services: services === null ? null : [...services] };
  return { id, name, kind, ...rights, createdAt, createdBy, expiresAt, lastUsedAt, revokedAt };
};
