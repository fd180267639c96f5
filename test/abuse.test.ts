/** The API under clients that mean harm or do not know better: over real sockets where that is what they do. */
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { parseConfig } from '../src/config.ts';
import type { LoggedEvent } from '../src/ports/store.ts';

let app: App;
let base: string;
beforeAll(async () => {
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ":memory:" }
routers: { front: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: http://127.0.0.1:9 }, green: { url: http://127.0.0.1:9 } } } } } }
providers: { edge: { type: edge } }
services: { shop: { provider: edge, targets: [{ router: front, route: app }] } }
`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const quiet = () => {};
  app = await createApp(config.value, { debug: quiet, info: quiet, warn: quiet, error: quiet });
  base = await app.listen();
});
afterAll(() => app.close(1_000));

const json = { 'content-type': 'application/json' };
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Opens a connection, says so much, and hears what comes back until it is closed or the time is up. */
async function saying(text: string, waitMs: number): Promise<{ heard: string; socket: Socket }> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  let heard = '';
  socket.on('data', (part: Buffer) => (heard += part.toString()));
  socket.on('error', () => {});
  socket.write(text);
  await Promise.race([new Promise<void>((done) => socket.once('close', () => done())), pause(waitMs)]);
  return { heard, socket };
}

test('a body that is too long is refused even when it does not say how long it is', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let part = 0; part < 100; part++) yield new Uint8Array(16_384).fill(120);
  }
  const headers = { ...json, connection: 'close' };
  const answer = await fetch(`${base}/v1/releases`, { method: 'POST', headers, body: endless(), duplex: 'half' });
  expect(answer.status).toBe(413);
});

test('after a body that is too long a client asks on: it is told that the connection is over', async () => {
  const post = (body: string): Promise<Response> => fetch(`${base}/v1/plans:validate`, { method: 'POST', headers: json, body });
  for (let round = 0; round < 5; round++) {
    const refused = await post(JSON.stringify({ document: 'x'.repeat(1024 * 1024) }));
    expect([refused.status, refused.headers.get('connection')]).toEqual([413, 'close']);
    await refused.text();
    for (let next = 0; next < 3; next++) expect((await post('{"document":"a"}')).status).toBe(200);
  }
});

test('headers that are too long are refused before anything reads them', async () => {
  const { heard } = await saying(`GET /healthz HTTP/1.1\r\nhost: a\r\nx-long: ${'x'.repeat(40_000)}\r\n\r\n`, 2_000);
  expect(heard).toMatch(/^HTTP\/1\.1 431 /);
});

test('three hundred clients that never finish their request keep nobody out', async () => {
  const stuck = await Promise.all(Array.from({ length: 300 }, () => saying('GET /healthz HTTP/1.1\r\nhost: a\r\nx-slow: ', 50)));
  expect((await fetch(`${base}/healthz`)).status).toBe(200);
  for (const { socket } of stuck) socket.destroy();
});

test('whatever is asked for, the metrics get no more series', async () => {
  const series = async (): Promise<string[]> =>
    (await (await fetch(`${base}/metrics`)).text())
      .split('\n')
      .filter((line) => line.startsWith('headgate_'))
      .map((line) => line.replace(/ \S+$/, ''));
  const before = await series();
  for (let index = 0; index < 50; index++) {
    await fetch(`${base}/v1/releases/none-${index}`);
    await fetch(`${base}/v1/none-${index}`, { headers: { 'x-headgate-actor': `actor-${index}` } });
    await fetch(`${base}/v1/services/none-${index}/stable`, { method: 'PUT', headers: json, body: '{"version":"1"}' });
  }
  const after = await series();
  expect(after.filter((one) => !before.includes(one)).join('\n')).not.toMatch(/none-|actor-/);
  expect(after.length).toBeLessThan(before.length + 50);
});

test('a reader of events that takes its time costs no memory: nothing is read that it has no room for', async () => {
  const { events } = app.context.store;
  let asked = 0;
  const endless = async ({ afterPosition, limit }: { afterPosition: number; limit: number }): Promise<LoggedEvent[]> => {
    asked += 1;
    return Array.from({ length: limit }, (_, index) => ({
      position: afterPosition + index + 1,
      event: { id: 'x', service: 'shop', sentence: 'x'.repeat(1_000) } as unknown as LoggedEvent['event'],
    }));
  };
  Object.assign(app.context.store, { events: endless });
  const stop = new AbortController();
  try {
    const answer = await app.fetch(new Request('http://headgate/v1/events?after=0', { signal: stop.signal }));
    const reader = answer.body?.getReader();
    await pause(300);
    expect(asked).toBeLessThan(3);
    for (let part = 0; part < 500; part++) await reader?.read();
    expect(asked).toBeGreaterThan(3);
    await reader?.cancel();
  } finally {
    stop.abort();
    Object.assign(app.context.store, { events });
  }
});

test('a page of another site cannot steer, whether it sends a body or not; programs and the own console can', async () => {
  const ask = async (headers: Record<string, string>, init: RequestInit = {}): Promise<number> =>
    (await app.fetch(new Request('http://headgate/v1/releases/none/commands/rollback', { method: 'POST', headers, ...init })))
      .status;
  expect(await ask({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await ask({ 'sec-fetch-site': 'same-site' })).toBe(403);
  expect(await ask({ origin: 'https://evil.example', host: 'localhost' })).toBe(403);
  expect(await ask({ origin: 'null', host: 'localhost' })).toBe(403);
  expect(await ask({ 'content-type': 'text/plain' }, { body: '{}' })).toBe(415);
  expect(await ask({})).toBe(404);
  expect(await ask({ 'sec-fetch-site': 'same-origin' })).toBe(404);
  expect(await ask({ origin: 'http://localhost', host: 'localhost' })).toBe(404);
  const read = new Request('http://headgate/healthz', { headers: { 'sec-fetch-site': 'cross-site' } });
  expect((await app.fetch(read)).status).toBe(200);
});

test('what people name things is text in the console and never markup', async () => {
  const folder = resolve(import.meta.dirname, '../web/src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
  expect(files.length).toBeGreaterThan(10);
  for (const file of files)
    expect(readFileSync(resolve(folder, file), 'utf8'), file).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|<script|javascript:/i,
    );
  const policy = (await app.fetch(new Request('http://headgate/'))).headers.get('content-security-policy');
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain('unsafe');
});
