/** What pipelines load: the bundled action as the runner starts it, against a real service; and that all of them use flags there are. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { BUNDLE, bundledAction } from '../scripts/bundle-action.ts';
import { service } from './service.ts';
import type { Service } from './service.ts';

const root = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'headgate-pipelines-'));
const names = ['good', 'back', 'cancelled', 'renewed', 'wrong'];
let s: Service;
let server: string;
beforeAll(async () => {
  s = await service(names);
  server = await s.app.listen();
  for (const name of names)
    await s.ask('PUT', `/v1/services/${name}/stable`, { body: { version: '1' }, headers: { 'if-match': '*' } });
});
afterAll(async () => {
  await s.closing();
  rmSync(folder, { recursive: true, force: true });
});

let runs = 0;
type Inputs = Readonly<Record<string, string>>;

/** As the runner does it: inputs as variables, and files to write to. */
function action(inputs: Inputs, more: Readonly<Record<string, string>> = {}) {
  const file = (name: string): string => join(folder, `${runs}-${name}`);
  runs += 1;
  for (const name of ['output', 'summary']) writeFileSync(file(name), '');
  const given = { server, version: '2', checks: 'errors,latency', timeout: '30s', wait: 'true', until: 'terminal', ...inputs };
  const env = {
    PATH: process.env['PATH'],
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    GITHUB_OUTPUT: file('output'),
    GITHUB_STEP_SUMMARY: file('summary'),
    GITHUB_REPOSITORY: 'acme/shop',
    ...{
      GITHUB_REPOSITORY_ID: '42',
      GITHUB_RUN_ID: '7',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_JOB: 'release',
      GITHUB_ACTION: `step-${runs}`,
    },
    ...more,
  };
  const child = spawn(process.execPath, [BUNDLE], { env, stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  let out = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (out += part.toString()));
  const ended = new Promise<{ code: number | null; out: string; outputs: Record<string, string>; summary: string }>((done) =>
    child.once('close', (code) => {
      const lines = readFileSync(file('output'), 'utf8').trim().split('\n');
      const outputs = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      done({ code, out, outputs, summary: readFileSync(file('summary'), 'utf8') });
    }),
  );
  /** Resolves when it has printed the text. */
  const says = (text: string): Promise<void> =>
    new Promise((done) => {
      const look = (): void => void (out.includes(text) && done());
      child.stdout.on('data', look);
      look();
    });
  return { child, ended, says };
}
async function running(name: string): Promise<string> {
  for (let look = 0; look < 400; look++) {
    const [found] = (await s.ask('GET', `/v1/releases?service=${name}`)).body.items;
    if (found?.phase.kind === 'watching') return found.id;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`${name} is not released`);
}

test('the bundle that is committed is what its sources give', async () => {
  expect(await bundledAction(), 'npm run build:action').toBe(readFileSync(BUNDLE, 'utf8'));
});

test('the action says what became of a good release, where people and later steps look', async () => {
  const { code, out, outputs, summary } = await action({ service: 'good', stages: '5%,1s', checks: '', audience: '' }).ended;
  expect([code, out]).toEqual([0, expect.stringContaining('::notice title=good 2::good 2 is promoted')]);
  expect(outputs).toMatchObject({ phase: 'promoted', 'exit-code': '0', url: `${server}/releases/${outputs['release-id']}` });
  expect(summary).toContain('### good 1 → 2: promoted');
  expect(summary).toContain(`[${outputs['release-id']}](${server}/releases/${outputs['release-id']})`);
  const { body } = await s.ask('GET', `/v1/releases/${outputs['release-id']}`);
  expect(body.createdBy).toBe('acme/shop run 7');
});

test('a release that is taken back fails the step with its code, its sentence and its evidence', async () => {
  writeFileSync(join(folder, 'plan.yaml'), 'service: back\nsteps: [5%]\nhold: 1h\ninterval: 1s\nchecks: [errors]\n');
  const step = action({ file: 'plan.yaml' });
  const id = await running('back');
  await s.ask('POST', `/v1/releases/${id}/commands/rollback`, { body: { reason: 'a | pipe' } });
  const { code, out, outputs, summary } = await step.ended;
  expect([code, outputs['phase'], outputs['exit-code']]).toEqual([11, 'rolledBack', '11']);
  expect(out).toContain('::error title=back 2::');
  expect(summary).toContain('a \\| pipe');
  expect(summary).toContain('| errors |');
});

test('a job that is cancelled leaves the release alone, and the same attempt of the step finds it again', async () => {
  const inputs = { service: 'cancelled', stages: '5%,1h', checks: 'errors' };
  const step = action(inputs, { GITHUB_ACTION: 'same' });
  const id = await running('cancelled');
  await step.says(id);
  step.child.kill('SIGINT');
  const { code, out, outputs } = await step.ended;
  expect([code, outputs['release-id']]).toEqual([130, id]);
  expect(out).toContain('The release goes on');
  expect((await s.ask('GET', `/v1/releases/${id}`)).body.rollback).toBeNull();
  const again = await action({ ...inputs, wait: 'false' }, { GITHUB_ACTION: 'same' }).ended;
  expect([again.code, again.outputs['release-id']]).toEqual([0, id]);
});

test('a job that is cancelled while the service has not answered says that the release may have begun', async () => {
  const asked = Promise.withResolvers<void>();
  const silent = createServer(() => asked.resolve());
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const step = action({ service: 'cancelled', stages: '5%,1h', checks: 'errors', server: url });
  await asked.promise;
  step.child.kill('SIGTERM');
  const { code, out } = await step.ended;
  silent.closeAllConnections();
  silent.close();
  expect(code).toBe(130);
  expect(out).toContain('may have begun');
});

test('an ID token that has run out in the middle of a wait is replaced by a new one', async () => {
  let issued = 0;
  const seen: string[] = [];
  const through: Server = createServer((request, answer) => {
    if (request.url?.startsWith('/token')) {
      seen.push(`${request.url} ${request.headers.authorization}`);
      return void answer.end(JSON.stringify({ value: `id-${++issued}` }));
    }
    // The first token is good for starting, and for nothing else.
    const isGood = request.headers.authorization === `Bearer id-${issued}` && !(issued === 1 && request.url?.includes('/wait'));
    if (!isGood) return void answer.writeHead(401).end('{"detail":"who are you?"}');
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { method = 'GET', url = '' } = request;
      const headers = {
        'content-type': 'application/json',
        'idempotency-key': String(request.headers['idempotency-key'] ?? 'none'),
      };
      void fetch(`${server}${url}`, { method, headers, ...(method === 'GET' ? {} : { body }) }).then(async (told) =>
        answer.writeHead(told.status).end(await told.text()),
      );
    });
  });
  await new Promise<void>((done) => through.listen(0, '127.0.0.1', done));
  const address = through.address();
  const at = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: `${at}/token?api=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner' };
  const { code, out } = await action(
    { server: at, service: 'renewed', stages: '5%,1s', checks: '', audience: 'https://headgate.example' },
    env,
  ).ended;
  through.closeAllConnections();
  through.close();
  expect([code, issued], out).toEqual([0, 2]);
  expect(seen[0]).toBe('/token?api=1&audience=https%3A%2F%2Fheadgate.example Bearer runner');
});

test.each([
  [{ service: 'wrong', stages: '5%' }, 2, 'the input stages: a stage is a weight and a hold'],
  [{}, 2, 'say by which plan'],
  [{ file: 'gone.yaml' }, 2, 'gone.yaml cannot be read'],
  [{ service: 'wrong', stages: '5%,1h', audience: 'x' }, 2, 'id-token: write'],
  [{ service: 'wrong', stages: '5%,1h', until: 'promotde' }, 2, 'the input until is terminal, promoted, paused or step:N'],
  [{ service: 'wrong', stages: '5%,1h', timeout: 'soon' }, 2, 'the input timeout is a duration'],
  [{ service: 'wrong', stages: '5%,1h', wait: 'flase' }, 2, 'the input wait is true or false'],
  [{ service: 'wrong', stages: '5%,1h', version: '1' }, 2, 'is the stable version'],
  [{ service: 'wrong', stages: '5%,1h', server: 'http://127.0.0.1:9', retry: '0s' }, 69, 'cannot be reached'],
])('what is wrong is said, and fails the step: %j', async (inputs, code, detail) => {
  const ended = await action(inputs).ended;
  expect([ended.code, ended.outputs['exit-code'], ended.out]).toEqual([code, String(code), expect.stringContaining(detail)]);
  expect((await s.ask('GET', '/v1/releases?service=wrong')).body.items).toEqual([]);
});

test('the action takes the inputs that it names, and the runner that starts it has the Node that it needs', () => {
  const { inputs, outputs, runs: how } = parse(read('deploy/github-action/action.yml'));
  const source = read('deploy/github-action/main.ts');
  const asked = [...source.matchAll(/(?:input|needed|duration)\('([\w-]+)'/g)].map(([, name]) => name);
  expect(new Set(asked)).toEqual(new Set(Object.keys(inputs)));
  expect(new Set([...source.matchAll(/output\('([\w-]+)'/g)].map(([, name]) => name))).toEqual(new Set(Object.keys(outputs)));
  expect(how).toEqual({ using: 'node24', main: 'dist/index.mjs' });
});

test('the GitLab component and the Jenkins stage use flags and variables that there are', async () => {
  const [spec, job] = parseAllDocuments(read('deploy/gitlab/templates/headgate.yml')).map((document) => document.toJS());
  const { inputs } = (spec as { spec: { inputs: object } }).spec;
  const used = [...read('deploy/gitlab/templates/headgate.yml').matchAll(/\$\[\[ inputs\.([\w-]+) \]\]/g)].map(
    ([, name]) => name,
  );
  expect(new Set(used)).toEqual(new Set(Object.keys(inputs)));
  const [only] = Object.values(job as Record<string, { script: string[]; allow_failure: object; image: object }>);
  expect(only?.allow_failure).toEqual({ exit_codes: [20, 75, 76] });
  // The container of docs/running.md serves when nothing is said, and a runner starts a shell in it.
  expect(only?.image).toMatchObject({ entrypoint: [''] });
  const help = await new Promise<string>((done) => {
    const child = spawn(process.execPath, ['src/main.ts', 'release', 'start', '--help'], { cwd: root });
    let text = '';
    child.stdout.on('data', (part: Buffer) => (text += part.toString()));
    child.once('close', () => done(text));
  });
  for (const script of [only?.script.join() ?? '', read('deploy/jenkins/Jenkinsfile')]) {
    const flags = [...script.matchAll(/ (--?[a-z][a-z-]*)/g)].map(([, flag = '']) => flag);
    expect(flags).toContain('--wait');
    for (const flag of flags) expect(help, flag).toMatch(new RegExp(`(^|\\s)${flag}\\b`));
  }
});
