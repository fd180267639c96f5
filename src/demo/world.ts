/** A world to look at the console in: three services in two slots each, people who use them, an edge before them, and Headgate. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonLog } from '../adapters/system/log.ts';
import { createApp } from '../app.ts';
import type { App } from '../app.ts';
import { parseConfig } from '../config.ts';
import { problemLine } from '../contract/problem.ts';
import { assert } from '../lib/assert.ts';
import { openShop } from './shop.ts';
import type { Shop, ShopBehaviour } from './shop.ts';
import { sendShoppers } from './shoppers.ts';

export const GOOD: ShopBehaviour = { errorShare: 0.004, medianMs: 25 };
export const BAD: ShopBehaviour = { errorShare: 0.12, medianMs: 60 };

const SERVICES = ['shop', 'checkout', 'search'] as const;

export type World = {
  readonly app: App;
  /** Where the API and the console are. */
  readonly url: string;
  readonly adminToken: string | null;
  readonly services: readonly string[];
  /** Deploys a version into the idle slot of a service, which is where the next release of it takes it from. */
  deploy(service: string, version: string, behaviour?: ShopBehaviour): Promise<void>;
  /** From now on what stands in the idle slot behaves like this. */
  behave(service: string, behaviour: ShopBehaviour): Promise<void>;
  close(): Promise<void>;
};

export type WorldOptions = {
  readonly folder: string;
  /** `HOST:PORT`; a free port of loopback when it is left out. */
  readonly listen?: string;
  readonly perSecond?: number;
  /** False: who asks has to prove who he is, and the world has an admin token. */
  readonly dev?: boolean;
  readonly more?: More;
};

/** What is configured beyond the usual, as YAML. */
type More = {
  /** Sections of their own, such as `notify:`. */
  readonly sections?: string;
  /** Providers beside the edge, a line each. */
  readonly providers?: readonly string[];
  /** Keys of every service, such as `notify: [team]`. */
  readonly service?: readonly string[];
};

export async function openWorld({
  folder,
  listen = '127.0.0.1:0',
  perSecond = 40,
  dev = true,
  more = {},
}: WorldOptions): Promise<World> {
  const slots = new Map<string, { readonly blue: Shop; readonly green: Shop }>();
  for (const name of SERVICES)
    slots.set(name, {
      blue: await openShop('1.0.0', GOOD, Math.random),
      green: await openShop('1.0.0', GOOD, Math.random),
    });
  const file = join(folder, 'world.db');
  const app = await createApp(configOf({ file, listen, dev, more }, slots), jsonLog({ level: 'silent' }));
  const url = await app.listen();
  const audit = { actor: 'demo', action: 'service.stable', reason: null, data: null };
  for (const name of SERVICES)
    await app.context.store.setStable(name, { slot: null, version: '1.0.0' }, { ...audit, subject: name });
  const shoppers = SERVICES.map((name) => sendShoppers(`${edgeOf(app)}/${name}`, perSecond));
  const idle = async (service: string): Promise<Shop> => {
    const pair = slots.get(service);
    assert(pair, `the world has a service ${service}`);
    return (await app.context.store.service(service))?.stableSlot === 'blue' ? pair.green : pair.blue;
  };
  const versions = new Map<string, string>();
  return {
    app,
    url,
    adminToken: dev ? null : readFileSync(`${file}.admin-token`, 'utf8').trim(),
    services: SERVICES,
    async deploy(service, version, behaviour = GOOD) {
      versions.set(service, version);
      (await idle(service)).deploy(version, behaviour);
    },
    async behave(service, behaviour) {
      (await idle(service)).deploy(versions.get(service) ?? '1.0.0', behaviour);
    },
    async close() {
      for (const each of shoppers) each.stop();
      await app.close(3_000);
      for (const { blue, green } of slots.values()) await Promise.all([blue.close(), green.close()]);
    },
  };
}

type Place = { readonly file: string; readonly listen: string; readonly dev: boolean; readonly more: More };

function configOf(
  { file, listen, dev, more: { sections = '', providers = [], service = [] } }: Place,
  slots: ReadonlyMap<string, { readonly blue: Shop; readonly green: Shop }>,
) {
  const routes = [...slots].map(
    ([name, { blue, green }]) =>
      `      ${name}: { match: { path: /${name} }, slots: { blue: { url: ${blue.url}, health: /healthz }, green: { url: ${green.url}, health: /healthz } } }`,
  );
  const services = [...slots.keys()].map(
    (name) =>
      `  ${name}: { ${['provider: edge', 'team: storefront', 'environment: production', ...service].join(', ')}, targets: [{ router: front, route: ${name} }] }`,
  );
  const text = `server: { listen: ${JSON.stringify(listen)} }
store: { sqlite: ${JSON.stringify(file)} }
settings: { settleMin: 2s, reconcileEvery: 1s }
routers:
  front:
    type: edge
    listen: 127.0.0.1:0
    routes:
${routes.join('\n')}
providers:
${['edge: { type: edge, router: front }', ...providers].map((line) => `  ${line}`).join('\n')}
services:
${services.join('\n')}
${sections}`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev });
  if (!config.ok) throw new Error(config.error.map((problem) => problemLine('world', problem)).join('\n'));
  return config.value;
}

function edgeOf(app: App): string {
  const router = app.context.routers.get('front');
  assert(router && 'address' in router && typeof router.address === 'function', 'the world has an edge');
  return String(router.address());
}
