/** A small web app to release: it answers, sometimes slowly, sometimes with an error, as its version is told to. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { assert } from '../lib/assert.ts';

export type Shop = {
  readonly url: string;
  /** Deploys another version into the same place: how often it fails, and how long it takes, in ms. */
  deploy(version: string, behaviour: ShopBehaviour): void;
  close(): Promise<void>;
};

export type ShopBehaviour = { readonly errorShare: number; readonly medianMs: number };

export async function openShop(version: string, behaviour: ShopBehaviour, random: () => number): Promise<Shop> {
  let current = { version, behaviour };
  const server = createServer((request, response) => {
    const { version: served, behaviour: now } = current;
    response.setHeader('x-version', served);
    if (request.url === '/healthz') return void response.end('ok');
    // Most answers are near the median, a few take several times as long: the shape real latencies have.
    const ms = now.medianMs * (0.6 + 0.8 * random() + (random() < 0.03 ? 4 * random() : 0));
    setTimeout(() => {
      if (random() < now.errorShare) response.statusCode = 500;
      response.end(response.statusCode === 500 ? 'something broke' : `welcome to the shop, version ${served}`);
    }, ms);
    return undefined;
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert(isTcp(address), 'the shop listens on a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    deploy(next, changed) {
      current = { version: next, behaviour: changed };
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const isTcp = (address: string | AddressInfo | null): address is AddressInfo => typeof address === 'object' && address !== null;
