/** What belongs to every request: an id that its answer, its log lines and its problem document carry, and a span. */
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Span } from '../ports/tracer.ts';
import type { HttpDeps } from './deps.ts';

declare module 'hono' {
  interface ContextVariableMap {
    requestId: string;
  }
}

/** Asked every few seconds by machines: a span of each would drown the others. */
const ROUTINE: ReadonlySet<string> = new Set(['/metrics', '/healthz', '/readyz']);

export function requests({ context }: Pick<HttpDeps, 'context'>): MiddlewareHandler {
  const { random, scope, tracer, clock, log } = context;
  return async (c, next) => {
    const id = /^[\w.:-]{1,128}$/.exec(c.req.header('x-request-id') ?? '')?.[0] ?? random.id();
    c.set('requestId', id);
    const { method, path } = c.req;
    const startedMs = clock.monotonicMs();
    const serve = async (span: Span | null): Promise<void> => {
      await next();
      if (span) describe(c, span);
      log.debug({ method, path, status: c.res.status, ms: Math.round(clock.monotonicMs() - startedMs) }, `${method} ${path}`);
    };
    await scope.run({ request: id }, () =>
      ROUTINE.has(path)
        ? serve(null)
        : tracer.span(
            {
              name: method,
              kind: 'server',
              attributes: { 'http.request.method': method, 'url.path': path, 'headgate.request': id },
              parent: c.req.header('traceparent'),
            },
            serve,
          ),
    );
    c.header('x-request-id', id);
  };
}

/** The route, not the path, names a span: a path has ids in it. */
function describe(c: Context, span: Span): void {
  const { status } = c.res;
  span.set({ 'http.response.status_code': status });
  if (500 <= status) span.fail(`answered ${status}`);
  const route = routePath(c, -1);
  if (route.includes('*')) return;
  span.set({ 'http.route': route });
  span.rename(`${c.req.method} ${route}`);
}
