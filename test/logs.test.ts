/** Log lines say what they are about: the request that is served, the release that is worked on. On the real service, through a real log. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonLog, logScope } from '../src/adapters/system/log.ts';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { parseConfig } from '../src/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-logs-'));
const file = join(folder, 'log.jsonl');
type Line = Record<string, unknown>;
const linesOf = (path: string): readonly Line[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

let app: App;
let slot: Server;
let fd: number;

beforeAll(async () => {
  slot = createServer((_request, response) => response.end('here'));
  await new Promise<void>((done) => slot.listen(0, '127.0.0.1', done));
  const address = slot.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(folder, 'logs.db')} }
settings: { settleMin: 1s, applyTimeout: 500ms, reconcileEvery: 1s }
routers:
  front: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: ${url} }, green: { url: ${url} } } } } }
providers: { edge: { type: edge } }
notify: { book: { type: log } }
services: { shop: { provider: edge, notify: [book], targets: [{ router: front, route: app }] } }
`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  fd = openSync(file, 'a');
  app = await createApp(config.value, jsonLog({ level: 'debug', fd }));
});
afterAll(async () => {
  await app.close(2_000);
  closeSync(fd);
  slot.closeAllConnections();
  slot.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  app.fetch(
    new Request(`http://headgate${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'if-match': '*', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );

async function until(reached: () => boolean): Promise<void> {
  for (let look = 0; look < 400; look++) {
    if (reached()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error('never reached');
}

test('a request keeps the id it came with, and gets one if it came with none or with nonsense', async () => {
  const answered = async (given?: string) =>
    (await ask('GET', '/v1/services', undefined, given === undefined ? {} : { 'x-request-id': given })).headers.get(
      'x-request-id',
    );
  expect(await answered('build-7.a:1')).toBe('build-7.a:1');
  const made = await answered();
  expect(made).toMatch(/^[\da-f-]{36}$/);
  expect(await answered()).not.toBe(made);
  for (const nonsense of ['two words', 'a'.repeat(129), 'x"}', '<script>'])
    expect(await answered(nonsense)).toMatch(/^[\da-f-]{36}$/);
});

test('a problem document carries the id of its request, whatever kind it is of', async () => {
  const problem = async (method: string, path: string, body?: unknown) => {
    const answer = await ask(method, path, body, { 'x-request-id': 'mine' });
    expect(answer.headers.get('x-request-id')).toBe('mine');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    return (await answer.json()) as Line;
  };
  expect(await problem('GET', '/v1/nothing')).toMatchObject({ status: 404, requestId: 'mine' });
  expect(await problem('GET', '/v1/releases/none')).toMatchObject({ status: 404, requestId: 'mine' });
  expect(await problem('POST', '/v1/releases', { plan: 1 })).toMatchObject({ status: 422, requestId: 'mine' });
  expect(await problem('POST', '/v1/releases', { plan: 'x'.repeat(600_000), version: '1' })).toMatchObject({
    status: 413,
    requestId: 'mine',
  });
});

test('what is written while a request is served carries its id; what comes of it later carries the release', async () => {
  await ask('PUT', '/v1/services/shop/stable', { version: '1' });
  const plan = { service: 'shop', interval: '1s', steps: ['5%'], hold: '1h', checks: ['errors'] };
  const started = await ask('POST', '/v1/releases', { plan, version: '2' }, { 'x-request-id': 'start-1' });
  const { id } = (await started.json()) as { id: string };
  const of = (event: string) => linesOf(file).find((line) => line['event'] === event && line['release'] === id);
  await until(() => of('step.entered') !== undefined);
  await ask('POST', `/v1/releases/${id}/commands/rollback`, {}, { 'x-request-id': 'back-1' });
  await until(() => of('release.rolledBack') !== undefined);
  expect(of('rollback.decided')).toMatchObject({ request: 'back-1', release: id });
  expect(of('release.rolledBack')).toMatchObject({ release: id });
  expect(of('release.rolledBack')).not.toHaveProperty('request');
  const access = linesOf(file).find((line) => line['request'] === 'back-1' && line['status'] === 200);
  expect(access).toMatchObject({ level: 'debug', method: 'POST', path: `/v1/releases/${id}/commands/rollback` });
  await until(() => linesOf(file).some((line) => line['notifier'] === 'book' && line['type'] === 'release.rolledBack'));
  expect(linesOf(file).find((line) => line['notifier'] === 'book' && line['type'] === 'release.rolledBack')).toMatchObject({
    release: id,
    subject: id,
  });
});

test('a scope ends with its work, adds to the one around it, and gives way to a line that says otherwise', async () => {
  const path = join(folder, 'scope.jsonl');
  const own = openSync(path, 'a');
  const log = jsonLog({ level: 'info', fd: own });
  log.info({}, 'before');
  await logScope.run({ request: 'r', release: 'a' }, async () => {
    await new Promise((done) => setTimeout(done, 1));
    log.info({}, 'outer');
    await logScope.run({ release: 'b' }, async () => log.info({}, 'inner'));
    log.info({ release: 'c', secret: 'x' }, 'own');
  });
  log.info({}, 'after');
  closeSync(own);
  const fields = linesOf(path).map(({ msg, request, release, secret }) => [msg, request, release, secret]);
  expect(fields).toEqual([
    ['before', undefined, undefined, undefined],
    ['outer', 'r', 'a', undefined],
    ['inner', 'r', 'b', undefined],
    ['own', 'r', 'c', '[Redacted]'],
    ['after', undefined, undefined, undefined],
  ]);
  expect(readFileSync(path, 'utf8')).not.toMatch(/"release":"a","release"/);
});
