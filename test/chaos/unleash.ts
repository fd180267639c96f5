/**
 * One release that moves the weight of a real HAProxy and the percentage of a flag in a real Unleash, with one verdict and
 * one rollback. An act each: whoever has more to show of the two together adds one to the list.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prng } from '../../src/lib/prng.ts';
import { get, post, put, ready } from '../e2e/harness.ts';
import { realHaproxy } from '../real/haproxy.ts';
import type { RealHaproxy } from '../real/haproxy.ts';
import { freePort, scratch, until } from '../real/programs.ts';
import { realUnleash } from '../real/unleash.ts';
import type { RealUnleash } from '../real/unleash.ts';
import { chaosApp } from './app.ts';
import type { Behaviour, ChaosApp } from './app.ts';
import { users } from './users.ts';
import type { Users } from './users.ts';
import { GOOD } from './world.ts';

/** What is served, as HAProxy's own map and Unleash's own API say it. */
type Sighting = { readonly atMs: number; readonly weight: number | null; readonly percent: number | null };

export type FlagWorld = {
  readonly api: string;
  readonly unleash: RealUnleash;
  readonly haproxy: RealHaproxy;
  readonly blue: ChaosApp;
  readonly green: ChaosApp;
  readonly users: Users;
  readonly sightings: readonly Sighting[];
  /** The flag of the route from now on, and the slot that it is on for: what an operator writes before a release. */
  configure(flag: { readonly name: string; readonly on: 'blue' | 'green' }): void;
  restart(): Promise<void>;
  release(version: string, slot: ChaosApp, behaviour: Behaviour): Promise<string>;
  untilPhase(id: string, phases: readonly string[]): Promise<any>;
};

type Act = {
  readonly name: string;
  run(world: FlagWorld, tell: (line: string) => void, broken: (line: string) => void): Promise<void>;
};

const PEOPLE = Array.from({ length: 500 }, (_, index) => `user-${index}`);
const FEATURES = '/api/admin/projects/default/features';
/** What Unleash shows to be known by: it signs nothing. */
const HOOK_TOKEN = 'headgate-knows-this-token';
const PLAN = `name: chaos
service: shop
interval: 1s
minMeasurements: 2
hold: 4s
steps: [0.5%, 10%, 50%]
deadline: { after: 10m }
checks: { errors: { kind: ratio, offered: errors, minRequests: 10 } }
`;

const ACTS: readonly Act[] = [
  {
    name: 'a good version moves the weight and the flag together, to the end',
    async run(world, tell, broken) {
      await put(`${world.api}/v1/services/shop/stable`, { version: 'v0' });
      const saved = await post(`${world.api}/v1/plans`, { document: PLAN });
      tell(`the plan is saved: ${saved.status}; the flag counts in whole percent, so it waits at 0 % while 0.5 % is wanted`);
      const id = await world.release('v1', world.green, GOOD);
      for (const [step, weight, percent] of [
        [1, 50, 0],
        [2, 1_000, 10],
        [3, 5_000, 50],
      ] as const) {
        await until(`step ${step}`, async () => (await get(`${world.api}/v1/releases/${id}`)).body.step >= step, 60_000);
        await until(`${weight} and ${percent} %`, async () => {
          const now = await look(world, 'checkout-v2');
          return now.weight === weight && now.percent === percent;
        });
        await sleep(1_500); // Unleash's own evaluation takes over what was written.
        const { title } = await world.unleash.shown('checkout-v2');
        const on = await world.unleash.on('checkout-v2', PEOPLE);
        tell(
          `step ${step}: HAProxy at ${weight / 100} %, the flag at ${percent} % ("${title}"), ${on} of ${PEOPLE.length} users get it`,
        );
        if (Math.abs(on / PEOPLE.length - percent / 100) > 0.08) broken(`${on} of ${PEOPLE.length} users at ${percent} %`);
      }
      const end = await world.untilPhase(id, ['promoted', 'rolledBack']);
      const now = await look(world, 'checkout-v2');
      tell(`${end.sentence}; HAProxy at ${(now.weight ?? 0) / 100} %, the flag at ${now.percent} %`);
      if (end.phase.kind !== 'promoted' || now.weight !== 10_000 || now.percent !== 100) broken('the end is not everything');
    },
  },
  {
    name: 'the next release is told to name the next flag',
    async run(world, tell, broken) {
      const id = await world.release('v2', world.blue, GOOD);
      await until('the hold', async () => (await get(`${world.api}/v1/releases/${id}`)).body.hold !== null);
      const { hold } = (await get(`${world.api}/v1/releases/${id}`)).body;
      tell(hold.detail);
      if (!hold.detail.includes('needs the next flag')) broken(`it is held for something else: ${hold.detail}`);
      await post(`${world.api}/v1/releases/${id}/commands/rollback`, {});
      await world.untilPhase(id, ['rolledBack']);
      const now = await look(world, 'checkout-v2');
      if (now.percent !== 100 || now.weight !== 10_000) broken('what was released was moved');
    },
  },
  {
    name: 'a bad version is taken back from both, by one verdict',
    async run(world, tell, broken) {
      await world.unleash.createFlag('checkout-v3');
      world.configure({ name: 'checkout-v3', on: 'blue' });
      await world.restart();
      const id = await world.release('v3', world.blue, GOOD);
      await until('10 %', async () => (await look(world, 'checkout-v3')).percent === 10, 60_000);
      await until('Unleash to let some in', async () => (await world.unleash.on('checkout-v3', PEOPLE)) > 0);
      tell(
        `at 10 % ${await world.unleash.on('checkout-v3', PEOPLE)} of ${PEOPLE.length} users get the flag; now 30 % of its answers are errors`,
      );
      world.blue.behave({ errorShare: 0.3, ms: 3 });
      const end = await world.untilPhase(id, ['rollingBack', 'settling', 'promoted', 'rolledBack']);
      const { rows } = await events(world, id);
      const decided = rows.find(({ type }) => type === 'rollback.decided')?.at ?? 0;
      const zero = (one: Sighting) => one.weight === 10_000 && one.percent === 0;
      const back = (): Sighting | undefined => world.sightings.find((one) => decided <= one.atMs && zero(one));
      await until('both to be back', () => back() !== undefined);
      const safe = back();
      tell(end.sentence);
      tell(
        `HAProxy is back at 0 % of v3 and the flag at 0 %, seen ${Math.round((safe?.atMs ?? 0) - decided)} ms after the verdict (looked at every 100 ms)`,
      );
      const done = await world.untilPhase(id, ['promoted', 'rolledBack']);
      if (done.phase.kind !== 'rolledBack') broken(`it was ${done.phase.kind}`);
      await until('nobody to get the flag', async () => (await world.unleash.on('checkout-v3', PEOPLE)) === 0);
      const shown = await world.unleash.shown('checkout-v3');
      tell(`afterwards: rollout "${shown.rollout}", "${shown.title}", 0 of ${PEOPLE.length} users get it`);
      if ((await look(world, 'checkout-v2')).percent !== 100) broken('the flag of the release before was moved');
    },
  },
  {
    name: 'another flag of the service is changed in the middle, and Unleash says so by its webhook',
    async run(world, tell, broken) {
      world.blue.behave(GOOD);
      const id = await world.release('v4', world.blue, GOOD);
      await until('10 %', async () => (await look(world, 'checkout-v3')).percent === 10, 60_000);
      const { strategies } = await world.unleash.ask('GET', `${FEATURES}/banner/environments/${world.unleash.environment}`);
      await world.unleash.ask(
        'PATCH',
        `${FEATURES}/banner/environments/${world.unleash.environment}/strategies/${strategies[0].id}`,
        [{ op: 'replace', path: '/parameters/rollout', value: '40' }],
      );
      const changedMs = performance.now();
      const found = () => events(world, id).then(({ rows }) => rows.find(({ type }) => type === 'flag.changed'));
      await until('the release to hear of it', async () => (await found()) !== undefined);
      tell(`${(await found())?.sentence}; ${Math.round(performance.now() - changedMs)} ms after the change`);
      const own = (await events(world, id)).rows.filter(({ type }) => type === 'flag.changed').length;
      if (own !== 1) broken(`${own} changes were heard of, and one was made`);
      await post(`${world.api}/v1/releases/${id}/commands/rollback`, {});
      await world.untilPhase(id, ['rolledBack']);
    },
  },
  {
    name: 'a strategy that is in the way is answered by switching the flag off',
    async run(world, tell, broken) {
      const id = await world.release('v5', world.blue, GOOD);
      await until('10 %', async () => (await look(world, 'checkout-v3')).percent === 10, 60_000);
      const at = `${FEATURES}/checkout-v3/environments/${world.unleash.environment}`;
      await world.unleash.ask('POST', `${at}/strategies`, { name: 'default', parameters: {}, constraints: [] });
      tell('somebody adds a strategy that lets everybody in');
      await post(`${world.api}/v1/releases/${id}/commands/rollback`, {});
      await world.untilPhase(id, ['rolledBack']);
      const { enabled, rollout } = await world.unleash.shown('checkout-v3');
      tell(
        `rolled back: the percentage alone did not help, so the flag is switched off (enabled ${enabled}, rollout "${rollout}")`,
      );
      if (enabled) broken('the flag is still on for everybody');
    },
  },
];

async function look({ haproxy, unleash }: Pick<FlagWorld, 'haproxy' | 'unleash'>, flag: string) {
  const map = await haproxy.ask(`get map ${haproxy.map} app`).catch(() => '');
  const value = /value="(\d+)"/.exec(map)?.[1];
  const shown = await unleash.shown(flag).catch(() => null);
  return {
    weight: value === undefined ? null : Number(value) % 100_000,
    percent: shown === null ? null : shown.enabled ? Number(shown.rollout) : 0,
  };
}

async function events(
  { api }: FlagWorld,
  id: string,
): Promise<{ rows: readonly { type: string; at: number; sentence: string }[] }> {
  const { body } = await get(`${api}/v1/releases/${id}/events?limit=200`);
  return { rows: body.items };
}

export async function flagActs(tell: (name: string, lines: readonly string[], broken: readonly string[]) => void): Promise<void> {
  const startedMs = performance.now();
  const world = await open();
  try {
    tell(
      'Unleash, PostgreSQL, HAProxy and Headgate run',
      [`after ${Math.round((performance.now() - startedMs) / 100) / 10} s`],
      [],
    );
    for (const act of ACTS) {
      const [lines, broken]: [string[], string[]] = [[], []];
      await act
        .run(
          world,
          (line) => lines.push(line),
          (line) => broken.push(line),
        )
        .catch((error: unknown) => broken.push(String(error)));
      tell(act.name, lines, broken);
    }
    const lost = world.users.take().filter(({ outcome }) => outcome === 'gateway' || outcome === 'nobody').length;
    tell('nobody was lost', [`${world.users.sent()} requests`], lost > 0 ? [`${lost} requests were answered by nobody`] : []);
  } finally {
    await world.close();
  }
}

/** Two flags, and a webhook that tells Headgate of changes. */
async function prepare(unleash: RealUnleash, api: string): Promise<void> {
  await unleash.createFlag('checkout-v2');
  await unleash.createFlag('banner');
  await unleash.ask('POST', '/api/admin/addons', {
    provider: 'webhook',
    enabled: true,
    description: 'Headgate',
    parameters: { url: `${api}/v1/webhooks/in/unleash`, authorization: HOOK_TOKEN },
    events: ['feature-strategy-update', 'feature-environment-enabled', 'feature-environment-disabled'],
    environments: [],
    projects: [],
  });
}

async function open(): Promise<FlagWorld & { close(): Promise<void> }> {
  const { dir, remove } = scratch('flags');
  const random = prng(1);
  const [blue, green] = [await chaosApp('v0', GOOD, random), await chaosApp('none', GOOD, random)];
  const haproxy = await realHaproxy({ blue: blue.port, green: green.port });
  const unleash = await realUnleash();
  const api = `http://127.0.0.1:${await freePort()}`;
  const crowd = users([haproxy.port], 300);
  const config = join(dir, 'headgate.yaml');
  let flag: { readonly name: string; readonly on: 'blue' | 'green' } = { name: 'checkout-v2', on: 'green' };
  const write = (): void => writeFileSync(config, configOf({ api, dir, haproxy, unleash, flag }));
  let child: ChildProcess | null = null;
  const stop = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  const startService = async (): Promise<void> => {
    const env = { ...process.env, HEADGATE_LOG: 'silent', UNLEASH_TOKEN: unleash.adminToken, HOOK_TOKEN };
    child = spawn(process.execPath, ['src/main.ts', 'serve', '--dev', '--config', config], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    });
    await ready(api, child);
  };
  write();
  await prepare(unleash, api)
    .then(startService)
    .catch(async (error: unknown) => {
      await Promise.all([stop(), crowd.stop(), haproxy.close(), unleash.close(), blue.close(), green.close()]);
      remove();
      throw error;
    });
  const sightings: Sighting[] = [];
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      sightings.push({ ...(await look({ haproxy, unleash }, flag.name)), atMs: Date.now() });
      await sleep(100);
    }
  })();
  return {
    api,
    unleash,
    haproxy,
    blue,
    green,
    users: crowd,
    sightings,
    configure(next) {
      flag = next;
      write();
    },
    async restart() {
      await stop();
      await startService();
    },
    async release(version, slot, behaviour) {
      slot.deploy(version, behaviour);
      const { status, body } = await post(`${api}/v1/releases`, { plan: 'chaos', version });
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
      return body.id;
    },
    async untilPhase(id, phases) {
      let body: any = null;
      const isThere = async (): Promise<boolean> => {
        body = (await get(`${api}/v1/releases/${id}`).catch(() => ({ body: {} }))).body;
        return phases.includes(body.phase?.kind);
      };
      await until(`${id} to be ${phases.join(' or ')}`, isThere, 120_000).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${body?.sentence}`);
      });
      return body;
    },
    async close() {
      over.abort();
      await watching;
      await stop();
      await crowd.stop();
      await Promise.all([haproxy.close(), unleash.close(), blue.close(), green.close()]);
      remove();
    },
  };
}

type Parts = Pick<FlagWorld, 'api' | 'haproxy' | 'unleash'> & {
  readonly dir: string;
  readonly flag: { readonly name: string; readonly on: string };
};

const configOf = ({ api, dir, haproxy, unleash, flag }: Parts): string =>
  `server: { listen: ${api.slice('http://'.length)} }
store: { sqlite: ${join(dir, 'headgate.db')}, reserveMb: 1 }
settings: { settleMin: 2s, reconcileEvery: 1s }
routers:
  front: { type: haproxy, nodes: ["${haproxy.socket}"], map: ${haproxy.map}, bootFile: ${haproxy.map}, routes: { app: { slots: { blue: {}, green: {} } } } }
  flags:
    type: unleash
    url: ${unleash.url}
    timeoutMs: 1000
    token: env:UNLEASH_TOKEN
    environment: ${unleash.environment}
    routes: { checkout: { flag: ${flag.name}, on: ${flag.on} } }
providers:
  counters: { type: haproxy, router: front }
webhooks:
  unleash:
    type: unleash
    secret: env:HOOK_TOKEN
    api: { url: ${unleash.url}, token: env:UNLEASH_TOKEN, environment: ${unleash.environment} }
services:
  shop:
    provider: counters
    flags: [{ source: unleash, flag: banner }, { source: unleash, flag: ${flag.name} }]
    targets:
      - { router: front, route: app }
      - { router: flags, route: checkout }
`;
