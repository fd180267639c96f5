/** What is asked before a plan runs, over HTTP and on the command line: previews, simulations, replays, and what is refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { runCli } from '../src/cli/run.ts';
import { parseConfig } from '../src/config.ts';
import { slicer } from '../src/controller/slices.ts';
import { Instant } from '../src/domain/ids.ts';
import { startProm } from './ahead.world.ts';
import type { FakeProm } from './ahead.world.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-ahead-'));
let app: App;
let base: string;
let prom: FakeProm;

beforeAll(async () => {
  prom = await startProm();
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(folder, 'ahead.db')} }
routers: { front: { type: edge, listen: 127.0.0.1:0, routes: { app: { match: { path: / }, slots: { blue: { url: http://127.0.0.1:9 }, green: { url: http://127.0.0.1:9 } } } } } }
providers: { prom: { type: prometheus, url: ${prom.url} }, edge: { type: edge } }
services: { shop: { provider: prom, targets: [{ router: front, route: app }] } }
`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const quiet = (): void => {};
  app = await createApp(config.value, { debug: quiet, info: quiet, warn: quiet, error: quiet });
  base = await app.listen();
  await post('/v1/services/shop/stable', { version: '1' }, 'PUT');
});
afterAll(async () => {
  await app.close(2_000);
  await prom.close();
  rmSync(folder, { recursive: true, force: true });
});

type Body = Record<string, any>;
async function post(path: string, body: unknown, method = 'POST'): Promise<{ status: number; body: Body }> {
  const init = { method, headers: { 'content-type': 'application/json', 'if-match': '*' }, body: JSON.stringify(body) };
  const answer = await app.fetch(new Request(`http://headgate${path}`, init));
  return { status: answer.status, body: (await answer.json()) as Body };
}
async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const out = new PassThrough();
  const err = new PassThrough();
  const code = await runCli(argv, {
    out,
    err,
    env: {},
    fetch,
    serve: async () => 0,
    version: '1.2.3',
    worldOf: () => ({ ok: false, error: [{ path: '', message: 'no such configuration', line: null, column: null }] }),
  });
  return { code, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

const ERRORS = { errors: { kind: 'ratio', bad: 'bad_total', total: 'requests_total', version: 'version' } };
const plan = (more: object = {}) => ({ service: 'shop', steps: ['5%', '25%'], hold: '5m', checks: ERRORS, ...more });
const traffic = { requestsPerSecond: 100, errors: '0.1%' };

test('a preview says what each step sees and how soon regressions are found', async () => {
  const { status, body } = await post('/v1/plans:preview', { document: plan({ steps: ['1%', '25%'] }), traffic });
  expect(status).toBe(200);
  expect(body).toMatchObject({ requestsPerSecond: 100, measured: false, notForetold: [] });
  expect(body['steps'][0]).toMatchObject({ step: 1, weightBp: 100, checks: { errors: { requests: 300, enough: false } } });
  expect(body['steps'][1].checks.errors).toMatchObject({ requests: 7500, enough: true, sees: { from: 0.001 } });
  expect(body['advice'][0]).toMatch(/^step 1 at 1 % is too short: .* hold \d+m instead of 5m, or weight [\d.]+ % instead of 1 %/);
  const five = body['regressions'].find((each: Body) => each['change'].to === 0.05);
  expect(five).toMatchObject({ check: 'errors', unit: 'share', found: 1 });
});

test('the traffic is measured where none is given', async () => {
  const { status, body } = await post('/v1/plans:preview', { document: plan() });
  expect(status).toBe(200);
  expect(body['measured']).toBe(true);
  expect(body['requestsPerSecond']).toBeCloseTo(90, 0);
  expect(body['steps'][0].checks.errors.sees.from).toBeCloseTo(0.01, 3);
});

test('what cannot be measured is refused with what to give instead', async () => {
  const { status, body } = await post('/v1/plans:preview', {
    document: plan({ checks: { cpu: { kind: 'threshold', query: 'up', max: 1 } } }),
  });
  expect(status).toBe(422);
  expect(body['detail']).toContain('give it, such as requestsPerSecond 100 and errors 0.1%');
  expect(body['errors'][0].pointer).toBe('/traffic');
});

test('a simulation plays whole releases and draws one of them; the same seed is the same answer', async () => {
  const asked = { document: plan(), traffic, canary: { errors: '5%', fromWeight: '25%' }, runs: 5, seed: 7 };
  const { status, body } = await post('/v1/plans:simulate', asked);
  expect(status).toBe(200);
  expect(body).toMatchObject({ runs: 5, ends: { rolledBack: { share: 1 }, promoted: { share: 0, medianMs: null } } });
  expect(body['first']).toMatchObject({ end: 'rolledBack', weightBp: 2500 });
  expect(body['first'].cause).toContain('shop canary is rolled back at 25 %');
  const last = body['first'].moments.at(-1);
  expect(last).toMatchObject({ weightBp: 2500, verdict: 'fail' });
  expect(last.logE).toBeGreaterThanOrEqual(last.threshold);
  expect((await post('/v1/plans:simulate', asked)).body).toEqual(body);
});

test('wrong numbers are refused with their place and the number that would work', async () => {
  const of = async (path: string, body: object) => {
    const answer = await post(path, body);
    return { status: answer.status, first: (answer.body['errors'] as Body[] | undefined)?.[0] ?? answer.body };
  };
  expect(await of('/v1/plans:preview', { document: plan(), trafic: 1 })).toMatchObject({
    status: 422,
    first: { pointer: '/trafic', detail: 'unknown key "trafic", did you mean "traffic"?' },
  });
  expect((await of('/v1/plans:simulate', { document: plan(), traffic: { ...traffic, errors: 0.1 } })).first).toMatchObject({
    pointer: '/traffic/errors',
    detail: 'a share with its percent sign, such as 10% or 0.5%',
  });
  expect((await of('/v1/plans:simulate', { document: plan(), traffic, runs: 100_000 })).first['detail']).toMatch(
    /^100000 runs of 1h are too much work for one request: 277 at the most$/,
  );
  expect((await of('/v1/plans:preview', { document: plan({ steps: ['10%', '5%'] }), traffic })).first).toMatchObject({
    pointer: '/document/steps/1',
  });
  const span = { version: '2', from: '2026-11-20T09:00Z', to: '2026-11-20T08:00Z' };
  expect((await of('/v1/plans:backtest', { document: plan(), ...span })).first['detail']).toBe('the span ends after it begins');
  expect((await of('/v1/plans:backtest', { document: plan(), ...span, to: '2026-12-20T08:00Z' })).first['detail']).toContain(
    'more than 5000 steps: 13h53m20s at the most',
  );
  expect((await of('/v1/plans:backtest', { document: plan(), ...span, from: 'yesterday' })).first['detail']).toBe(
    'a time with its zone, such as 2026-11-20T09:00Z',
  );
});

test('a replay says what the plan would have said, when, and what it cannot know', async () => {
  const { status, body } = await post('/v1/plans:backtest', {
    document: plan(),
    version: '2',
    from: '2026-11-20T09:00Z',
    to: '2026-11-20T09:30Z',
  });
  expect(status).toBe(200);
  expect(body['course']).toMatchObject({ end: 'rolledBack', weightBp: 500 });
  expect(body['course'].ms).toBeLessThan(120_000);
  expect(body['canaryShare']).toBeCloseTo(0.1, 2);
  expect(body['caveats'][0]).toContain('weights were what they were: the canary had 10 % of the requests on the whole');
});

test('the command line works without a service where the traffic is given', async () => {
  const file = join(folder, 'plan.yaml');
  writeFileSync(file, 'service: anything\nsteps: [1%, 25%]\nhold: 5m\nchecks: [errors, latency]\n');
  const preview = await cli('--server', 'http://127.0.0.1:9', 'plan', 'preview', '-f', file, '--rps', '100', '--errors', '0.1%');
  expect(preview).toMatchObject({ code: 0, err: '' });
  expect(preview.out).toMatch(/^step +weight +hold +check +requests +needed +sees, with 90 %, a regression$/m);
  expect(preview.out.split('\n').every((line) => line.length <= 100)).toBe(true);
  const bad = ['--rps', '100', '--errors', '0.1%:5%', '--runs', '3'];
  const simulated = await cli('plan', 'simulate', '-f', file, ...bad);
  expect(simulated.code).toBe(0);
  expect(simulated.out).toMatch(/rolled back +100 %/);
  expect(simulated.out).toContain('▕████████████████████▏');
  expect(simulated.out.split('\n').every((line) => line.length <= 100)).toBe(true);
  const json = JSON.parse((await cli('--json', 'plan', 'simulate', '-f', file, ...bad)).out) as Body;
  expect(json['ends'].rolledBack.share).toBe(1);
});

test('the command line refuses what the service would, with the same words, and asks it where it has to', async () => {
  const file = join(folder, 'plan.yaml');
  writeFileSync(file, 'service: anything\nsteps: [10%, 5%]\nchecks: [errors]\n');
  expect(await cli('plan', 'preview', '-f', file, '--rps', '100')).toMatchObject({
    code: 2,
    err: expect.stringContaining(`${file}:2:14: weights rise from step to step`),
  });
  expect(await cli('plan', 'preview', '-f', file, '--rps', '-3')).toMatchObject({
    code: 2,
    err: `/traffic/requestsPerSecond: some requests\n${file}:2:14: weights rise from step to step: 5 % comes after 10 %\n`,
  });
  expect((await cli('plan', 'preview', '-f', file, '--rps', '100', '--config', 'none')).err).toContain('no such configuration');
  expect((await cli('plan', 'simulate', '-f', file, '--rps', '1', '--away', '5m')).code).toBe(2);
  expect((await cli('--server', 'http://127.0.0.1:9', 'plan', 'preview', '-f', file)).code).toBe(69);
  writeFileSync(file, JSON.stringify(plan()));
  const span = ['--version', '2', '--from', '2026-11-20T09:00Z', '--to', '2026-11-20T09:30Z'];
  const replay = await cli('--server', base, 'plan', 'backtest', '-f', file, ...span);
  expect(replay.code).toBe(0);
  expect(replay.out).toContain('- weights were what they were');
});

test('long calculations leave room for others, stop when nobody waits, and are not too many at once', async () => {
  let ms = 0;
  let slept = 0;
  const clock = { now: () => Instant(0), monotonicMs: () => ms, sleep: async () => void slept++ };
  const work = function* (steps: number): Generator<void, string, void> {
    for (let step = 0; step < steps; step++) {
      ms += 4;
      yield;
    }
    return 'done';
  };
  const slices = slicer(clock);
  const open = new AbortController();
  expect(await slices.run(work(30), open.signal)).toEqual({ kind: 'done', value: 'done' });
  expect(slept).toBe(10);
  const two = [slices.run(work(30), open.signal), slices.run(work(30), open.signal)];
  expect(await slices.run(work(1), open.signal)).toEqual({ kind: 'busy' });
  open.abort();
  expect((await Promise.all(two)).map(({ kind }) => kind)).toEqual(['stopped', 'stopped']);
});
