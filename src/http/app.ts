/** The API as a whole: resources joined, limits and headers on every answer, every failure a problem document. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { StoreUnavailable } from '../ports/store.ts';
import { consoleRoutes } from './console.ts';
import type { HttpDeps } from './deps.ts';
import { ofrepRoutes } from './ofrep.ts';
import { operationRoutes } from './operations.ts';
import { orderRoutes } from './orders.ts';
import { planRoutes } from './plans.ts';
import { problem } from './problem.ts';
import { pushRoutes } from './pushes.ts';
import { releaseRoutes } from './releases.ts';
import { requests } from './request.ts';
import { serviceRoutes } from './services.ts';
import { streamRoutes } from './stream.ts';

const MAX_BODY_BYTES = 512 * 1024;

export function createHttp(deps: HttpDeps): OpenAPIHono {
  const { log } = deps.context;
  const app = new OpenAPIHono();
  app.use(requests(deps));
  app.use(
    secureHeaders({
      strictTransportSecurity: false, // TLS ends in front of us, and who speaks https is not ours to say
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        connectSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    }),
  );
  app.use(async (c, next) => {
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
    return !reads && isForeign((name) => c.req.header(name))
      ? problem(c, 'foreign', 'a page of another site asked for this, and only the console and programs may')
      : next();
  });
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) => problem(c, 'too_large', `a request body has ${MAX_BODY_BYTES / 1024} kB at most`),
    }),
  );
  app.use(async (c, next) => {
    const type = c.req.header('content-type');
    const hasBody = c.req.method === 'POST' || c.req.method === 'PUT';
    if (hasBody && c.req.path.startsWith('/v1/') && type !== undefined && !/^application\/([\w.+-]+\+)?json\b/.test(type))
      return problem(c, 'wrong_type', `the body is JSON (application/json), not ${type}`);
    if (hasBody && type === undefined && Number(c.req.header('content-length') ?? 0) > 0)
      return problem(c, 'wrong_type', 'say content-type: application/json');
    return next();
  });
  join(app, deps);
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Headgate', version: '1', description: 'Progressive delivery without Kubernetes' },
  });
  app.notFound((c) => {
    const others = ['GET', 'POST', 'PUT'].filter((method) => method !== c.req.method && isRoute(app, method, c.req.path));
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
  return app;
}

/** Every resource, those of the API's description first. */
function join(app: OpenAPIHono, deps: HttpDeps): void {
  for (const routes of [
    releaseRoutes(deps),
    orderRoutes(deps),
    serviceRoutes(deps),
    pushRoutes(deps),
    planRoutes(deps),
    operationRoutes(deps),
  ])
    app.route('/', routes);
  app.route('/', streamRoutes(deps));
  app.route('/', ofrepRoutes(deps));
  app.route('/', consoleRoutes());
}

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

/** Middleware matches every path; a route is what matches beyond it. */
function isRoute(app: OpenAPIHono, method: string, path: string): boolean {
  return app.routes.some(
    (route) => route.method === method && route.path !== '/*' && route.path !== '*' && pattern(route.path).test(path),
  );
}

const pattern = (path: string): RegExp => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+(\{[^}]*\})?/g, '[^/]+')}$`);
