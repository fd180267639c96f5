/**
 * One thing after another is down, in a whole service of this process: what still works, what waits and says why, and what
 * the health pages answer. Nothing that Headgate only depends on may make it look dead: who restarts it for that takes away
 * the one that would lower the canary.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { parseConfig } from '../src/config.ts';
import { err } from '../src/lib/result.ts';
import { StoreUnavailable } from '../src/ports/store.ts';
import type { RouterError } from '../src/ports/traffic-router.ts';

let app: App;
let servers: Server[];
/** What the receiver of the notices answers. */
let receiverStatus = 204;
const warned: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'headgate-degraded-'));
const services = ['store', 'router', 'routers', 'metrics', 'receiver', 'clock', 'loops', 'console'] as const;

async function answering(answer: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}
const urlOf = (server: Server | undefined): string => {
  const address = server?.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
};

beforeAll(async () => {
  servers = [
    await answering((_request, response) => response.end('blue')),
    await answering((_request, response) => response.end('green')),
    await answering((request, response) => void request.resume().on('end', () => response.writeHead(receiverStatus).end())),
  ];
  const [blue, green, receiver] = servers.map(urlOf);
  const routes = services.map(
    (name) => `      ${name}: { match: { path: /${name} }, slots: { blue: { url: ${blue} }, green: { url: ${green} } } }`,
  );
  const router = (name: string): string =>
    `  ${name}:\n    type: edge\n    listen: 127.0.0.1:0\n    routes:\n${routes.join('\n')}`;
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(folder, 'degraded.db')} }
settings: { settleMin: 1s, applyTimeout: 500ms, reconcileEvery: 1s }
routers:
${router('east')}
${router('west')}
providers: { edge: { type: edge } }
notify: { book: { type: webhook, url: "${receiver}" } }
services:
${services.map((name) => `  ${name}: { provider: edge, notify: [book], targets: [{ router: east, route: ${name} }, { router: west, route: ${name} }] }`).join('\n')}
`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const quiet = (): void => {};
  const warn = (_fields: unknown, message: string): void => void warned.push(message);
  app = await createApp(config.value, { debug: quiet, info: quiet, warn, error: quiet });
});

/** Undoes what a test has broken. */
let mend: () => void = () => {};
afterEach(() => mend());
afterAll(async () => {
  await app.close(2_000);
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Puts other methods into a part, until they are mended. */
function breaking<T extends object>(part: T, broken: Partial<Record<keyof T, unknown>>): void {
  const sound = Object.fromEntries(Object.keys(broken).map((name) => [name, part[name as keyof T]]));
  const before = mend;
  Object.assign(part, broken);
  mend = () => {
    Object.assign(part, sound);
    before();
    mend = () => {};
  };
}

type Body = Record<string, any>;
type Answer = { readonly status: number; readonly body: Body; readonly headers: Headers };
async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const init =
    body === undefined
      ? { method }
      : { method, headers: { 'content-type': 'application/json', 'if-match': '*' }, body: JSON.stringify(body) };
  const answer = await app.fetch(new Request(`http://headgate${path}`, init));
  return { status: answer.status, body: (await answer.json()) as Body, headers: answer.headers };
}
const health = async (): Promise<readonly [alive: number, ready: number]> => [
  (await call('GET', '/healthz')).status,
  (await call('GET', '/readyz')).status,
];
const order = (id: string, verb: string, reason: string | null = null): Promise<Answer> =>
  call('POST', `/v1/releases/${id}/commands/${verb}`, reason === null ? {} : { reason });
const release = async (id: string): Promise<Body> => (await call('GET', `/v1/releases/${id}`)).body;

async function until<T>(look: () => Promise<T>, reached: (seen: T) => boolean): Promise<T> {
  let seen = await look();
  for (const endMs = performance.now() + 60_000; performance.now() < endMs && !reached(seen); seen = await look())
    await new Promise((done) => setTimeout(done, 25));
  if (!reached(seen)) throw new Error(`never so; at last it was ${JSON.stringify(seen)}`);
  return seen;
}
const untilPhase = (id: string, kind: string): Promise<Body> =>
  until(
    () => release(id),
    ({ phase }) => phase.kind === kind,
  );
const served = async (service: string): Promise<(number | null)[]> =>
  (await call('GET', `/v1/services/${service}/targets`)).body['items'].map((target: Body) => target['servedSecondSlotBp']);

/** A release that stands at its first step of two, and may stand there for an hour. */
async function standing(service: (typeof services)[number], plan: Body = {}): Promise<string> {
  await call('PUT', `/v1/services/${service}/stable`, { version: '1' });
  const whole = { service, interval: '1s', steps: ['5%', '50%'], hold: '1h', checks: [], ...plan };
  const { body } = await call('POST', '/v1/releases', { plan: whole, version: '2' });
  await untilPhase(body['id'], 'watching');
  return body['id'];
}

const cutOff = (name: 'east' | 'west'): void => {
  const router = app.context.routers.get(name);
  if (!router) throw new Error(`no router ${name}`);
  const gone = async () => err<RouterError>({ kind: 'unreachable', detail: `${name}: connection refused`, nodes: [] });
  breaking(router, { apply: gone, cutOff: gone, read: gone, preflight: gone });
};

describe('the store is down', () => {
  const away = async (): Promise<never> => {
    throw new StoreUnavailable('the database could not be used (SQLITE_FULL): database or disk is full');
  };

  test('the traffic stays, every request is told to come again, and all goes on when it is back', async () => {
    const id = await standing('store');
    const methods = Object.keys(app.context.store).filter((name) => name !== 'now' && name !== 'close');
    breaking(app.context.store, Object.fromEntries(methods.map((name) => [name, away])));
    expect(await health()).toEqual([200, 503]);
    expect((await call('GET', '/readyz')).body['problems']).toEqual([expect.stringContaining('the store does not answer')]);
    for (const refused of [
      await order(id, 'rollback'),
      await order(id, 'promote'),
      await call('GET', `/v1/releases/${id}`),
      await call('POST', '/v1/releases', { plan: { service: 'store', steps: ['5%'], checks: [] }, version: '3' }),
    ]) {
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(refused.body['detail']).toContain('SQLITE_FULL');
    }
    mend();
    expect(await served('store')).toEqual([500, 500]);
    expect(await health()).toEqual([200, 200]);
    expect((await order(id, 'rollback')).status).toBe(200);
    await untilPhase(id, 'rolledBack');
  });

  test('when it can be read and not written, nothing is raised and no command is taken for done', async () => {
    const id = await standing('store');
    const busy = async () => err({ kind: 'busy', detail: 'the database could not be used (SQLITE_BUSY)' });
    breaking(app.context.store, { commit: busy });
    const refused = await order(id, 'promote');
    expect(refused.status).toBe(503);
    expect(refused.body['detail']).toBe(
      'the command could not be stored: the database could not be used (SQLITE_BUSY); try again',
    );
    expect(await health()).toEqual([200, 200]);
    expect(await release(id)).toMatchObject({ wantedBp: 500, phase: { kind: 'watching' } });
    expect(await served('store')).toEqual([500, 500]);
    mend();
    await order(id, 'rollback');
    await untilPhase(id, 'rolledBack');
  });
});

describe('routers are down', () => {
  test('one of two: the release holds and names it; the way back empties the other at once and ends when it is back', async () => {
    const id = await standing('router');
    cutOff('west');
    expect((await order(id, 'promote')).status).toBe(200);
    const held = await until(
      () => release(id),
      ({ hold }) => hold?.reason === 'router',
    );
    expect(held['phase'].kind).toBe('shifting');
    expect(held['hold'].detail).toContain('router/west/router');
    expect(held['hold'].detail).toContain('connection refused');
    expect(held['sentence']).toMatch(/is held at .*: .*connection refused.*; traffic stays as it is; rolls back in /);
    expect(await health()).toEqual([200, 200]);
    expect((await order(id, 'rollback')).status).toBe(200);
    expect(
      await until(
        () => served('router'),
        ([east]) => east === 0,
      ),
    ).toEqual([0, null]);
    expect(await release(id)).toMatchObject({ phase: { kind: 'rollingBack' }, sentence: expect.stringContaining('west') });
    expect(await health()).toEqual([200, 200]);
    mend();
    await untilPhase(id, 'rolledBack');
    expect(await served('router')).toEqual([0, 0]);
  });

  test('all of them: nothing is raised, a rollback is taken and tried for as long as it takes', async () => {
    const id = await standing('routers');
    cutOff('east');
    cutOff('west');
    const held = await until(
      () => release(id),
      ({ hold }) => hold !== null,
    );
    expect(held).toMatchObject({ wantedBp: 500, hold: { reason: 'router' } });
    expect((await order(id, 'rollback')).status).toBe(200);
    await new Promise((done) => setTimeout(done, 2_500));
    expect(await release(id)).toMatchObject({ phase: { kind: 'rollingBack' }, wantedBp: 0 });
    expect(await health()).toEqual([200, 200]);
    mend();
    await untilPhase(id, 'rolledBack');
    expect(await served('routers')).toEqual([0, 0]);
  });
});

test('metrics are down: it holds and says so, goes on only for a person with a reason, and back for anybody', async () => {
  const provider = app.context.providers.get('edge');
  if (!provider) throw new Error('no provider');
  breaking(provider, {
    measure: async () => ({ kind: 'failed', at: app.context.clock.now(), detail: 'edge: connection refused' }),
  });
  const id = await standing('metrics', { minMeasurements: 1, hold: '1s', checks: ['errors'] });
  const held = await until(
    () => release(id),
    ({ hold }) => hold?.reason === 'provider',
  );
  expect(held).toMatchObject({ phase: { kind: 'watching' }, wantedBp: 500, verdict: 'error' });
  expect(held['sentence']).toContain('connection refused');
  expect(await health()).toEqual([200, 200]);
  expect((await order(id, 'promote')).status).toBe(409);
  expect((await order(id, 'promote', 'seen by hand that it is well')).status).toBe(200);
  await until(
    () => release(id),
    ({ wantedBp, phase }) => wantedBp === 5_000 && phase.kind === 'watching',
  );
  expect((await order(id, 'rollback')).status).toBe(200);
  await untilPhase(id, 'rolledBack');
});

test('the receiver of notices is down: everything goes on, and nothing is lost', async () => {
  receiverStatus = 503;
  const id = await standing('receiver');
  await order(id, 'rollback');
  await untilPhase(id, 'rolledBack');
  expect(await health()).toEqual([200, 200]);
  const mine = async (): Promise<Body[]> =>
    (await call('GET', '/v1/webhooks/deliveries?limit=200')).body['items'].filter(({ subject }: Body) => subject === id);
  const waiting = await until(mine, (rows) => rows.some(({ attempts }) => attempts > 0));
  expect(waiting.every(({ state }) => state === 'pending')).toBe(true);
  expect(waiting.find(({ attempts }) => attempts > 0)?.['detail']).toContain('book: the receiver answered 503');
  receiverStatus = 204;
});

test('the clock of the machine is set a day on: the page for readiness says so, and no hold or deadline is over for it', async () => {
  const id = await standing('clock');
  const real = Date.now;
  const day = vi.spyOn(Date, 'now').mockImplementation(() => real() + 86_400_000);
  try {
    expect(await health()).toEqual([200, 503]);
    expect((await call('GET', '/readyz')).body['problems']).toEqual([
      expect.stringMatching(/^the machine's clock was set by 86\d{3} s; Headgate follows it slowly$/),
    ]);
    await new Promise((done) => setTimeout(done, 2_500));
    expect(await release(id)).toMatchObject({ phase: { kind: 'watching' }, step: 1, hold: null, rollback: null });
    expect((await order(id, 'rollback')).status).toBe(200);
    await untilPhase(id, 'rolledBack');
  } finally {
    day.mockRestore();
  }
  expect(await health()).toEqual([200, 200]);
});

test('the console and its stream are gone: nobody who releases notices', async () => {
  const id = await standing('console');
  const readers = await Promise.all(
    Array.from({ length: 20 }, async () => app.fetch(new Request('http://headgate/v1/events?after=0'))),
  );
  breaking(app.context.store, {
    events: async () => {
      throw new StoreUnavailable('the database could not be used (SQLITE_IOERR)');
    },
  });
  // What they were sent ends, so that they come again; a page that does not ask for it costs nobody else anything.
  await Promise.all(readers.slice(0, 10).map(async (answer) => answer.text()));
  expect(warned.filter((message) => message === 'a stream of events ended before its reader left').length).toBeGreaterThan(9);
  expect(await health()).toEqual([200, 200]);
  expect((await order(id, 'rollback')).status).toBe(200);
  await untilPhase(id, 'rolledBack');
  mend();
  await Promise.all(readers.slice(10).map(async (answer) => answer.body?.cancel()));
});

/** The last one: loops that wait for an answer that never comes do not come back. */
test('the loops stand still: that is what the page for liveness is for; a rollback is obeyed all the same', async () => {
  const id = await standing('loops');
  const never = (): Promise<never> => new Promise(() => {});
  breaking(app.context.store, { claimDue: never, claimDueTargets: never, claimOutbox: never });
  await new Promise((done) => setTimeout(done, 2_500));
  expect(await health()).toEqual([200, 200]);
  const real = performance.now.bind(performance);
  const later = vi.spyOn(performance, 'now').mockImplementation(() => real() + 31_000);
  try {
    expect((await call('GET', '/healthz')).status).toBe(503);
    expect((await call('GET', '/healthz')).body['problems']).toEqual(['the scheduler has not come round for too long']);
    expect((await order(id, 'rollback')).status).toBe(200);
    expect(
      await until(
        () => served('loops'),
        (shares) => shares.every((share) => share === 0),
      ),
    ).toEqual([0, 0]);
  } finally {
    later.mockRestore();
  }
});
