/** The reverse proxy of the edge: one request, one slot, no second try, so that what a user sees is what is counted. */
import { Agent, createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyServer } from 'httpxy';
import { assert } from '../../../lib/assert.ts';
import { countAnswer, slotCounts } from './counters.ts';
import type { SlotCounts } from './counters.ts';
import type { EdgeOptions } from './options.ts';
import { routeFor, slotFor } from './table.ts';
import type { Asking, EdgeTable } from './table.ts';

export type EdgeServer = {
  listen(): Promise<string>;
  close(graceMs: number): Promise<void>;
};

export type EdgeServerDeps = {
  readonly random: () => number;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
};

/** Answers begun before a shutdown may end within the grace; keep-alive outlives what load balancers in front use. */
const KEEP_ALIVE_MS = 75_000;

export function edgeServer(table: EdgeTable, options: EdgeOptions, deps: EdgeServerDeps): EdgeServer {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  const proxy = createProxyServer({ agent, xfwd: true, ws: true, proxyTimeout: options.upstreamTimeoutMs });
  const server = createServer((request, response) => void pass(request, response));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => void upgrade(request, socket, head));

  const choose = (request: IncomingMessage) => {
    const asking = askingOf(request);
    const entry = routeFor(table, asking);
    if (!entry) return null;
    const { slot, byName } = slotFor(entry, asking, deps.random);
    const url = entry.options.slots[slot]?.url;
    const counts = byName ? slotCounts() : entry.counts.slots.get(slot);
    return url && counts ? { slot, url, counts } : null;
  };

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chosen = choose(request);
    if (!chosen) return problem(response, 404, 'no route of this edge takes this request');
    const startedMs = deps.monotonicMs();
    response.setHeader('x-headgate-slot', chosen.slot);
    let failed = false;
    response.once('close', () => {
      const ms = deps.monotonicMs() - startedMs;
      if (!failed && !response.writableFinished) chosen.counts.aborted += 1;
      else countAnswer(chosen.counts, { failed: failed || response.statusCode >= 500, ms });
    });
    try {
      await proxy.web(request, response, { target: chosen.url });
    } catch (error) {
      if (response.destroyed) return undefined; // the client left: nobody's error
      failed = true;
      problem(response, 502, `the slot ${chosen.slot} did not answer (${codeOf(error)})`);
    }
    return undefined;
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const chosen = choose(request);
    if (!chosen || !isSocket(socket)) return void socket.destroy();
    socket.on('error', () => socket.destroy());
    try {
      chosen.counts.upgrades += 1;
      await proxy.ws(request, socket, { target: chosen.url }, head);
    } catch {
      countFailedUpgrade(chosen.counts);
      socket.destroy();
    }
    return undefined;
  }

  return {
    listen: () => listen(server, options.listen),
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([closed, deps.sleep(graceMs)]);
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, at: string): Promise<string> {
  const [host = '127.0.0.1', port = '0'] = at.split(':');
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`edge: cannot listen on ${at}: ${codeOf(error)}; is another program using it?`)),
    );
    server.listen(Number(port), host, resolve);
  });
  const address = server.address();
  assert(isTcp(address), 'an edge listens on a port');
  return `http://${host}:${address.port}`;
}

function problem(response: ServerResponse, status: number, detail: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(
    JSON.stringify({
      type: 'about:blank',
      title: status === 404 ? 'Not Found' : 'Bad Gateway',
      status,
      detail,
    }),
  );
  return undefined;
}

function askingOf(request: IncomingMessage): Asking {
  return {
    host: (request.headers.host ?? '').replace(/:\d+$/, ''),
    path: request.url ?? '/',
    header(name) {
      const value = request.headers[name.toLowerCase()];
      return typeof value === 'string' ? value : (value?.[0] ?? null);
    },
  };
}

function countFailedUpgrade(counts: SlotCounts): void {
  counts.requests += 1;
  counts.errors += 1;
}

const isSocket = (socket: Duplex): socket is Socket => 'setKeepAlive' in socket;
const isTcp = (address: string | AddressInfo | null): address is AddressInfo => typeof address === 'object' && address !== null;
const codeOf = (error: unknown): string =>
  error instanceof Error ? ('code' in error && typeof error.code === 'string' ? error.code : error.message) : String(error);
