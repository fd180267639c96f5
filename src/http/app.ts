/** The API as a whole: resources joined, limits and headers on every answer, every failure a problem document. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { StoreUnavailable } from '../ports/store.ts';
import { assert } from '../lib/assert.ts';
import { auditRoutes } from './audit.ts';
import { connectionRoutes } from './connections.ts';
import { consoleRoutes } from './console.ts';
import { courseRoutes } from './course.ts';
import type { HttpDeps } from './deps.ts';
import { ofrepRoutes } from './ofrep.ts';
import { feed } from './feed.ts';
import type { Feed } from './feed.ts';
import { flagRoutes } from './flags.ts';
import { failed, identity } from './identity.ts';
import { limits } from './limits.ts';
import { operationRoutes } from './operations.ts';
import { orderRoutes } from './orders.ts';
import { permit } from './permission.ts';
import type { Asks } from './permission.ts';
import { planRoutes } from './plans.ts';
import { problem } from './problem.ts';
import { pushRoutes } from './pushes.ts';
import { releaseRoutes } from './releases.ts';
import { requests } from './request.ts';
import { serviceRoutes } from './services.ts';
import { sessionRoutes } from './sessions.ts';
import { streamRoutes } from './stream.ts';
import { tokenRoutes } from './tokens.ts';
import { waitRoutes } from './wait.ts';
import { inboxRoutes } from './webhooks-in.ts';
import { webhookRoutes } from './webhooks.ts';

/** The console talks to nobody but us, and runs nothing but its own files. */
const POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

export function createHttp(deps: HttpDeps): OpenAPIHono {
  const { store, clock } = deps.context;
  const shared = feed({ store, clock, closing: deps.closing });
  const app = new OpenAPIHono();
  app.use(requests(deps));
  app.use(
    secureHeaders({
      strictTransportSecurity: false, // TLS ends in front of us, and who speaks https is not ours to say
      contentSecurityPolicy: POLICY,
    }),
  );
  const failure = failed(deps);
  app.use(identity(deps, failure));
  app.use(async (c, next) => {
    // A name of somebody else's that leads to this machine would make his page look like ours.
    if (deps.access.dev && !isLoopback(c.req.header('host')))
      return problem(c, 'foreign', 'with --dev it answers to 127.0.0.1 and localhost only');
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
    return !reads && isForeign((name) => c.req.header(name))
      ? problem(c, 'foreign', 'a page of another site asked for this, and only the console and programs may')
      : next();
  });
  for (const limit of limits) app.use(limit);
  for (const routes of resources(deps, shared)) app.route('/', routes);
  app.route('/', sessionRoutes(deps, failure));
  app.route('/', streamRoutes({ ...deps, feed: shared }));
  app.route('/', ofrepRoutes(deps));
  app.route('/', consoleRoutes());
  app.get('/openapi.json', permit('anyone'), (c) =>
    c.json(
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: { title: 'Headgate', version: '1', description: 'Progressive delivery without Kubernetes' },
      }),
    ),
  );
  const open = declaredRoutes(app).filter(({ asks }) => asks === null);
  assert(open.length === 0, `every route asks for a permission first: ${open.map(({ path }) => path).join(', ')}`);
  failures(app, deps);
  return app;
}

/** What is no route, and what goes wrong on one. */
function failures(app: OpenAPIHono, { context: { log } }: HttpDeps): void {
  app.notFound((c) => {
    const others = ['GET', 'POST', 'PUT', 'DELETE'].filter(
      (method) => method !== c.req.method && isRoute(app, method, c.req.path),
    );
    if (others.length > 0) c.header('allow', others.join(', '));
    return others.length > 0
      ? problem(c, 'wrong_method', `${c.req.path} takes ${others.join(' or ')}`)
      : problem(c, 'no_route', `no ${c.req.path}; the API is described at /openapi.json`);
  });
  app.onError((error, c) => {
    if (error instanceof HTTPException)
      return problem(c, error.status === 413 ? 'too_large' : 'malformed', error.message || 'the request cannot be read');
    if (error instanceof StoreUnavailable) return problem(c, 'unavailable', error.message);
    log.error({ path: c.req.path, error: error.stack ?? String(error) }, 'a request failed by a mistake of ours');
    return problem(c, 'internal', 'this is a bug: the log has the details under the request id');
  });
}

const isLoopback = (host: string | undefined): boolean =>
  host === undefined || /^(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?$/i.test(host);

const resources = (deps: HttpDeps, shared: Feed): readonly OpenAPIHono[] => [
  releaseRoutes(deps),
  courseRoutes(deps),
  waitRoutes({ ...deps, feed: shared }),
  orderRoutes(deps),
  serviceRoutes(deps),
  pushRoutes(deps),
  planRoutes(deps),
  connectionRoutes(deps),
  operationRoutes(deps),
  tokenRoutes(deps),
  auditRoutes(deps),
  webhookRoutes(deps),
  inboxRoutes(deps),
  flagRoutes(deps),
];

/**
 * Sent by a browser for a page that is not ours: whoever can be led to a page must not steer by that. Programs send
 * neither header; browsers leave the first one out where a name is not loopback and there is no TLS.
 */
function isForeign(header: (name: string) => string | undefined): boolean {
  const site = header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = header('origin');
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== header('host');
}

export type DeclaredRoute = { readonly method: string; readonly path: string; readonly asks: Asks | null };

/** Every route with what it asks for; null where nobody would be asked who he is, because that comes first on each. */
export function declaredRoutes(app: OpenAPIHono): readonly DeclaredRoute[] {
  const found = new Map<string, DeclaredRoute>();
  for (const { method, path, handler } of app.routes) {
    if (method === 'ALL' || found.has(`${method} ${path}`)) continue;
    found.set(`${method} ${path}`, { method, path, asks: isPermit(handler) ? handler : null });
  }
  return [...found.values()];
}

const isPermit = (handler: unknown): handler is Asks => typeof handler === 'function' && 'permission' in handler;

/** Middleware matches every path; a route is what matches beyond it. */
function isRoute(app: OpenAPIHono, method: string, path: string): boolean {
  return app.routes.some(
    (route) => route.method === method && route.path !== '/*' && route.path !== '*' && pattern(route.path).test(path),
  );
}

const pattern = (path: string): RegExp => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+(\{[^}]*\})?/g, '[^/]+')}$`);
