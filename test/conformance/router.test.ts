/** The routers there are, held against the suite; broken ones, each of which a case must catch; and what only the edge does. */
import { request } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { client } from '../../src/adapters/outgoing/client.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { edge } from '../../src/adapters/traffic/edge/edge.ts';
import type { Edge } from '../../src/adapters/traffic/edge/edge.ts';
import { edgeOptions } from '../../src/adapters/traffic/edge/options.ts';
import { edgeTable, routeFor } from '../../src/adapters/traffic/edge/table.ts';
import { ofrep } from '../../src/adapters/traffic/ofrep/ofrep.ts';
import { ofrepOptions } from '../../src/adapters/traffic/ofrep/options.ts';
import { memoryRouter } from '../../src/adapters/traffic/memory.ts';
import { assignSticky } from '../../src/domain/assign.ts';
import { Instant, Weight } from '../../src/domain/ids.ts';
import { prng } from '../../src/lib/prng.ts';
import { ok } from '../../src/lib/result.ts';
import type { Route, TrafficRouter } from '../../src/ports/traffic-router.ts';
import { routerCases } from './router.suite.ts';
import type { RouterSubject } from './router.suite.ts';
import { agent, backend, closeAtEnd, sender, suite, urlOf, visit } from './router-run.ts';

const route: Route = { name: 'app', slots: ['blue', 'green'] };
const signal = new AbortController().signal;

const memory = async (): Promise<RouterSubject> => {
  const router = memoryRouter({ name: 'memory', nodes: ['n1', 'n2'], routes: ['app'] });
  return {
    router,
    route,
    send: null,
    edit: (share, seq) => router.controls.edit('n1', 'app', share, seq),
    restart: () => router.controls.restart('n1'),
  };
};

/** An answer that is begun and not ended until a test says so. */
const held = { end: (): void => {} };
const echo = (name: string) => (asked: IncomingMessage, answer: import('node:http').ServerResponse) => {
  if (asked.url === '/stream') {
    answer.write('first ');
    held.end = () => answer.end('last');
  } else if (asked.url === '/slow') setTimeout(() => answer.end(name), 300);
  else if (asked.url === '/fail') answer.writeHead(503).end();
  else if (asked.method === 'POST') {
    let bytes = 0;
    asked.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => answer.end(String(bytes)));
  } else answer.end(name);
};

async function openEdge(
  greenUrl?: string,
  more: object = { overrideHeader: 'x-headgate-slot' },
): Promise<{ edge: Edge; url: string; blue: Server }> {
  const blue = await backend(echo, 'blue');
  const green = greenUrl ?? urlOf(await backend(echo, 'green'));
  const options = edgeOptions.parse({
    type: 'edge',
    listen: '127.0.0.1:0',
    routes: { app: { slots: { blue: { url: urlOf(blue) }, green: { url: green } }, sticky: { header: 'x-user' }, ...more } },
  });
  const random = prng(42);
  const made = edge('front', options, {
    clock: systemClock(),
    random: { next: random, id: () => 'boot-1' },
    send: client({ timeoutMs: 5_000 }),
  });
  const url = await made.start([{ route: 'app', slots: route.slots, secondShare: Weight(0), seq: 0 }]);
  closeAtEnd(() => made.close());
  return { edge: made, url, blue };
}

suite('memory', memory);
suite('edge', async () => {
  const opened = await openEdge();
  return { router: opened.edge, route, send: sender(opened.url), edit: null, restart: null };
});

suite('ofrep', async () => {
  const router = ofrep('flags', ofrepOptions.parse({ type: 'ofrep', routes: { app: {} } }), 'boot-1');
  const random = prng(7);
  return {
    router,
    route,
    // Whoever names nobody is somebody else every time.
    async send(count, headers = {}) {
      const bySlot: Record<string, number> = {};
      for (let done = 0; done < count; done++) {
        const share = router.entry('app')?.secondShare ?? Weight(0);
        const slot = route.slots[assignSticky('app', headers['x-user'] ?? String(random()), share)];
        bySlot[slot] = (bySlot[slot] ?? 0) + 1;
      }
      return { bySlot, failed: 0 };
    },
    edit: null,
    restart: null,
  };
});

describe('routers that are wrong', () => {
  const broken: readonly (readonly [string, string, (router: TrafficRouter) => Partial<TrafficRouter>])[] = [
    [
      'acknowledges without doing',
      'shows what it was told, and by which write',
      (router) => ({ apply: async ({ route: at }) => ok({ changed: true, nodes: await nodes(router, at) }) }),
    ],
    [
      'forgets the fence',
      'refuses a write that is older than one it has seen, and leaves everything',
      (router) => ({ apply: (write, at) => router.apply({ ...write, seq: write.seq + 100 }, at) }),
    ],
    [
      'rounds a little to nothing',
      'quantises so that nothing and everything are exact, and little is never nothing',
      () => ({ quantize: (_, share) => Weight(Math.round(share / 100) * 100) }),
    ],
    [
      'takes any number',
      'refuses shares that are none',
      (router) => ({
        apply: (write, at) =>
          router.apply({ ...write, secondShare: Weight(Math.min(10_000, Math.max(0, Math.round(write.secondShare) || 0))) }, at),
      }),
    ],
    [
      'ignores that it was cancelled',
      'writes nothing once the call was cancelled',
      (router) => ({ apply: (write) => router.apply(write, signal) }),
    ],
    [
      'reads its own memory',
      'shows what somebody else did to it, and is put right by the same write',
      (router) => ({ read: async (at) => ok((await nodes(router, at)).map((node) => ({ ...node, secondShare: Weight(500) }))) }),
    ],
    [
      'cuts off the wrong slot',
      'cuts a slot off at once, whichever it is',
      (router) => ({ cutOff: (at, slot, seq, when) => router.cutOff(at, slot === 'blue' ? 'green' : 'blue', seq, when) }),
    ],
  ];
  async function nodes(router: TrafficRouter, at: Route) {
    const read = await router.read(at, signal);
    return read.ok ? read.value : [];
  }
  it.each(broken)('%s: caught by "%s"', async (_what, caught, change) => {
    const subject = await memory();
    const wrong = { ...subject, router: { ...subject.router, ...change(subject.router) } };
    await expect(routerCases.find(({ name }) => name === caught)?.run(wrong)).rejects.toThrow();
  });
});

describe('memory router with several nodes', () => {
  it('raises all of them or none', async () => {
    const router = memoryRouter({ name: 'm', nodes: ['n1', 'n2'], routes: ['app'] });
    router.controls.setUp('n2', false);
    expect(await router.apply({ route, secondShare: Weight(500), seq: 1, direction: 'raise' }, signal)).toMatchObject({
      ok: false,
      error: { kind: 'unreachable', detail: 'n2: connection refused; nothing was written' },
    });
    expect(await router.read(route, signal)).toMatchObject({
      ok: true,
      value: [
        { node: 'n1', secondShare: 0 },
        { node: 'n2', reachable: false },
      ],
    });
  });

  it('lowers every one that answers, and names the rest', async () => {
    const router = memoryRouter({ name: 'm', nodes: ['n1', 'n2'], routes: ['app'] });
    await router.apply({ route, secondShare: Weight(500), seq: 1, direction: 'raise' }, signal);
    router.controls.setUp('n2', false);
    expect(await router.cutOff(route, 'green', 2, signal)).toMatchObject({
      ok: false,
      error: { kind: 'unreachable', detail: expect.stringContaining('n2') },
    });
    expect(await router.read(route, signal)).toMatchObject({
      ok: true,
      value: [
        { node: 'n1', secondShare: 0 },
        { node: 'n2', reachable: false },
      ],
    });
  });
});

describe('the edge', () => {
  it('counts what each slot answered: requests, errors, and how long they took', async () => {
    const { edge: made, url } = await openEdge();
    await made.apply({ route, secondShare: Weight(10_000), seq: 1, direction: 'raise' }, signal);
    await sender(url)(30);
    for (let n = 0; n < 5; n++) await visit(`${url}/fail`);
    const green = made.counts('app')?.slots.get('green');
    expect(green).toMatchObject({ requests: 35, errors: 5, aborted: 0 });
    expect(green?.buckets.reduce((sum, count) => sum + count, 0)).toBe(35);
    expect(made.counts('app')?.slots.get('blue')).toMatchObject({ requests: 0 });
  });

  it('counts nobody who asked for a slot, and lets nobody ask unless it was told by which header', async () => {
    const asking = { 'x-headgate-slot': 'green' };
    const open = await openEdge();
    expect(await sender(open.url)(10, asking)).toEqual({ bySlot: { green: 10 }, failed: 0 });
    for (const slot of ['blue', 'green']) expect(open.edge.counts('app')?.slots.get(slot)).toMatchObject({ requests: 0 });
    const shut = await openEdge(undefined, {});
    expect(shut.edge.capabilities.headerOverride).toBe(false);
    expect(await sender(shut.url)(10, asking)).toEqual({ bySlot: { blue: 10 }, failed: 0 });
    expect(shut.edge.counts('app')?.slots.get('blue')).toMatchObject({ requests: 10 });
  });

  it('takes the most particular route: who names the host first, then the longest path', () => {
    const slots = { blue: { url: 'http://127.0.0.1:1' }, green: { url: 'http://127.0.0.1:2' } };
    const routes = {
      all: { slots, match: { path: '/a/long/path' } },
      pay: { slots, match: { host: 'pay.local' } },
      cart: { slots, match: { host: 'pay.local', path: '/cart' } },
      rest: { slots },
    };
    const table = edgeTable(edgeOptions.parse({ type: 'edge', listen: '127.0.0.1:0', routes }), Instant(0));
    const at = (host: string, path: string) => routeFor(table, { host, path, header: () => null })?.name;
    expect([at('pay.local', '/a/long/path'), at('pay.local', '/cart/1'), at('x', '/a/long/path/1'), at('x', '/')]).toEqual([
      'pay',
      'cart',
      'all',
      'rest',
    ]);
  });

  it('answers 502 and counts an error of the slot that is down, and asks no other', async () => {
    const { edge: made, url } = await openEdge('http://127.0.0.1:9');
    await made.apply({ route, secondShare: Weight(10_000), seq: 1, direction: 'raise' }, signal);
    const answer = await visit(url);
    expect(answer).toMatchObject({ status: 502, slot: 'green', body: expect.stringContaining('the slot green did not answer') });
    expect(made.counts('app')?.slots.get('green')).toMatchObject({ requests: 1, errors: 1 });
    expect(made.counts('app')?.slots.get('blue')).toMatchObject({ requests: 0 });
  });

  it.each([
    ['is not there', () => Promise.resolve('http://127.0.0.1:9'), 'ECONNREFUSED'],
    ['answers nothing', async () => urlOf(await backend(() => () => {}, 'green')), 'no answer in time'],
  ])('says in words before a release that a slot %s', async (_, green, detail) => {
    const { edge: made } = await openEdge(await green());
    const found = await made.preflight(route, AbortSignal.timeout(100));
    expect(found).toMatchObject({ value: { slots: [{ healthy: true }, { slot: 'green', healthy: false, detail }] } });
  });

  it('does not hold a client that leaves against the slot', async () => {
    const { edge: made, url } = await openEdge();
    const left = request(`${url}/slow`, { agent });
    left.on('error', () => {});
    left.end();
    await new Promise((done) => setTimeout(done, 100));
    left.destroy();
    await expect.poll(() => made.counts('app')?.slots.get('blue')?.aborted).toBe(1);
    expect(made.counts('app')?.slots.get('blue')).toMatchObject({ requests: 0, errors: 0 });
  });

  it('keeps requests that are under way through changes of the weight', async () => {
    const { edge: made, url } = await openEdge();
    const slow = Array.from({ length: 20 }, () => visit(`${url}/slow`));
    for (let seq = 1; seq <= 5; seq++) {
      await made.apply({ route, secondShare: Weight(seq % 2 === 0 ? 0 : 10_000), seq, direction: 'raise' }, signal);
      await new Promise((done) => setTimeout(done, 30));
    }
    expect((await Promise.all(slow)).every(({ status }) => status === 200)).toBe(true);
  });

  it('fails nobody in 200 changes under load, with connections kept or closed', async () => {
    const { edge: made, url } = await openEdge();
    const load = { isDone: false };
    const visits = (async () => {
      const statuses: number[] = [];
      while (!load.isDone)
        statuses.push(
          ...(await Promise.all(Array.from({ length: 10 }, (_each, n) => visit(url, {}, { close: n < 3 })))).map(
            ({ status }) => status,
          ),
        );
      return statuses;
    })();
    for (let seq = 1; seq <= 200; seq++) {
      await made.apply({ route, secondShare: Weight((seq * 37) % 10_001), seq, direction: 'raise' }, signal);
      await new Promise((done) => setTimeout(done, 2));
    }
    load.isDone = true;
    const statuses = await visits;
    expect(statuses.length).toBeGreaterThan(100);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });

  it('passes a stream on as it comes, and a large body whole', async () => {
    const { url } = await openEdge();
    const first = await new Promise<string>((resolve) => {
      request(`${url}/stream`, { agent }, (answer) => answer.once('data', (chunk: Buffer) => resolve(chunk.toString()))).end();
    });
    // It is here although the slot has not finished its answer.
    expect(first).toBe('first ');
    held.end();
    expect((await visit(url, {}, { method: 'POST', body: Buffer.alloc(5_000_000) })).body).toBe('5000000');
  });

  it('passes websockets through', async () => {
    const { edge: made, url, blue } = await openEdge();
    const sockets = new WebSocketServer({ server: blue });
    sockets.on('connection', (socket) => socket.on('message', (text) => socket.send(`heard ${text.toString()}`)));
    const socket = new WebSocket(url.replace('http', 'ws'));
    const heard = await new Promise<string>((resolve, reject) => {
      socket.on('open', () => socket.send('hello'));
      socket.on('message', (text) => resolve(text.toString()));
      socket.on('error', reject);
    });
    expect(heard).toBe('heard hello');
    expect(made.counts('app')?.slots.get('blue')?.upgrades).toBe(1);
    socket.terminate();
    sockets.close();
  });
});
