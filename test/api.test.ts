/** The API and the command line as their users meet them: a whole service in this process, its edge before two real servers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { runCli } from '../src/cli/run.ts';
import { planJsonSchema } from '../src/contract/plan-document.ts';
import { configOf, openSlot, QUICK, routersText, servicesText, slotsText } from './edge.ts';
import type { Slot } from './edge.ts';

let app: App;
let slots: readonly [Slot, Slot];
let base: string;
const folder = mkdtempSync(join(tmpdir(), 'headgate-api-'));

const services = ['one', 'two', 'three', 'four', 'five', 'six', 'eight'];

beforeAll(async () => {
  slots = [await openSlot('blue'), await openSlot('green')];
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(folder, 'api.db')} }
${QUICK}
providers: { edge: { type: edge } }
notify: { book: { type: log } }
${routersText(services, slotsText(slots[0].url, slots[1].url))}${servicesText(services, 'provider: edge, notify: [book]')}`;
  const quiet = (): void => {};
  app = await createApp(configOf(text), { debug: quiet, info: quiet, warn: quiet, error: quiet });
  base = await app.listen();
});
afterAll(async () => {
  await app.close(2_000);
  for (const each of slots) each.close();
  rmSync(folder, { recursive: true, force: true });
});

type Body = Record<string, any>;
async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Body; headers: Headers }> {
  const init =
    body === undefined
      ? { method, headers }
      : { method, headers: { 'content-type': 'application/json', 'if-match': '*', ...headers }, body: JSON.stringify(body) };
  const answer = await app.fetch(new Request(`http://headgate${path}`, init));
  return { status: answer.status, body: (await answer.json()) as Body, headers: answer.headers };
}
const plan = (service: string, more: object = {}) => ({
  service,
  interval: '1s',
  steps: ['5%', '50%'],
  hold: '1h',
  checks: ['errors'],
  ...more,
});
const stable = (service: string) => call('PUT', `/v1/services/${service}/stable`, { version: '1' });

async function until(id: string, phase: string): Promise<Body> {
  for (let look = 0; look < 400; look++) {
    const { body } = await call('GET', `/v1/releases/${id}`);
    if (body['phase'].kind === phase) return body;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`release ${id} never came to ${phase}`);
}

async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const out = new PassThrough();
  const err = new PassThrough();
  const code = await runCli(['--server', base, '--actor', 'ann', ...argv], {
    out,
    err,
    env: {},
    fetch,
    serve: async () => 0,
    version: '1.2.3',
    worldOf: () => ({ ok: false, error: [] }),
  });
  return { code, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

test('a release is started, stands at its first step, and is shown with everything that a client needs', async () => {
  await stable('one');
  const started = await call(
    'POST',
    '/v1/releases',
    { plan: plan('one'), version: '2', reason: 'try' },
    { 'x-headgate-actor': 'ci:build-7' },
  );
  expect(started.status).toBe(201);
  expect(started.headers.get('location')).toBe(`/v1/releases/${started.body['id']}`);
  expect(started.body).toMatchObject({ service: 'one', version: '2', stableVersion: '1', createdBy: 'build-7' });
  const shown = await until(started.body['id'], 'watching');
  expect(shown).toMatchObject({ step: 1, steps: 2, wantedBp: 500, approvedBp: 500, hold: null });
  expect(shown['sentence']).toMatch(/^one 2 stands at step 1 of 2, 5 %; may go on in /);
  expect(shown['acceptedCommands'].filter((each: Body) => each['accepted']).map((each: Body) => each['verb'])).toEqual([
    'pause',
    'promote',
    'rollback',
  ]);
  const events = await call('GET', `/v1/releases/${started.body['id']}/events`);
  expect(events.body['items'].map((event: Body) => event['type']).slice(0, 5)).toEqual([
    'release.created',
    'release.started',
    'weight.intended',
    'weight.verified',
    'step.entered',
  ]);
  const targets = await call('GET', '/v1/services/one/targets');
  expect(targets.body['items']).toMatchObject([
    { desiredSecondSlotBp: 500, servedSecondSlotBp: 500, verifiedSecondSlotBp: 500, seq: 1 },
  ]);
  const checks = await call('GET', `/v1/releases/${started.body['id']}/checks`);
  expect(checks.body['items']).toMatchObject([{ name: 'errors', dryRun: false }]);
  expect((await call('GET', '/v1/services/one')).body).toMatchObject({
    stableSlot: 'blue',
    idleSlot: 'green',
    activeRelease: started.body['id'],
  });
  const audit = await call('GET', '/v1/audit');
  expect(audit.body['items'][0]).toMatchObject({ actor: 'build-7', action: 'release.start', reason: 'try' });
});

test('a command on a version that was not seen is refused, but pausing and rolling back never are', async () => {
  await stable('two');
  const { body } = await call('POST', '/v1/releases', { plan: plan('two'), version: '2' });
  const seen = await until(body['id'], 'watching');
  const at = (verb: string, match: string) =>
    call('POST', `/v1/releases/${body['id']}/commands/${verb}`, {}, { 'if-match': match });
  expect((await at('promote', '"1"')).status).toBe(412);
  expect((await call('GET', `/v1/releases/${body['id']}`)).headers.get('etag')).toMatch(/^"\d+-[0-9a-f]{16}"$/);
  expect((await at('promote', '*')).body['detail']).toBe(
    'the checks are inconclusive at the present weight: give a reason to go on without them',
  );
  expect((await at('pause', '"1"')).body).toMatchObject({ phase: { kind: 'paused', by: 'person' } });
  expect((await at('rollback', '"1"')).body['rollback']).toMatchObject({ cause: { kind: 'person' }, by: 'anonymous' });
  expect((await at('rollback', '"1"')).status).toBe(200);
  const ended = await until(body['id'], 'rolledBack');
  expect(ended['stateVersion']).toBeGreaterThan(seen['stateVersion']);
  expect((await at('resume', '*')).body['detail']).toBe('the release has ended (rolledBack)');
});

test('a second release is refused, queued, or takes the place of the first, as it asks', async () => {
  await stable('three');
  const first = await call('POST', '/v1/releases', { plan: plan('three'), version: '2' });
  const refused = await call('POST', '/v1/releases', { plan: plan('three'), version: '3' });
  expect(refused.status).toBe(409);
  expect(refused.body['detail']).toContain(`three is busy with release ${first.body['id']} of 2`);
  const queued = await call('POST', '/v1/releases', { plan: plan('three'), version: '3', onBusy: 'queue' });
  expect(queued.body['phase']).toEqual({ kind: 'queued', behind: first.body['id'] });
  const taking = await call('POST', '/v1/releases', { plan: plan('three'), version: '4', onBusy: 'supersede' });
  await until(first.body['id'], 'superseded');
  await until(queued.body['id'], 'superseded');
  expect(await until(taking.body['id'], 'watching')).toMatchObject({ version: '4' });
});

test('events are streamed as they are committed, and a stream that broke goes on where it was', async () => {
  await stable('four');
  const { body } = await call('POST', '/v1/releases', { plan: plan('four'), version: '2' });
  await until(body['id'], 'watching');
  const blocks = await fetchPositions(`${base}/v1/events?release=${body['id']}&after=0`, {}, 4);
  expect(blocks.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  const rest = await fetchPositions(`${base}/v1/events?release=${body['id']}`, { 'last-event-id': blocks[1]?.position ?? '' }, 2);
  expect(rest.map(({ seq }) => seq)).toEqual([3, 4]);
});

async function fetchPositions(
  url: string,
  headers: Record<string, string>,
  count: number,
): Promise<{ position: string; seq: number }[]> {
  const stop = new AbortController();
  const answer = await fetch(url, { headers, signal: stop.signal });
  const found = new Map<string, number>();
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString();
    for (const block of text.split('\n\n')) {
      const position = /^id: (\d+)$/m.exec(block)?.[1];
      const data = /^data: (.*\})$/m.exec(block)?.[1];
      if (position && data) found.set(position, (JSON.parse(data) as { seq: number }).seq);
    }
    if (found.size >= count) break;
  }
  stop.abort();
  return [...found].slice(0, count).map(([position, seq]) => ({ position, seq }));
}

test('a first release goes straight to full weight and becomes stable; the command line waits for it and answers 0', async () => {
  const file = join(folder, 'five.yaml');
  writeFileSync(file, 'service: five\nsteps: [5%]\nchecks: []\n');
  const started = await cli('release', 'start', '-f', file, '--version', '1', '--first', '--wait', '--timeout', '60s');
  expect(started).toMatchObject({ code: 0, err: expect.stringContaining('five 1 is promoted') });
  expect(started.out).toMatch(/^[0-9a-f-]{36}\n$/);
  expect((await call('GET', '/v1/services/five')).body).toMatchObject({
    stableVersion: '1',
    stableSlot: 'green',
    idleSlot: 'blue',
  });
});

test('the command line tells by its code how a release ended, and what it could not do', async () => {
  await stable('six');
  const started = await cli('--json', 'release', 'start', 'six', '--version', '2', '--stage', '5%,1h', '--check', 'errors');
  expect(started.code).toBe(0);
  const { id } = JSON.parse(started.out) as { id: string };
  expect((await cli('release', 'wait', id, '--until', 'step:1', '--timeout', '10s')).code).toBe(0);
  expect((await cli('release', 'wait', id, '--timeout', '300ms')).code).toBe(75);
  expect((await cli('release', 'start', 'six', '--version', '3', '--stage', '5%,1h')).code).toBe(79);
  expect(await cli('release', 'promote', id)).toMatchObject({
    code: 79,
    err: expect.stringContaining('wait, or force with a reason'),
  });
  expect((await cli('release', 'pause', id, '--reason', 'lunch')).out).toContain('six 2 is paused at 5 %');
  expect((await cli('release', 'wait', id, '--timeout', '300ms')).code).toBe(20);
  expect((await cli('release', 'wait', id, '--until', 'paused', '--timeout', '5s')).code).toBe(0);
  expect((await cli('release', 'list', '--service', 'six')).out).toContain(`${id}  paused`);
  expect((await cli('release', 'abort', id, '--reason', 'no')).code).toBe(0);
  expect(await cli('release', 'wait', id, '--timeout', '60s')).toMatchObject({
    code: 11,
    err: expect.stringContaining('six 2 was rolled back at 5 % by ann ("no")'),
  });
  expect((await cli('release', 'get', 'nope')).code).toBe(2);
  expect((await cli('release', 'explode', id)).code).toBe(2);
  expect((await cli('release', 'start', '--version', '2')).err).toContain(
    'say by which plan: --file, --plan or --stage, one of them',
  );
  expect((await cli('--server', 'http://127.0.0.1:9', 'release', 'get', id)).code).toBe(69);
});

test('the command line says what serves, where the next version goes, and takes a service or the beginning of an id for a release', async () => {
  await stable('eight');
  expect((await cli('service', 'list')).out).toMatch(/^eight +1 serves in blue +green is idle$/m);
  expect((await cli('service', 'get', 'eight')).out).toContain(
    'eight 1 serves in blue\n  green is idle: the next version is deployed there\n',
  );
  expect(await cli('service', 'get', 'gone')).toMatchObject({ code: 2, err: 'no service named gone\n' });
  expect(await cli('release', 'rollback', '--service', 'eight')).toMatchObject({ code: 79, err: 'no release moves eight now\n' });

  const start = async (version: string, ...more: readonly string[]): Promise<string> =>
    (await cli('release', 'start', 'eight', '--version', version, '--stage', '5%,1h', '--check', 'errors', ...more)).out.trim();
  const id = await start('2');
  await until(id, 'watching');
  const { out } = await cli('service', 'get', 'eight');
  expect(out).toContain(`release ${id} moves it, with the new version in green`);
  expect(out).toContain('blue 95 %, green 5 % wanted; blue 95 %, green 5 % served');
  expect((await cli('release', 'get', id.slice(0, -1))).out).toContain('eight 1 -> 2');
  expect((await cli('release', 'get', id.slice(0, 7))).err).toBe(`no release ${id.slice(0, 7)}\n`);
  expect((await cli('release', 'pause', '--service', 'eight')).out).toContain('eight 2 is paused at 5 %');
  expect((await cli('release', 'pause')).err).toContain('say which release: by its id, or with --service NAME');

  // Ids of one moment begin alike.
  const next = await start('3', '--on-busy', 'queue');
  const alike = id.split('').findIndex((letter, index) => letter !== next[index]);
  if (alike >= 8)
    expect(await cli('release', 'rollback', id.slice(0, alike))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/is the beginning of 2 releases, say more of it:\n.*eight 3 .*queued\n.*eight 2 .*paused\n$/),
    });
  expect((await cli('release', 'rollback', next.slice(0, alike + 9))).code).toBe(0);
  expect((await cli('release', 'rollback', '--service', 'eight')).out).toContain('eight 2 is rolled back');
  await until(id, 'rolledBack');
  expect(await cli('release', 'list', '--service', 'eight', '--limit', '1')).toMatchObject({
    out: expect.stringContaining(next),
    err: expect.stringContaining('there are more: --cursor '),
  });
  expect((await cli('release', 'list', '--service', 'eight')).err).toBe('');
  expect((await cli('webhook', 'deliveries', '--release', id.slice(0, -1))).out).toContain(' book ');
});

test('a plan is validated with its lines, applied, and kept in every version', async () => {
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'service: one\nsteps: [10%, 5%]\nchecks: [errorz]\n');
  expect(await cli('validate', file)).toMatchObject({
    code: 2,
    err: expect.stringContaining(`${file}:2:14: weights rise from step to step`),
  });
  expect((await cli('validate', file)).err).toContain(`${file}:3:10: the check "errorz" edge offers no "errorz"`);
  writeFileSync(file, 'name: kept\nservice: one\nsteps: [5%]\nchecks: [errors]\n');
  const fine = await cli('validate', file);
  expect(fine).toMatchObject({ code: 0, err: '' });
  expect(fine.out).toMatch(
    /^the plan kept is fine: a release of one by it takes 5 % .*; errors must pass .*; its hash is [0-9a-f]{64}\n$/,
  );
  const shown = JSON.parse((await cli('validate', file, '--json')).out);
  expect(shown).toMatchObject({ valid: true, problems: [], plan: { name: 'kept', service: 'one' } });
  expect(fine.out).toContain(shown.plan.planHash);
  expect((await cli('apply', file)).out).toBe('kept version 1\n');
  expect((await cli('apply', file)).out).toBe('kept version 1\n');
  writeFileSync(file, 'name: kept\nservice: one\nsteps: [5%, 10%]\nchecks: [errors]\n');
  expect((await cli('apply', file)).out).toBe('kept version 2\n');
  expect((await call('GET', '/v1/plans/kept?version=1')).body['document']).toContain('steps: [5%]\n');
});

test('the command says which Headgate it is, and shows what a duration defaults to as one writes it', async () => {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const world = () => ({ ok: false, error: [] }) as const;
  const deps = { out, err, env: {}, fetch, serve: async () => 0, version: '1.2.3', worldOf: world };
  const said = async (...argv: readonly string[]) => [await runCli(argv, deps), String(out.read())];
  expect(await said('--version')).toEqual([0, '1.2.3\n']);
  const [code, help] = await said('release', 'start', '--help');
  expect([code, help]).toEqual([0, expect.stringMatching(/how long to wait \(default: 1d\)[\s\S]*\(default:\s+30s\)/)]);
});

test('health, metrics and the description of the API are there', async () => {
  expect((await call('GET', '/healthz')).body).toEqual({ status: 'ok', problems: [] });
  expect((await call('GET', '/readyz')).body).toEqual({ status: 'ok', problems: [] });
  const metrics = await (await app.fetch(new Request('http://headgate/metrics'))).text();
  for (const name of [
    'headgate_tick_duration_seconds',
    'headgate_router_call_seconds',
    'headgate_events_total',
    'process_cpu_seconds_total',
  ])
    expect(metrics).toContain(name);
  const { body } = await call('GET', '/openapi.json');
  expect(body['openapi']).toBe('3.1.0');
  expect(Object.keys(body['paths'])).toEqual(
    expect.arrayContaining([
      '/v1/releases',
      '/v1/releases/{id}/commands/{verb}',
      '/v1/services/{name}/stable',
      '/v1/plans:validate',
      '/v1/webhooks/deliveries',
      '/readyz',
    ]),
  );
  expect(Object.keys(body['components'].schemas)).toEqual(expect.arrayContaining(['Release', 'Problem', 'Event', 'Target']));
  const page = await app.fetch(new Request('http://headgate/'));
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('<title>Headgate</title>');
});

test('what happened is delivered to the notifiers of the service, in order', async () => {
  for (let look = 0; look < 100; look++) {
    const { body } = await call('GET', '/v1/webhooks/deliveries?limit=200');
    if (body['items'].every((row: Body) => row['state'] === 'delivered')) {
      const ofOne = body['items'].filter((row: Body) => row['subject'] === body['items'].at(-1)['subject']).toReversed();
      expect(ofOne.map((row: Body) => Number(row['eventId'].split('/').at(-1)))).toEqual(
        ofOne.map((_row: Body, index: number) => index + 1),
      );
      return;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('not everything was delivered');
});

test('the JSON Schema of plans in the repository is the present one', () => {
  const file = resolve(import.meta.dirname, '../docs/plan.schema.json');
  const present = `${JSON.stringify(planJsonSchema(), null, 2)}\n`;
  if (process.env['UPDATE_GOLDEN']) writeFileSync(file, present);
  expect(readFileSync(file, 'utf8')).toBe(present);
});
