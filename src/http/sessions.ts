/** The console signs in with a token, and from then on has a cookie that no script can read. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { sessionBody, sessionView } from '../contract/wire-access.ts';
import type { SessionView } from '../contract/wire-access.ts';
import { anybody } from '../controller/access.ts';
import type { Principal } from '../domain/rights.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { cookieName } from './identity.ts';
import type { Failed } from './identity.ts';
import { originOf, route } from './permission.ts';

const open = route({
  method: 'post',
  path: '/v1/session',
  permission: 'anyone',
  request: { body: { required: true, ...jsonOf(sessionBody, 'The token') } },
  responses: { 200: jsonOf(sessionView, 'Who you are; the cookie is in the answer'), ...problems },
});
const get = route({
  method: 'get',
  path: '/v1/session',
  permission: 'known',
  responses: { 200: jsonOf(sessionView, 'Who you are'), ...problems },
});
const close = route({
  method: 'delete',
  path: '/v1/session',
  permission: 'known',
  responses: { 200: jsonOf(z.object({}), 'The session is over'), ...problems },
});

export function sessionRoutes(deps: HttpDeps, failure: Failed) {
  const { access } = deps;
  const name = cookieName(deps);
  const cookie = { path: '/', httpOnly: true, sameSite: 'Strict', secure: name.startsWith('__Host-') } as const;
  const view = ({ kind, name: who, scopes, services }: Principal): SessionView => ({
    name: who,
    kind,
    scopes: [...scopes],
    services: services === null ? null : [...services],
    dev: access.dev,
  });
  const app = routes();
  app.openapi(open, async (c) => {
    c.header('cache-control', 'no-store');
    if (access.dev) return c.json(view(anybody(c.req.header('x-headgate-actor'))), 200);
    const opened = await access.openSession(c.req.valid('json').token, unknownYet(c));
    if (!opened.ok) return failure.answer(c, opened.error);
    const found = await access.identify(opened.value.text);
    if (!found.ok) return failure.answer(c, found.error);
    const { expiresAt, createdAt } = opened.value.token;
    setCookie(c, name, opened.value.text, { ...cookie, maxAge: Math.floor((expiresAt - createdAt) / 1_000) });
    return c.json(view(found.value), 200);
  });
  app.openapi(get, (c) => {
    c.header('cache-control', 'no-store');
    return c.json(view(c.get('principal')), 200);
  });
  app.openapi(close, async (c) => {
    const session = getCookie(c, name);
    if (session !== undefined) await access.closeSession(session, { principal: c.get('principal'), origin: originOf(c) });
    deleteCookie(c, name, cookie);
    return c.json({}, 200);
  });
  return app;
}

/** The token is what is being looked at: its id is the subject of the row. */
const unknownYet = (c: Context) => ({
  kind: 'person' as const,
  token: null,
  provenance: null,
  address: c.get('caller').address,
  request: c.get('requestId'),
});
