/**
 * The whole service before a flag platform: signed webhooks over real sockets, the flag read back over HTTP, and what a
 * change does to a release that runs, as its plan says; in the end the real process, killed between answer and work.
 */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { App } from '../../src/app.ts';
import { exitOf } from '../../src/cli/exit-codes.ts';
import { runCli } from '../../src/cli/run.ts';
import { parseConfig } from '../../src/config.ts';
import { openShop } from '../../src/demo/shop.ts';
import { configText, freePort, get, post, ready, spawnServer } from '../e2e/harness.ts';
import type { Answer } from '../e2e/harness.ts';
import { darklyFlag, DARKLY_PATH, openPlatform } from './platform.ts';
import type { Platform } from './platform.ts';
import { senders } from './senders.ts';
import type { Sender } from './senders.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-flags-'));
function sender(type: string): Sender {
  const found = senders.find((each) => each.type === type);
  if (!found) throw new Error(`no sender ${type}`);
  return found;
}
const ld = sender('launchdarkly');
const unleash = sender('unleash');
const SERVICES = ['annotate', 'hold', 'pause', 'rollback', 'started', 'quiet'] as const;

let platform: Platform;
let app: App;
let url: string;
let serial = 0;

const flagsOf = (api: string): string => `
webhooks:
  ld:
    type: launchdarkly
    secret: [${ld.secret}, env:NEXT]
    api: { url: ${api}, token: api-key, environment: production }
  open: { type: unleash, secret: ${unleash.secret} }
`;

async function serving(api: string, service: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'if-match': '*' };
  const body = JSON.stringify({ version: '1' });
  const said = await fetch(`${api}/v1/services/${service}/stable`, { method: 'PUT', headers, body });
  if (said.status !== 200) throw new Error(await said.text());
}

beforeAll(async () => {
  platform = await openPlatform();
  const slots = `{ blue: { url: http://127.0.0.1:9 }, green: { url: http://127.0.0.1:9 } }`;
  const routes = SERVICES.map((name) => `      ${name}: { match: { path: /${name} }, slots: ${slots} }`).join('\n');
  const services = SERVICES.map((name) => {
    const start = name === 'started' ? ', onChange: { start: { plan: by-flag, version: "v{{revision}}" } }' : '';
    const flags = name === 'quiet' ? '{ source: open, flag: quiet-flag }' : `{ source: ld, flag: checkout-v2${start} }`;
    return `  ${name}: { targets: [{ router: front, route: ${name} }], flags: [${flags}] }`;
  });
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(folder, 'flags.db')} }
routers:
  front:
    type: edge
    listen: 127.0.0.1:0
    routes:
${routes}
services:
${services.join('\n')}
${flagsOf(platform.url)}`;
  const secrets = { env: (name: string) => (name === 'NEXT' ? 'the next secret' : undefined), file: () => undefined };
  const config = parseConfig({ text, secrets, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const quiet = (): void => {};
  app = await createApp(config.value, { debug: quiet, info: quiet, warn: quiet, error: quiet });
  url = await app.listen();
  for (const name of SERVICES) {
    for (const router of app.context.routers.values())
      Object.assign(router, {
        preflight: async () => ({ ok: true, value: { nodes: [], slots: [{ slot: 'green', healthy: true, detail: '' }] } }),
      });
    await serving(url, name);
  }
});
beforeEach(() => {
  platform.mode = 'up';
});
/** Closed and killed whatever became of the test that began them. */
const ends: (() => unknown)[] = [];
afterAll(async () => {
  await Promise.all(ends.map((end) => end()));
  await app.close(2_000);
  await platform.close();
  rmSync(folder, { recursive: true, force: true });
});

async function headgate(line: string): Promise<{ code: number; out: string }> {
  const out = new PassThrough();
  const world = () => ({ ok: false, error: [] }) as const;
  const deps = { out, err: out, env: {}, fetch, serve: async () => 0, version: '1.2.3', worldOf: world };
  const code = await runCli(['--server', url, ...line.split(' ')], deps);
  return { code, out: String(out.read() ?? '') };
}
async function hook(
  source: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<Answer & { readonly headers: Headers }> {
  // As some senders do it: what they sign is bytes, whatever they call it.
  const init = { method: 'POST', headers: { 'content-type': 'text/plain', ...headers }, body };
  const answer = await fetch(`${url}/v1/webhooks/in/${source}`, init);
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}
const changed = (percent: number): void => void platform.answers.set(DARKLY_PATH, darklyFlag(percent, { version: percent }));
async function toldByDarkly(): Promise<number> {
  const body = ld.payload('checkout-v2', ++serial);
  return (await hook('ld', body, ld.sign(body, Date.now(), serial))).status;
}

async function until<T>(look: () => Promise<T>, reached: (seen: T) => boolean): Promise<T> {
  let seen = await look();
  for (const endMs = performance.now() + 60_000; performance.now() < endMs && !reached(seen); seen = await look())
    await sleep(25);
  if (!reached(seen)) throw new Error(`never so; at last it was ${JSON.stringify(seen)}`);
  return seen;
}
const release = async (id: string) => (await get(`${url}/v1/releases/${id}`)).body;

async function standing(service: string, plan: Record<string, unknown> = {}): Promise<string> {
  const whole = { service, interval: '1s', steps: ['5%', '50%'], hold: '1h', checks: [], ...plan };
  const { body } = await post(`${url}/v1/releases`, { plan: whole, version: `2-${++serial}` });
  await until(
    () => release(body.id),
    ({ phase }) => phase.kind === 'watching',
  );
  return body.id;
}
/** Its flags were read since it began. */
const known = async (id: string): Promise<void> => {
  const { startedAt } = await release(id);
  await until(
    async () => (await get(`${url}/v1/flags`)).body.items[0],
    ({ readAt }) => readAt !== null && startedAt <= readAt,
  );
};

describe('a change of a flag in the middle of a release', () => {
  it.each([
    ['annotate', (found: any) => found.phase.kind === 'watching' && found.hold === null],
    ['hold', (found: any) => found.hold?.reason === 'flag' && found.phase.kind === 'watching'],
    ['pause', (found: any) => found.phase.kind === 'paused' && found.phase.by === 'flag'],
    ['rollback', (found: any) => found.rollback?.cause.kind === 'flag'],
  ] as const)('does what the plan says: %s', async (policy, isDone) => {
    changed(25);
    const id = await standing(policy, policy === 'hold' ? {} : { onFlagChange: policy });
    await known(id);
    changed(50);
    expect(await toldByDarkly()).toBe(202);
    const events = async () => (await get(`${url}/v1/releases/${id}/events?limit=200`)).body.items;
    const [told] = await until(
      async () => (await events()).filter(({ type }: { type: string }) => type === 'flag.changed'),
      (found) => found.length > 0,
    );
    expect(told).toMatchObject({
      source: 'ld',
      flag: 'checkout-v2',
      changedBy: 'ann@example.com',
      confirmed: 'read',
      effect: policy,
    });
    expect(told.sentence).toContain('was changed by ann@example.com: on, new 25 %, old 75 % → on, new 50 %, old 50 %');
    await until(() => release(id), isDone);
    expect(platform.asked.at(-1)).toMatchObject({ headers: { authorization: 'api-key' } });
    await post(`${url}/v1/releases/${id}/commands/rollback`, {});
    const ended = await until(
      () => release(id),
      ({ phase }) => phase.kind === 'settling' || phase.kind === 'rolledBack',
    );
    expect(exitOf({ ...ended, phase: { kind: 'rolledBack' } })).toBe(policy === 'rollback' ? 10 : 11);
  });

  it('starts a release where the service says so, by a plan that is stored', async () => {
    await post(`${url}/v1/plans`, { document: 'name: by-flag\nservice: started\nsteps: [5%]\nhold: 1h\nchecks: []\n' });
    changed(60);
    await toldByDarkly();
    const found = await until(
      async () => (await get(`${url}/v1/releases?service=started`)).body.items,
      (items) => items.length > 0,
    );
    expect(found).toMatchObject([{ version: 'v60', createdBy: 'flag checkout-v2 of ld (60)' }]);
  });

  it('is only noted when nobody signed it and nothing can be read', async () => {
    const id = await standing('quiet', { onFlagChange: 'rollback' });
    const body = unleash.payload('quiet-flag', ++serial);
    expect((await hook('open', body, { authorization: unleash.secret })).status).toBe(202);
    await until(
      async () => (await get(`${url}/v1/releases/${id}/events?limit=200`)).body.items,
      (items) => items.some(({ type, confirmed }: any) => type === 'flag.changed' && confirmed === 'claimed'),
    );
    expect(await release(id)).toMatchObject({ rollback: null, phase: { kind: 'watching' } });
  });
});

describe('the door', () => {
  it('tells a forger nothing, writes nothing, and counts', async () => {
    const before = (await get(`${url}/v1/webhooks/inbox`)).body.items.length;
    const body = ld.payload('checkout-v2', ++serial);
    const forged = [
      await hook('ld', body, {}),
      await hook('ld', body, ld.sign(body, 0, 0, 'a wrong secret')),
      await hook('ld', `${body} `, ld.sign(body, 0, 0)),
      await hook('open', body, { authorization: 'wrong' }),
    ];
    for (const { status, body: said } of forged) {
      expect(status).toBe(401);
      expect(said).toMatchObject({ title: 'Not proven', detail: 'what was sent does not show that it comes from who it should' });
    }
    expect((await hook('nobody', body, ld.sign(body, 0, 0))).status).toBe(404);
    expect((await get(`${url}/v1/webhooks/inbox`)).body.items).toHaveLength(before);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/headgate_webhooks_total\{source="ld",outcome="refused"\} [3-9]/);
    expect(metrics).toMatch(/headgate_webhooks_total\{source="\(unknown\)",outcome="refused"\} 1/);
  });

  it('takes either secret while one is exchanged, a repetition once, and no more than 256 kB', async () => {
    const body = ld.payload('another-flag', ++serial);
    const signed = (secret: string, text = body) => ({
      'x-ld-signature': createHmac('sha256', secret).update(text).digest('hex'),
    });
    expect(await hook('ld', body, signed('the next secret'))).toMatchObject({ status: 202, body: { state: 'kept' } });
    expect(await hook('ld', body, signed(ld.secret))).toMatchObject({ status: 200, body: { state: 'known' } });
    const large = JSON.stringify({ kind: 'flag', pad: 'x'.repeat(256 * 1024) });
    expect((await hook('ld', large, signed(ld.secret, large))).status).toBe(413);
  });

  it('shows what it could not read, and works on it again when asked', async () => {
    const body = 'signed, and no JSON';
    await hook('ld', body, ld.sign(body, 0, 0));
    const parked = async () => (await get(`${url}/v1/webhooks/inbox?state=parked&limit=1`)).body;
    const { items } = await until(parked, (page) => page.items.length > 0);
    expect(items).toMatchObject([{ source: 'ld', detail: 'the body is no JSON', body, kind: 'webhook' }]);
    const { seq } = items[0];
    const [listed, one] = [await headgate('webhook inbox list --state parked'), await headgate(`webhook inbox show ${seq}`)];
    expect([listed.code, one.code]).toEqual([0, 0]);
    expect(listed.out).toContain(`${String(seq).padStart(6)}  `);
    expect(one.out).toContain('it said: ');
    expect(await headgate('webhook inbox show 999999')).toMatchObject({
      code: 2,
      out: expect.stringContaining('no webhook 999999'),
    });
    const retry = () =>
      fetch(`${url}/v1/webhooks/inbox/${seq}/retry`, { method: 'POST', headers: { 'idempotency-key': 'retry-1' } });
    expect((await retry()).status).toBe(202);
    expect((await retry()).headers.get('idempotency-replayed')).toBe('true');
    await until(parked, (page) => page.items[0]?.seq === seq);
    expect(await headgate(`webhook inbox retry ${seq}`)).toMatchObject({ code: 0, out: `webhook ${seq} is worked on again\n` });
    expect((await post(`${url}/v1/webhooks/inbox/999999/retry`, {})).status).toBe(404);
    const [{ action, subject }] = (await get(`${url}/v1/audit?limit=1`)).body.items;
    expect([action, subject]).toEqual(['webhook.retry', `inbox/${items[0].seq}`]);
  });

  it('pages through what came in, newest first', async () => {
    const all = (await get(`${url}/v1/webhooks/inbox?limit=200`)).body.items.map(({ seq }: { seq: number }) => seq);
    const seen: number[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body }: Answer = await get(`${url}/v1/webhooks/inbox?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...body.items.map(({ seq }: { seq: number }) => seq));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(all);
    expect((await get(`${url}/v1/webhooks/inbox?state=lost`)).status).toBe(422);
  });

  it('shows every flag that is named, and reads one when asked', async () => {
    changed(70);
    const read = await post(`${url}/v1/flags/ld/checkout-v2/refresh`, {});
    expect(read).toMatchObject({ status: 200, body: { flag: 'checkout-v2', readable: true, own: false, failure: null } });
    const shown = await until(
      async () => (await get(`${url}/v1/flags`)).body.items,
      ([first]) => first.state.percent === 70,
    );
    expect(shown).toMatchObject([
      {
        source: 'ld',
        type: 'launchdarkly',
        services: ['annotate', 'hold', 'pause', 'rollback', 'started'],
        sentence: expect.stringMatching(/^checkout-v2 of ld is on, new 70 %, old 30 %; changed: on, /),
      },
      { source: 'open', flag: 'quiet-flag', readable: false, state: null, services: ['quiet'] },
    ]);
    const list = await headgate('flag list');
    expect([list.code, list.out.split('\n').map((line) => line.split(' ')[0])]).toEqual([
      0,
      ['ld/checkout-v2', 'open/quiet-flag', ''],
    ]);
    expect((await headgate('flag get ld checkout-v2')).out).toMatch(/^checkout-v2 of ld is .*\n {2}named by annotate, hold,/);
    expect(JSON.parse((await headgate('--json flag refresh ld checkout-v2')).out)).toMatchObject({ flag: 'checkout-v2' });
    expect(await headgate('flag get ld nope')).toMatchObject({
      code: 2,
      out: expect.stringContaining('no service names a flag nope'),
    });
    platform.mode = 503;
    expect(await post(`${url}/v1/flags/ld/checkout-v2/refresh`, {})).toMatchObject({
      status: 503,
      body: { detail: 'ld: answered 503' },
    });
    expect((await post(`${url}/v1/flags/ld/unknown/refresh`, {})).status).toBe(404);
    expect((await post(`${url}/v1/flags/open/quiet-flag/refresh`, {})).status).toBe(409);
  });
});

it('loses nothing that it has answered: the process is killed before the flag could be read, and the next one goes on', async () => {
  const shops = await Promise.all(['1', '2'].map((version) => openShop(version, { errorShare: 0, medianMs: 2 }, Math.random)));
  const [apiPort, edgePort] = [await freePort(), await freePort()];
  const api = `http://127.0.0.1:${apiPort}`;
  const config = join(folder, 'killed.yaml');
  const [blue = '', green = ''] = shops.map((shop) => shop.url);
  const file = join(folder, 'killed.db');
  const named = '    flags: [{ source: ld, flag: checkout-v2 }]\n';
  const webhooks = flagsOf(platform.url).replace(', env:NEXT', '');
  writeFileSync(config, configText({ apiPort, edgePort, file, blue, green }) + named + webhooks);
  changed(25);
  ends.push(...shops.map((shop) => shop.close));
  const spawned = () => {
    const child = spawnServer(config);
    ends.push(() => child.kill('SIGKILL'));
    return child;
  };
  const first = spawned();
  await ready(api, first);
  await serving(api, 'shop');
  const plan = { service: 'shop', interval: '1s', hold: '1h', steps: ['5%'], checks: [], onFlagChange: 'pause' };
  const { body: started } = await post(`${api}/v1/releases`, { plan, version: '2' });
  const look = async () => (await get(`${api}/v1/releases/${started.id}`)).body;
  await until(look, ({ phase }) => phase?.kind === 'watching');
  await until(
    async () => (await get(`${api}/v1/flags`)).body.items[0],
    ({ readAt }) => readAt !== null,
  );
  platform.mode = 'hangs';
  changed(50);
  const before = platform.asked.length;
  const bodies = [1, 2, 3].map((each) => ld.payload('checkout-v2', 9_000 + each));
  for (const body of bodies)
    expect((await fetch(`${api}/v1/webhooks/in/ld`, { method: 'POST', headers: { ...ld.sign(body, 0, 0) }, body })).status).toBe(
      202,
    );
  await until(
    async () => platform.asked.length,
    (count) => before < count,
  );
  first.kill('SIGKILL');
  await new Promise((done) => first.once('exit', done));
  platform.mode = 'up';
  await ready(api, spawned());
  await until(look, ({ phase }) => phase?.kind === 'paused' && phase.by === 'flag');
  const inbox = await until(
    async () => (await get(`${api}/v1/webhooks/inbox`)).body.items,
    (items) => items.every(({ state }: { state: string }) => state === 'done'),
  );
  expect(inbox.filter(({ kind }: { kind: string }) => kind === 'webhook')).toHaveLength(3);
  const events = (await get(`${api}/v1/releases/${started.id}/events?limit=200`)).body.items;
  expect(events.filter(({ type }: { type: string }) => type === 'flag.changed')).toHaveLength(1);
  // What was answered before is known afterwards, too.
  const body = bodies[0] ?? '';
  expect((await fetch(`${api}/v1/webhooks/in/ld`, { method: 'POST', headers: { ...ld.sign(body, 0, 0) }, body })).status).toBe(
    200,
  );
});
