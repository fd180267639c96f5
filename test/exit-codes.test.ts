/** What a pipeline is told: every exit code, by the real command against a real service, which is killed in the middle of a wait. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../src/cli/exit-codes.ts';
import { freePort, get, put, ready, spawnServer } from './e2e/harness.ts';
import { realHaproxy } from './real/haproxy.ts';
import type { RealHaproxy } from './real/haproxy.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-codes-'));
const services = ['good', 'bad', 'person', 'late', 'old', 'stuck', 'keys', 'told'];
let server: Server;
let here: string;
let haproxy: RealHaproxy;
let api: string;
let config: string;
let child: ChildProcess;
/** It takes a minute, which the other tests need anyway; it waits through all that they do to the service. */
let unverified: Promise<Ended>;

/** Before the real service: who comes too often for a second, and who is not known any more. */
const gates = { seen: [] as string[], tokenFile: '', renewed: false, looks: 0 };
async function gate({ url = '', headers }: IncomingMessage, answer: ServerResponse): Promise<void> {
  const [, , kind = '', ...rest] = url.split('/');
  const refuse = (status: number, more: Record<string, string> = {}): void =>
    void answer.writeHead(status, more).end(JSON.stringify({ detail: `refused with ${status}`, errors: [] }));
  if (kind === 'lost') {
    // Known for one look, as a token that ends in the middle of a wait; before that a proxy is on its own for a moment.
    gates.looks += 1;
    if (gates.looks === 2) return void answer.writeHead(404, { 'content-type': 'text/html' }).end('<h1>default backend</h1>');
    if (gates.looks > 2) return refuse(401);
  } else gates.seen.push(`${kind} ${headers.authorization ?? '-'}`);
  if (kind === '429' && gates.seen.length === 1) return refuse(429, { 'retry-after': '1' });
  if (kind === '401' && headers.authorization !== 'Bearer new') {
    if (gates.seen.length === 2 && gates.renewed) writeFileSync(gates.tokenFile, 'new\n');
    return refuse(401);
  }
  const real = await fetch(`${api}/${rest.join('/')}`);
  answer.writeHead(real.status).end(await real.text());
}

/** Slots, and a source of metrics: every version is well but `bad`. */
let level = 0;
const listening = async (): Promise<Server> => {
  const made = createServer((request, answer) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://here');
    if (pathname.startsWith('/gate/')) return void gate(request, answer);
    if (pathname.startsWith('/page')) return void answer.setHeader('content-type', 'text/html').end('<h1>Welcome</h1>');
    if (pathname === '/broken') return void answer.writeHead(500).end('{"detail":"a mistake","errors":[]}');
    if (pathname.startsWith('/forbidden')) return void answer.writeHead(403).end('{"detail":"not you"}');
    if (pathname.startsWith('/mistake')) return void answer.writeHead(500).end('{"detail":"a mistake"}');
    answer
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ value: searchParams.get('v') === 'bad' ? 10 : level }));
  });
  await new Promise<void>((done) => made.listen(0, '127.0.0.1', done));
  return made;
};

beforeAll(async () => {
  server = await listening();
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  here = `http://127.0.0.1:${port}`;
  haproxy = await realHaproxy({ blue: port, green: port });
  const apiPort = await freePort();
  api = `http://127.0.0.1:${apiPort}`;
  config = join(folder, 'headgate.yaml');
  const route = (name: string): string =>
    `      ${name}: { match: { path: /${name} }, slots: { blue: { url: ${here} }, green: { url: ${here} } } }`;
  writeFileSync(
    config,
    `server: { listen: 127.0.0.1:${apiPort} }
store: { sqlite: ${join(folder, 'codes.db')} }
settings: { settleMin: 1s, applyTimeout: 500ms, reconcileEvery: 1s }
routers:
  front:
    type: edge
    listen: 127.0.0.1:0
    routes:
${services.map(route).join('\n')}
  far: { type: haproxy, nodes: ['${haproxy.socket}'], map: ${haproxy.map} }
providers:
  stats:
    type: web
    checks: { sick: { kind: threshold, url: '${here}/value?v={{canary}}', at: now, value: /value } }
services:
${services.map((name) => `  ${name}: { provider: stats, targets: [{ router: front, route: ${name} }] }`).join('\n')}
  far: { provider: stats, targets: [{ router: far, route: app }] }
`,
  );
  child = spawnServer(config);
  await ready(api, child);
  for (const name of [...services, 'far']) await put(`${api}/v1/services/${name}/stable`, { version: 'v0' });
  unverified = (await lostBalancer()).ended;
});
afterAll(async () => {
  child.kill('SIGKILL');
  await haproxy.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

function headgate(
  argv: readonly string[],
  env: Record<string, string> = {},
): { ended: Promise<Ended>; said(text: string): Promise<void>; stop(signal: NodeJS.Signals): void } {
  const run = spawn(process.execPath, ['src/main.ts', '--server', api, ...argv], {
    // Jobs are named in all languages.
    env: { ...process.env, HEADGATE_ACTOR: 'ci:Выпуск #7', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const heard: (() => void)[] = [];
  run.stdout.on('data', (part: Buffer) => (out += part.toString()));
  run.stderr.on('data', (part: Buffer) => {
    err += part.toString();
    for (const look of heard) look();
  });
  const ended = new Promise<Ended>((done) => run.once('close', (code) => done({ code, out, err })));
  return {
    ended,
    stop: (signal) => void run.kill(signal),
    said: (text) =>
      new Promise((done, fail) => {
        const look = (): void => void (err.includes(text) && done());
        heard.push(look);
        look();
        void ended.then(() => fail(new Error(`it ended without saying "${text}": ${err}`)));
      }),
  };
}
const run = async (...argv: readonly string[]): Promise<Ended> => headgate(argv).ended;

function planFile(service: string, more = ''): string {
  const file = join(folder, `${service}.yaml`);
  const checks = 'checks: { sick: { kind: threshold, max: 1, hardMax: 5 } }';
  writeFileSync(
    file,
    `service: ${service}\nsteps: [5%, 50%]\ninterval: 1s\nminMeasurements: 1\n${checks}\n${more || 'hold: 1h\n'}`,
  );
  return file;
}
const start = (service: string, version: string, ...more: readonly string[]): Promise<Ended> =>
  run('release', 'start', '-f', planFile(service), '--version', version, ...more);
const idOf = ({ out }: Ended): string => out.trim().split('\n')[0] ?? '';
async function restart(): Promise<void> {
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
  await new Promise((done) => setTimeout(done, 700));
  child = spawnServer(config);
  await ready(api, child);
}

async function lostBalancer(): Promise<{ readonly ended: Promise<Ended> }> {
  const id = idOf(await start('far', 'v1'));
  await run('release', 'wait', id, '--until', 'step:1', '--timeout', '60s');
  await haproxy.kill();
  await run('release', 'rollback', id);
  return headgate(['release', 'wait', id, '--timeout', '150s']);
}

test('0: promoted, though the service was killed and started again in the middle of the wait', async () => {
  const file = planFile('good', 'hold: 3s\n');
  const waiting = headgate(['release', 'start', '-f', file, '--version', 'v1', '--wait', '--timeout', '100s']);
  await waiting.said('5 %');
  await restart();
  const { code, err } = await waiting.ended;
  expect(err).toContain('the release goes on, waiting for the service');
  expect(err.split('good v1 is promoted'), 'said once').toHaveLength(2);
  expect(code).toBe(EXIT.ok);
});

test('0: a start that was made while the service was away starts one release, and a pipeline step that runs again none', async () => {
  child.kill('SIGKILL');
  const env = {
    GITHUB_RUN_ID: '7',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_JOB: 'deploy',
    GITHUB_REPOSITORY_ID: '42',
    GITHUB_ACTION: '__run',
  };
  const argv = ['release', 'start', '-f', planFile('keys'), '--version', 'v1'];
  const waiting = headgate(argv, env);
  await waiting.said('trying again');
  child = spawnServer(config);
  await ready(api, child);
  const first = await waiting.ended;
  expect(first.code).toBe(EXIT.ok);
  const again = await headgate(argv, env).ended;
  expect([again.code, again.out]).toEqual([EXIT.ok, first.out]);
  expect((await headgate(argv, { ...env, GITHUB_RUN_ATTEMPT: '2' }).ended).code).toBe(EXIT.conflict);
  expect((await get(`${api}/v1/releases?service=keys`)).body.items).toHaveLength(1);
});

test('10, 21: taken back by a check, and by its deadline', async () => {
  const [bad, late] = await Promise.all([
    start('bad', 'bad', '--wait', '--timeout', '90s'),
    run(
      'release',
      'start',
      '-f',
      planFile('late', 'hold: 1s\nonNoData: hold\ndeadline: { after: 4s, otherwise: rollback }\n'),
      '--version',
      'v1',
      '--paused',
      '--wait',
      '--timeout',
      '90s',
    ),
  ]);
  expect([bad.code, bad.err]).toEqual([EXIT.rolledBack, expect.stringContaining('rolled back')]);
  expect([late.code, late.err]).toEqual([EXIT.deadline, expect.stringContaining('it waits for a person, and so does this')]);
});

test('11, 20, 75, 79, 30: by a person, waiting for one, timed out, in conflict, superseded', async () => {
  const id = idOf(await start('person', 'v1'));
  expect((await run('release', 'wait', id, '--until', 'step:1', '--timeout', '60s')).code).toBe(EXIT.ok);
  expect((await run('release', 'wait', id, '--timeout', '200ms')).code).toBe(EXIT.timedOut);
  expect((await start('person', 'v2')).code).toBe(EXIT.conflict);
  expect((await run('release', 'promote', id, '--if-match', '1', '--reason', 'old news')).code).toBe(EXIT.conflict);
  expect((await run('release', 'pause', id, '--reason', 'lunch')).code).toBe(EXIT.ok);
  expect((await run('release', 'wait', id, '--timeout', '200ms')).code).toBe(EXIT.waitingForPerson);
  expect((await run('release', 'wait', id, '--until', 'paused', '--timeout', '60s')).code).toBe(EXIT.ok);
  expect(await run('release', 'wait', id, '--until', 'step:9')).toMatchObject({
    code: EXIT.usage,
    err: 'there is no step 9 to wait for: the plan has 2\n',
  });
  const leaving = headgate(['release', 'watch', id]);
  await leaving.said('paused at 5 %');
  leaving.stop('SIGINT');
  expect(await leaving.ended).toMatchObject({
    code: 130,
    err: expect.stringContaining(`the release goes on; headgate release wait ${id}`),
  });
  const waiting = headgate(['--json', 'release', 'wait', id, '--until', 'promoted', '--timeout', '90s']);
  expect((await run('release', 'rollback', id)).code).toBe(EXIT.ok);
  const { code, out } = await waiting.ended;
  expect(code).toBe(EXIT.rolledBackByPerson);
  const phases = out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { phase: { kind: string } }).phase.kind);
  expect(phases.at(-1)).toBe('rolledBack');

  const old = idOf(await start('old', 'v1'));
  const left = headgate(['release', 'wait', old, '--timeout', '90s']);
  expect((await start('old', 'v2', '--on-busy', 'supersede')).code).toBe(EXIT.ok);
  expect((await left.ended).code).toBe(EXIT.superseded);
});

test('what is said of a check is what was measured last, though its verdict has not changed since', async () => {
  const id = idOf(await start('told', 'v1'));
  await run('release', 'wait', id, '--until', 'step:1', '--timeout', '60s');
  const said = async (): Promise<string> => (await run('release', 'get', id)).out;
  await expect.poll(said).toContain('canary sick 0,');
  level = 0.25;
  await expect.poll(said).toContain('canary sick 0.25,');
  expect((await get(`${api}/v1/releases/${id}`)).body.checks.sick.sentence).not.toContain('0.25');
});

test('1, 2, 69, 77: a mistake of the service, a document with problems, nobody there, not allowed', async () => {
  const file = join(folder, 'wrong.yaml');
  writeFileSync(file, 'service: good\nstepz: [5%]\n');
  const at = (where: string): readonly string[] => ['--server', where, 'release', 'rollback', 'x', '--retry', '0s'];
  const codes = await Promise.all([
    run(...at(`${here}/mistake`)),
    run('release', 'start', '-f', file, '--version', 'v9'),
    run(...at(`http://127.0.0.1:${await freePort()}`)),
    run(...at(`${here}/forbidden`)),
    run('release', 'wait', 'x', '--until', 'nonsense'),
    run(...at('127.0.0.1:18080')),
    run(...at(`${here}/page`)),
    start('good', 'v9', '--wait', '--until', 'step:9'),
    start('keys', 'v9', '--wait', '--until', 'promotde', '--on-busy', 'queue'),
  ]);
  const { ours, usage, unreachable, forbidden } = EXIT;
  expect(codes.map(({ code }) => code)).toEqual([ours, usage, unreachable, forbidden, usage, usage, usage, usage, usage]);
  expect(codes.slice(5).map(({ err }) => err)).toEqual([
    expect.stringMatching(/^the address of the service .*; http:\/\/127\.0\.0\.1:18080 is meant, perhaps\n$/),
    expect.stringMatching(/is not Headgate: it answers 200 with text\/html; --server or HEADGATE_SERVER says where/),
    expect.stringContaining('there is no step 9 to wait for: the plan has 2'),
    expect.stringContaining('terminal, promoted, paused or step:N'),
  ]);
  // What cannot be waited for is said before anything begins.
  expect((await get(`${api}/v1/releases?version=v9`)).body.items).toEqual([]);
});

test('429 and 401: a wait comes back when it may, and ends only when its token stays unknown: 77, or 76 where the release was seen to go on', async () => {
  const id = idOf(await start('good', 'v7'));
  const wait = (kind: string, env: Record<string, string> = {}): Promise<Ended> => {
    gates.seen = [];
    return headgate(['--server', `${here}/gate/${kind}`, 'release', 'wait', id, '--until', 'step:1', '--timeout', '90s'], env)
      .ended;
  };
  const since = performance.now();
  expect(await wait('429')).toMatchObject({ code: EXIT.ok, err: expect.stringContaining('refused with 429') });
  expect(performance.now() - since).toBeGreaterThanOrEqual(1_000);
  expect(gates.seen.length).toBeGreaterThan(1);

  gates.tokenFile = join(folder, 'token');
  const env = { HEADGATE_TOKEN_FILE: gates.tokenFile };
  writeFileSync(gates.tokenFile, 'old\n');
  const lost = headgate(['--server', `${here}/gate/lost`, 'release', 'wait', id, '--timeout', '90s'], env).ended;
  const unknown = await wait('401', env);
  const left = await lost;
  expect([left.code, left.err]).toEqual([EXIT.lost, expect.stringContaining(`headgate release wait ${id} follows it again`)]);
  expect(left.err).toContain('it answers 404 with text/html');
  expect(unknown).toMatchObject({ code: EXIT.forbidden, err: expect.stringContaining('given a moment') });
  expect(gates.seen).toEqual(['401 Bearer old', '401 Bearer old']);
  gates.renewed = true;
  expect((await wait('401', env)).code).toBe(EXIT.ok);
  expect(gates.seen.slice(0, 3)).toEqual(['401 Bearer old', '401 Bearer old', '401 Bearer new']);
  expect((await run('release', 'rollback', id)).code).toBe(EXIT.ok);
});

test('12: a rollback that the load balancer has not answered to for a minute', async () => {
  expect(await unverified).toMatchObject({ code: EXIT.unverified });
});

test('the page for operators has the same table', () => {
  const page = readFileSync('docs/operating.md', 'utf8');
  const listed = [...page.matchAll(/^\| (\d+) +\| /gm)].map(([, code]) => Number(code));
  expect(listed).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
});
