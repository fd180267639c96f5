/** The play itself: the stage is set, two releases are started over the API as a pipeline would, and each is told to its end. */
import { join } from 'node:path';
import { jsonLog } from '../adapters/system/log.ts';
import { createApp } from '../app.ts';
import type { App } from '../app.ts';
import { client } from '../cli/client.ts';
import type { Client } from '../cli/client.ts';
import { errorText } from '../cli/output.ts';
import { parseConfig } from '../config.ts';
import { problemLine } from '../contract/problem.ts';
import type { Release } from '../domain/release.ts';
import { assert } from '../lib/assert.ts';
import { openShop } from './shop.ts';
import type { Shop, ShopBehaviour } from './shop.ts';
import { sendShoppers } from './shoppers.ts';
import type { Shoppers } from './shoppers.ts';
import { tell } from './story.ts';

export type DemoOptions = {
  readonly folder: string;
  readonly once: boolean;
  readonly out: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  write(file: string, text: string): void;
};

const SHOPPERS_PER_SECOND = 150;
const GOOD: ShopBehaviour = { errorShare: 0.004, medianMs: 25 };
const BAD: ShopBehaviour = { errorShare: 0.12, medianMs: 60 };

const PLAN = `name: shop-demo
service: shop
interval: 1s
hold: 5s
steps: [5%, 25%, 50%]
bake: { for: 5s, holdBack: 10% }
checks:
  errors: { kind: ratio, minRequests: 20, hardMax: 50% }
  latency: { kind: latency, minRequests: 20, tolerance: 100% }
`;

/** True when the good release was promoted and the bad one taken back. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { folder, out, signal } = options;
  const blue = await openShop('1.0.0', GOOD, Math.random);
  const green = await openShop('1.0.0', GOOD, Math.random);
  const app = await openApp(join(folder, 'demo.db'), { blue, green });
  const edgeUrl = await edgeAddress(app);
  const shoppers = sendShoppers(edgeUrl, SHOPPERS_PER_SECOND);
  try {
    const api = await app.listen();
    const calls = client({ server: api, actor: 'ci:demo', token: null, fetch });
    await fetch(`${api}/v1/services/shop/stable`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': '*' },
      body: JSON.stringify({ version: '1.0.0' }),
    });
    options.write('plan.yaml', PLAN);
    out.write(
      `A shop runs version 1.0.0 at ${edgeUrl}, and ${SHOPPERS_PER_SECOND} people a second use it. Headgate listens at ${api}.\n\n`,
    );
    const play: Play = { app, calls, shoppers, out, signal, slots: { blue, green } };
    const good = await act(play, {
      title: 'Version 1.1.0 is a good one.',
      version: '1.1.0',
      behaviour: GOOD,
    });
    const bad = signal.aborted
      ? null
      : await act(play, {
          title: 'Version 1.2.0 is a bad one: one request in eight fails, and it is slow.',
          version: '1.2.0',
          behaviour: BAD,
        });
    const asExpected = good?.phase.kind === 'promoted' && bad?.phase.kind === 'rolledBack';
    if (!signal.aborted) epilogue(out, { api, folder, once: options.once, shoppers, asExpected });
    if (!options.once && !signal.aborted) {
      out.write('It goes on running; Ctrl-C ends it.\n');
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    return asExpected;
  } finally {
    shoppers.stop();
    await app.close(3_000);
    await Promise.all([blue.close(), green.close()]);
  }
}

type Play = {
  readonly app: App;
  readonly calls: Client;
  readonly shoppers: Shoppers;
  readonly out: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  readonly slots: { readonly blue: Shop; readonly green: Shop };
};

type Act = { readonly title: string; readonly version: string; readonly behaviour: ShopBehaviour };

/** Deploys a version into the idle slot, starts its release, and follows it. */
async function act(
  { app, calls, shoppers, out, signal, slots }: Play,
  { title, version, behaviour }: Act,
): Promise<Release | null> {
  const service = await app.context.store.service('shop');
  (service?.stableSlot === 'blue' ? slots.green : slots.blue).deploy(version, behaviour);
  out.write(`${title}\n$ headgate release start -f plan.yaml --version ${version}\n`);
  const started = await calls.start({ plan: PLAN, version }, `demo-${version}`);
  if (!started.ok) throw new Error(errorText(started.error));
  const before = shoppers.seen().get(version)?.errors ?? 0;
  const ended = await tell({ store: app.context.store, clock: app.context.clock, shoppers, out, signal }, started.value.id);
  const seen = shoppers.seen().get(version);
  if (ended && seen)
    out.write(`         ${seen.requests} requests were served by ${version}; ${seen.errors - before} of them failed.\n\n`);
  return ended;
}

type Epilogue = {
  readonly api: string;
  readonly folder: string;
  readonly once: boolean;
  readonly shoppers: Shoppers;
  readonly asExpected: boolean;
};

function epilogue(out: NodeJS.WriteStream, { api, folder, once, shoppers, asExpected }: Epilogue): void {
  const all = [...shoppers.seen().values()].reduce((sum, { requests }) => sum + requests, 0);
  const lost = shoppers.seen().get('nobody')?.requests ?? 0;
  out.write(
    asExpected
      ? 'The good release was promoted, the bad one was taken back.\n'
      : 'This is not how the story should have ended.\n',
  );
  out.write(`Of ${all} requests in all, ${lost} were not answered by any version: moving traffic costs nobody a request.\n\n`);
  const next = once
    ? [
        'npm run demo   without --once it goes on, with a live page',
        'README.md      the same with your own service, in five minutes',
      ]
    : [
        `${api}/             what runs, live`,
        `${api}/v1/releases  the same for programs`,
        `${api}/metrics      for Prometheus`,
        `${folder}/plan.yaml  the plan`,
      ];
  out.write(`Where to look next:\n${next.map((line) => `  ${line}\n`).join('')}`);
}

async function openApp(file: string, { blue, green }: { blue: Shop; green: Shop }): Promise<App> {
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${JSON.stringify(file)} }
settings: { settleMin: 3s, reconcileEvery: 1s }
routers:
  front: { type: edge, listen: 127.0.0.1:0, routes: { shop: { slots: { blue: { url: ${blue.url}, health: /healthz }, green: { url: ${green.url}, health: /healthz } } } } }
providers:
  edge: { type: edge, router: front }
services:
  shop: { provider: edge, targets: [{ router: front, route: shop }] }
`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
  if (!config.ok) throw new Error(config.error.map((problem) => problemLine('demo', problem)).join('\n'));
  return createApp(config.value, jsonLog({ level: 'silent' }));
}

async function edgeAddress(app: App): Promise<string> {
  const router = app.context.routers.get('front');
  assert(router && 'address' in router && typeof router.address === 'function', 'the demo has an edge');
  return String(router.address());
}
