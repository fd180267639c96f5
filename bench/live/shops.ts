/**
 * Many small applications in one process, each in two versions: they answer with errors at a share that can be set, and one
 * page of metrics tells of all of them, as a fleet of exporters would.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { prng } from '../../src/lib/prng.ts';

export type ShopWish = { readonly name: string; readonly stable: number; readonly canary: number };
export type ShopsReady = {
  readonly metrics: number;
  readonly ports: readonly { readonly blue: number; readonly green: number }[];
};
/** The share of errors of both versions of one shop from now on. */
export type ShopsMessage = ShopWish;

const { shops: wishes, seed } = JSON.parse(process.argv[2] ?? '{}') as { shops: readonly ShopWish[]; seed: number };
const random = prng(seed);
const shops = wishes.map((wish) => ({
  ...wish,
  v1: { well: 0, failed: 0 },
  v2: { well: 0, failed: 0 },
}));

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  server.keepAliveTimeout = 300_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const ports = await Promise.all(
  shops.map(async (shop) => {
    const serve =
      (version: 'v1' | 'v2', share: () => number): RequestListener =>
      (request, answer) => {
        if (request.url === '/healthz') return void answer.end();
        const isError = random() < share();
        shop[version][isError ? 'failed' : 'well']++;
        answer.writeHead(isError ? 500 : 200, { 'x-version': version }).end('ok');
      };
    return { blue: await listen(serve('v1', () => shop.stable)), green: await listen(serve('v2', () => shop.canary)) };
  }),
);

const metrics = await listen((_, answer) => {
  const lines = shops.flatMap(({ name, ...shop }) =>
    (['v1', 'v2'] as const).flatMap((version) => [
      `http_requests_total{service="${name}",version="${version}",code="200"} ${shop[version].well}`,
      `http_requests_total{service="${name}",version="${version}",code="500"} ${shop[version].failed}`,
    ]),
  );
  answer.setHeader('content-type', 'text/plain; version=0.0.4').end(`${lines.join('\n')}\n`);
});

process.on('message', (message: ShopsMessage) => {
  const shop = shops.find(({ name }) => name === message.name);
  if (shop) Object.assign(shop, { stable: message.stable, canary: message.canary });
});
process.send?.({ metrics, ports } satisfies ShopsReady);
