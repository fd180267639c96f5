/** Spans, as a collector gets them from the real service; and that one which is gone, hangs or refuses costs nothing but spans. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { parseConfig } from '../src/config.ts';
import { tracesUrl } from '../src/start.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-traces-'));
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function listening(handler: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(handler);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}` };
}

type Attribute = { readonly key: string; readonly value: { readonly stringValue?: string; readonly intValue?: number } };
type Span = {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
};
type Export = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
};

async function collector() {
  const exports: { readonly path: string; readonly body: Export }[] = [];
  const { url } = await listening((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      exports.push({ path: request.url ?? '', body: JSON.parse(text) as Export });
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  const spans = (): readonly Span[] =>
    exports.flatMap(({ body }) => body.resourceSpans.flatMap((each) => each.scopeSpans.flatMap((scope) => scope.spans)));
  return { url, exports, spans };
}

let apps = 0;
async function service(traces: string | null, receiver: string | null = null): Promise<{ app: App; lines: string[] }> {
  const slot = await listening((_request, response) => response.end('here'));
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(folder, `${++apps}.db`)} }
settings: { settleMin: 1s, applyTimeout: 500ms, reconcileEvery: 1s }
routers:
  front:
    { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: ${slot.url} }, green: { url: ${slot.url} } } } } }
providers: { edge: { type: edge } }
services:
  shop:
    provider: edge
    targets: [{ router: front, route: app }]
${receiver === null ? '' : `    notify: [book]\n    hooks: { beforeStart: '${receiver}/hook' }\nnotify: { book: { type: webhook, url: '${receiver}/book' } }\n`}`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const quiet = (): void => {};
  const lines: string[] = [];
  const note = (_fields: unknown, message: string): void => void lines.push(message);
  const app = await createApp(config.value, { debug: quiet, info: quiet, warn: note, error: note }, traces);
  return { app, lines };
}

// oxlint-disable-next-line max-params -- a request is these four, and whom it is sent to
const ask = async (app: App, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  app.fetch(
    new Request(`http://headgate${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'if-match': '*', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );

/** Starts a release, waits until it was judged at its first step, and takes it back. */
async function release(app: App, headers: Record<string, string> = {}): Promise<string> {
  await ask(app, 'PUT', '/v1/services/shop/stable', { version: '1' });
  const plan = { service: 'shop', interval: '1s', steps: ['5%'], hold: '1h', checks: ['errors'] };
  const started = await ask(app, 'POST', '/v1/releases', { plan, version: '2' }, headers);
  expect(started.status).toBe(201);
  const { id } = (await started.json()) as { id: string };
  const reaches = async (reached: (body: { phase: { kind: string }; checks?: unknown }) => boolean): Promise<void> => {
    for (let look = 0; look < 400; look++) {
      if (reached((await (await ask(app, 'GET', `/v1/releases/${id}`)).json()) as { phase: { kind: string } })) return;
      await new Promise((done) => setTimeout(done, 25));
    }
    throw new Error('never reached');
  };
  await reaches(({ phase }) => phase.kind === 'watching');
  await new Promise((done) => setTimeout(done, 1_500));
  await ask(app, 'POST', `/v1/releases/${id}/commands/rollback`, {});
  await reaches(({ phase }) => phase.kind === 'rolledBack');
  return id;
}

const of = ({ attributes }: { readonly attributes: readonly Attribute[] }, key: string) =>
  attributes.find((attribute) => attribute.key === key)?.value;

test('spans of requests, looks at releases, and calls of routers and providers arrive, each within the one it belongs to', async () => {
  const { url, exports, spans } = await collector();
  const { app } = await service(tracesUrl({ OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/` }));
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const id = await release(app, { traceparent: `00-${traceId}-b7ad6b7169203331-01`, 'x-request-id': 'build-7' });
  await ask(app, 'GET', '/metrics');
  await ask(app, 'GET', '/v1/nothing/there');
  await app.close(2_000);

  expect(new Set(exports.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
  expect(of(exports[0]?.body.resourceSpans[0]?.resource ?? { attributes: [] }, 'service.name')).toEqual({
    stringValue: 'headgate',
  });
  const names = new Set(spans().map(({ name }) => name));
  expect([...names]).toEqual(
    expect.arrayContaining([
      'POST /v1/releases',
      'POST /v1/releases/:id/commands/:verb',
      'GET /v1/releases/:id',
      'tick',
      'provider measure',
      'router preflight',
      'router apply',
      'router read',
      'router cut_off',
    ]),
  );
  expect([...names].filter((name) => /metrics|nothing|[\da-f]{8}-/.test(name))).toEqual([]);

  const start = spans().find(({ name }) => name === 'POST /v1/releases');
  expect(start).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
  expect(start && of(start, 'http.response.status_code')).toEqual({ intValue: 201 });
  expect(start && of(start, 'headgate.request')).toEqual({ stringValue: 'build-7' });
  // The release was worked on at once, for the request; later looks have traces of their own.
  const ticks = spans().filter(({ name }) => name === 'tick');
  expect(ticks.every((tick) => of(tick, 'headgate.release')?.stringValue === id)).toBe(true);
  expect(ticks.filter((tick) => tick.parentSpanId === start?.spanId)).toHaveLength(1);
  expect(ticks.some((tick) => !tick.parentSpanId)).toBe(true);
  expect(new Set(ticks.map((tick) => of(tick, 'headgate.phase')?.stringValue))).toContain('watching');
  expect(ticks.every((tick) => of(tick, 'headgate.outcome') !== undefined)).toBe(true);
  // What led to them is told all the same.
  expect(ticks.flatMap(({ links = [] }) => links.map((link) => link.spanId))).toEqual(ticks.map(() => start?.spanId));
  const asked = spans().filter(({ name }) => name === 'provider measure');
  expect(asked.every(({ parentSpanId }) => ticks.some(({ spanId }) => spanId === parentSpanId))).toBe(true);
  expect(asked.every((span) => of(span, 'headgate.check')?.stringValue === 'errors')).toBe(true);
});

test.each([['collected', true] as const, ['not collected', false] as const])(
  'calls out say what they are part of, with spans %s',
  async (_what, isCollected) => {
    const seen = new Map<string, Set<string>>();
    const receiver = await listening((request, response) => {
      const path = request.url ?? '';
      seen.set(path, (seen.get(path) ?? new Set()).add(String(request.headers['traceparent'])));
      response.end('{}');
    });
    const collected = await collector();
    const { app } = await service(isCollected ? `${collected.url}/v1/traces` : null, receiver.url);
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const parent = `00-${traceId}-00f067aa0ba902b7-01`;
    await release(app, { traceparent: parent });
    for (let look = 0; look < 200 && !seen.has('/book'); look++) await new Promise((done) => setTimeout(done, 25));
    await app.close(2_000);
    expect([...(seen.get('/hook') ?? [])][0]).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-01$`));
    const told = [...(seen.get('/book') ?? [])];
    expect(told.length).toBeGreaterThan(0);
    // Collected, a delivery is a span of its own that is linked to the start; else the start is all there is to say.
    if (!isCollected) expect(told).toEqual([parent]);
    else
      expect(
        collected.spans().filter(({ name, links }) => name === 'deliver' && links?.[0]?.traceId === traceId).length,
      ).toBeGreaterThan(0);
  },
);

test('a caller that is not sampled is not, and a traceparent that is none is left alone', async () => {
  const { url, spans } = await collector();
  const { app } = await service(`${url}/v1/traces`);
  await ask(app, 'GET', '/v1/services', undefined, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' });
  for (const traceparent of [
    'nonsense',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ])
    await ask(app, 'GET', '/v1/services/shop', undefined, { traceparent });
  await app.close(2_000);
  expect(spans().some(({ name }) => name === 'GET /v1/services')).toBe(false);
  const own = spans().filter(({ name }) => name === 'GET /v1/services/:name');
  expect(own).toHaveLength(3);
  expect(own.filter(({ parentSpanId }) => parentSpanId)).toEqual([]);
});

const SICK: readonly (readonly [string, () => Promise<string>])[] = [
  [
    'is gone',
    async () => {
      const { server, url } = await listening(() => {});
      await new Promise((done) => server.close(done));
      return url;
    },
  ],
  ['never answers', async () => (await listening(() => {})).url],
  [
    'refuses everything',
    async () => await listening((_request, response) => response.writeHead(400).end('no')).then(({ url }) => url),
  ],
  ['hangs up', async () => (await listening((request) => request.socket.destroy())).url],
];

test('a collector that is gone, hangs, refuses or hangs up keeps no release from its end, and no service from its shutdown', async () => {
  const seen = await Promise.all(
    SICK.map(async ([what, made]) => {
      const { app, lines } = await service(`${await made()}/v1/traces`);
      await release(app);
      // Longer than an export may take, so that its failure is known.
      await new Promise((done) => setTimeout(done, 3_500));
      const startedMs = performance.now();
      await app.close(2_000);
      return { what, lines, closedSoon: performance.now() - startedMs < 4_000 };
    }),
  );
  const lines = ['traces are not taken and get lost; all else goes on'];
  expect(seen).toEqual(SICK.map(([what]) => ({ what, lines, closedSoon: true })));
});

test.each(['not an address', 'collector:4318', '/v1/traces'])(
  '%s is no address: that is told, and no reason not to start',
  async (url) => {
    const { app, lines } = await service(url);
    expect(lines).toEqual([expect.stringContaining('this is no address to send traces to')]);
    expect((await ask(app, 'GET', '/v1/services')).status).toBe(200);
    await app.close(2_000);
  },
);

test("OpenTelemetry's own variables say where to, and without them nothing of it is loaded", () => {
  expect(tracesUrl({})).toBeNull();
  expect(tracesUrl({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeNull();
  expect(tracesUrl({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' })).toBe('http://c:4318/v1/traces');
  expect(tracesUrl({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://d/x' })).toBe(
    'http://d/x',
  );
  const src = resolve(import.meta.dirname, '../src');
  const having = (pattern: RegExp): readonly string[] =>
    readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && pattern.test(readFileSync(join(src, file), 'utf8')),
    );
  expect(having(/from '@opentelemetry/)).toEqual(['adapters/system/tracer.ts']);
  expect(having(/from '[./\w]*system\/tracer\.ts'/)).toEqual([]);
});
