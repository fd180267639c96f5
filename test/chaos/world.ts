/**
 * Everything a user of Headgate has, as real processes: HAProxy nodes, Prometheus, an application in two slots, people who
 * use it, a receiver of webhooks, and the service itself, with a proxy on each of its links that can be made bad.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prng } from '../../src/lib/prng.ts';
import { get, post, put, ready } from '../e2e/harness.ts';
import type { Answer } from '../e2e/harness.ts';
import { realHaproxy } from '../real/haproxy.ts';
import type { RealHaproxy } from '../real/haproxy.ts';
import { freePort, scratch, until } from '../real/programs.ts';
import { realPrometheus } from '../real/prometheus.ts';
import type { RealPrometheus } from '../real/prometheus.ts';
import { chaosApp } from './app.ts';
import type { Behaviour, ChaosApp } from './app.ts';
import { faultProxy } from './fault-proxy.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { observer } from './observer.ts';
import type { Observer } from './observer.ts';
import { users } from './users.ts';
import type { Users } from './users.ts';

export const GOOD: Behaviour = { errorShare: 0.001, ms: 3 };

export type ChaosWish = {
  readonly nodes?: number;
  readonly provider?: 'prometheus' | 'haproxy';
  readonly perSecond?: number;
  /** Named `chaos`. */
  readonly plan: string;
  readonly promotion?: string;
  readonly seed?: number;
  /** A directory for the database: a small file system, for example. */
  readonly storeDir?: string;
  readonly reserveMb?: number;
};

export type ChaosWorld = {
  readonly api: string;
  readonly database: string;
  readonly nodes: readonly RealHaproxy[];
  readonly prometheus: RealPrometheus | null;
  readonly blue: ChaosApp;
  readonly green: ChaosApp;
  readonly users: Users;
  readonly observer: Observer;
  readonly links: { readonly haproxy: FaultProxy; readonly metrics: FaultProxy; readonly webhook: FaultProxy };
  /** Ids of the events that the receiver has heard of. */
  readonly heard: readonly string[];
  readonly service: () => ChildProcess;
  startService(how?: {
    readonly env?: NodeJS.ProcessEnv;
    readonly args?: readonly string[];
    readonly command?: readonly string[];
  }): Promise<number>;
  killService(signal?: NodeJS.Signals): Promise<void>;
  /** Deploys a version into the slot that is free, and asks for its release; the answer of the API. */
  release(version: string, behaviour: Behaviour): Promise<Answer>;
  phaseOf(id: string): Promise<string>;
  untilPhase(id: string, phases: readonly string[], withinMs?: number): Promise<any>;
  close(): Promise<void>;
};

export async function chaosWorld(wish: ChaosWish): Promise<ChaosWorld> {
  const random = prng(wish.seed ?? 1);
  const { dir, remove } = scratch('chaos');
  const blue = await chaosApp('v0', GOOD, random);
  const green = await chaosApp('none', GOOD, random);
  const nodes = await Promise.all(
    Array.from({ length: wish.nodes ?? 2 }, () =>
      realHaproxy({ blue: blue.port, green: green.port }, 'map', join(dir, 'headgate.map')),
    ),
  );
  const targets = [blue, green].map(({ port }) => `127.0.0.1:${port}`);
  const prometheus = wish.provider === 'haproxy' ? null : await realPrometheus({ targets, scrapeEvery: '500ms' });
  const heard: string[] = [];
  const receiver = createServer((request, answer) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      heard.push(String(request.headers['webhook-id']));
      answer.end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const first = nodes[0]!;
  const links = {
    haproxy: await faultProxy({ path: first.socket.slice('unix:'.length) }),
    metrics: await faultProxy({ host: '127.0.0.1', port: Number(prometheus ? new URL(prometheus.url).port : 1) }),
    webhook: await faultProxy({ host: '127.0.0.1', port: (receiver.address() as AddressInfo).port }),
  };
  const apiPort = await freePort();
  const api = `http://127.0.0.1:${apiPort}`;
  const database = join(wish.storeDir ?? dir, 'headgate.db');
  const config = join(dir, 'headgate.yaml');
  writeFileSync(config, configText(wish, { apiPort, database, nodes, links, blue, green }));
  const crowd = users(
    nodes.map(({ port }) => port),
    wish.perSecond ?? 200,
  );
  const watcher = observer(nodes);
  let child: ChildProcess | null = null;
  const service = (): ChildProcess => {
    if (!child) throw new Error('the service was not started');
    return child;
  };

  return {
    api,
    database,
    nodes,
    prometheus,
    blue,
    green,
    users: crowd,
    observer: watcher,
    links,
    heard,
    service,
    async startService({ env = {}, args = [], command = [process.execPath] } = {}) {
      const startedMs = performance.now();
      const [program = process.execPath, ...before] = command;
      child = spawn(program, [...before, ...args, 'src/main.ts', 'serve', '--dev', '--config', config], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, HEADGATE_LOG: 'silent', ...env },
      });
      await ready(api, child);
      return performance.now() - startedMs;
    },
    async killService(signal = 'SIGKILL') {
      const old = service();
      if (old.exitCode !== null || old.signalCode !== null) return;
      const gone = once(old, 'exit');
      old.kill(signal);
      await gone;
    },
    async release(version, behaviour) {
      const { body } = await get(`${api}/v1/services/shop`);
      if (body.stableVersion === null) {
        await put(`${api}/v1/services/shop/stable`, { version: 'v0' });
        await post(`${api}/v1/plans`, { document: wish.plan });
      }
      const slot = body.stableSlot === 'blue' ? green : blue;
      slot.deploy(version, behaviour);
      if (prometheus) await sleep(700);
      return post(`${api}/v1/releases`, { plan: 'chaos', version });
    },
    phaseOf: async (id) => (await get(`${api}/v1/releases/${id}`)).body.phase?.kind ?? 'unknown',
    async untilPhase(id, phases, withinMs = 60_000) {
      let body: any = null;
      await until(
        `${id} to be ${phases.join(' or ')}`,
        async () => {
          body = (await get(`${api}/v1/releases/${id}`).catch(() => ({ body: {} }))).body;
          return phases.includes(body.phase?.kind);
        },
        withinMs,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}: it is ${body?.phase?.kind}, ${JSON.stringify(body?.hold ?? body)}`);
      });
      return body;
    },
    async close() {
      watcher.stop();
      if (child && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await crowd.stop();
      await Promise.all([links.haproxy.close(), links.metrics.close(), links.webhook.close()]);
      receiver.closeAllConnections();
      receiver.close();
      await Promise.all(nodes.map((node) => node.close()));
      await prometheus?.close();
      await Promise.all([blue.close(), green.close()]);
      remove();
    },
  };
}

type Parts = Pick<ChaosWorld, 'database' | 'nodes' | 'links' | 'blue' | 'green'> & { readonly apiPort: number };

const configText = (wish: ChaosWish, { apiPort, database, nodes, links, blue, green }: Parts): string =>
  `server: { listen: 127.0.0.1:${apiPort} }
store: { sqlite: ${database}, reserveMb: ${wish.reserveMb ?? 1} }
settings: { settleMin: 2s, reconcileEvery: 1s, readTimeout: 2s, applyTimeout: 3s, measureTimeout: 2s }
routers:
  front:
    type: haproxy
    nodes: [tcp:127.0.0.1:${links.haproxy.port}${nodes
      .slice(1)
      .map(({ socket }) => `, ${socket}`)
      .join('')}]
    map: ${nodes[0]?.map}
    bootFile: ${nodes[0]?.map}
    nodeTimeoutMs: 500
    routes:
      app:
        slots:
          blue: { fence: http://127.0.0.1:${blue.port}/fence }
          green: { fence: http://127.0.0.1:${green.port}/fence }
providers:
  prom:
    type: prometheus
    url: http://127.0.0.1:${links.metrics.port}
    timeoutMs: 1500
    shareMs: 200
    labels: { service: service }
    checks:
      errors: { kind: ratio, bad: 'http_requests_total{code=~"5.."}', total: http_requests_total }
      latency: { kind: latency, histogram: http_request_duration_seconds }
  counters: { type: haproxy, router: front }
notify:
  hook: { type: webhook, url: http://127.0.0.1:${links.webhook.port}/ }
services:
  shop:
    provider: ${wish.provider === 'haproxy' ? 'counters' : 'prom'}
    promotion: ${wish.promotion ?? 'swap'}
    notify: [hook]
    targets: [{ router: front, route: app, slots: [blue, green] }]
`;
