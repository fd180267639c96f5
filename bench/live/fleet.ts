/** One HAProxy, one Prometheus and one Headgate for many services side by side, and users of all of them. */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { get, post, put, ready } from '../../test/e2e/harness.ts';
import { freePort, scratch, start, until } from '../../test/real/programs.ts';
import { realPrometheus } from '../../test/real/prometheus.ts';
import type { CrowdCount, CrowdWish } from './crowd.ts';
import type { ShopsMessage, ShopsReady, ShopWish } from './shops.ts';

export type Fleet = {
  /** Starts the release of every shop; their ids, in the order of the shops. */
  release(): Promise<readonly string[]>;
  state(id: string): Promise<any>;
  behave(message: ShopsMessage): void;
  counts(): Promise<readonly CrowdCount[]>;
  close(): Promise<void>;
};

export type FleetWish = {
  readonly shops: readonly ShopWish[];
  readonly perSecond: number;
  /** What follows `name` and `service` in each plan. */
  readonly plan: string;
  readonly seed: number;
};

export async function fleet({ shops, perSecond, plan, seed }: FleetWish): Promise<Fleet> {
  const { dir, remove } = scratch('fleet');
  const applications = beside('shops.ts', { shops, seed });
  const [made] = (await once(applications, 'message')) as [ShopsReady];
  const fronts: number[] = [];
  for (const _ of shops) fronts.push(await freePort());
  const socket = join(dir, 'ctl.sock');
  const map = join(dir, 'weights.map');
  writeFileSync(map, shops.map(({ name }) => `${name} 0\n`).join(''));
  writeFileSync(join(dir, 'haproxy.cfg'), haproxyText(shops, { made, fronts, socket, map }));
  const haproxy = start('haproxy', ['-db', '-f', join(dir, 'haproxy.cfg')]);
  const prometheus = await realPrometheus({ targets: [`127.0.0.1:${made.metrics}`], scrapeEvery: '5s' });
  const port = await freePort();
  const api = `http://127.0.0.1:${port}`;
  const config = join(dir, 'headgate.yaml');
  writeFileSync(config, configText(shops, { port, socket, map, database: join(dir, 'h.db'), prometheus: prometheus.url }));
  const service = spawn(process.execPath, ['src/main.ts', 'serve', '--dev', '--config', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, HEADGATE_LOG: 'silent' },
  });
  await ready(api, service);
  for (const { name } of shops) {
    await put(`${api}/v1/services/${name}/stable`, { version: 'v1' });
    await post(`${api}/v1/plans`, { document: `name: ${name}\nservice: ${name}\n${plan}` });
  }
  const crowd = beside('crowd.ts', { ports: fronts, perSecond } satisfies CrowdWish);
  // Stable has been in use for a while when a release begins.
  await sleep(30_000);
  return {
    async release() {
      const ids: string[] = [];
      for (const { name } of shops) {
        const answer = await post(`${api}/v1/releases`, { plan: name, version: 'v2' });
        if (answer.status !== 201) throw new Error(`no release of ${name}: ${JSON.stringify(answer.body)}`);
        ids.push(answer.body.id);
      }
      return ids;
    },
    state: async (id) => (await get(`${api}/v1/releases/${id}`)).body,
    behave: (message) => void applications.send(message),
    async counts() {
      crowd.send('counts');
      const [counts] = (await once(crowd, 'message')) as [readonly CrowdCount[]];
      return counts;
    },
    async close() {
      crowd.kill('SIGKILL');
      service.kill('SIGTERM');
      await until('the end of the service', () => service.exitCode !== null || service.signalCode !== null);
      await haproxy.kill('SIGKILL');
      await prometheus.close();
      applications.kill('SIGKILL');
      remove();
    },
  };
}

/** A process of its own, which is told what it needs by its argument. */
const beside = (file: string, wish: object): ChildProcess => fork(new URL(file, import.meta.url), [JSON.stringify(wish)]);

type Places = { readonly made: ShopsReady; readonly fronts: readonly number[]; readonly socket: string; readonly map: string };

const haproxyText = (shops: readonly ShopWish[], { made, fronts, socket, map }: Places): string => `global
    stats socket ${socket} mode 660 level admin
defaults
    mode http
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    timeout connect 2s
    timeout client 300s
    timeout server 30s
${shops
  .map(
    ({ name }, index) => `frontend ${name}
    bind 127.0.0.1:${fronts[index]}
    http-request set-var(txn.second) str(${name}),map_str_int(${map},0),mod(100000)
    http-request set-var(txn.draw) rand(10000),sub(txn.second)
    use_backend ${name}_green if { var(txn.draw) -m int lt 0 }
    default_backend ${name}_blue
backend ${name}_blue
    server blue1 127.0.0.1:${made.ports[index]?.blue}
backend ${name}_green
    server green1 127.0.0.1:${made.ports[index]?.green}
`,
  )
  .join('')}`;

type Config = {
  readonly port: number;
  readonly socket: string;
  readonly map: string;
  readonly database: string;
  readonly prometheus: string;
};

const configText = (
  shops: readonly ShopWish[],
  { port, socket, map, database, prometheus }: Config,
): string => `server: { listen: 127.0.0.1:${port} }
store: { sqlite: ${database}, reserveMb: 1 }
settings: { settleMin: 5s }
routers:
  front:
    type: haproxy
    nodes: [unix:${socket}]
    map: ${map}
    bootFile: ${map}
    routes:
${shops.map(({ name }) => `      ${name}: { slots: { blue: { backend: ${name}_blue }, green: { backend: ${name}_green } } }`).join('\n')}
providers:
  prom:
    type: prometheus
    url: ${prometheus}
    labels: { service: service }
    checks: { errors: { kind: ratio, bad: 'http_requests_total{code=~"5.."}', total: http_requests_total } }
services:
${shops.map(({ name }) => `  ${name}: { provider: prom, targets: [{ router: front, route: ${name}, slots: [blue, green] }] }`).join('\n')}
`;
