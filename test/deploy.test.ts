/**
 * What is given to operators to load elsewhere: alert rules with tests of their own, a way to scrape, a dashboard. All of it
 * is held against the metrics that a running Headgate has.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { parseConfig } from '../src/config.ts';

const run = promisify(execFile);
const deploy = resolve(import.meta.dirname, '../deploy');
const read = (file: string): string => readFileSync(join(deploy, file), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'headgate-deploy-'));

let app: App;
let slot: Server;
let metrics: string;

beforeAll(async () => {
  slot = createServer((_request, response) => response.end('here'));
  await new Promise<void>((done) => slot.listen(0, '127.0.0.1', done));
  const address = slot.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(folder, 'deploy.db')} }
settings: { settleMin: 1s, reconcileEvery: 1s }
routers:
  front: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: ${url} }, green: { url: ${url} } } } } }
providers: { edge: { type: edge } }
notify: { book: { type: log } }
services:
  shop: { provider: edge, notify: [book], targets: [{ router: front, route: app }] }
`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const quiet = (): void => {};
  app = await createApp(config.value, { debug: quiet, info: quiet, warn: quiet, error: quiet });
  await app.listen();
  const ask = (method: string, path: string, body: unknown): Promise<Response> =>
    Promise.resolve(
      app.fetch(
        new Request(`http://headgate${path}`, {
          method,
          headers: { 'content-type': 'application/json', 'if-match': '*' },
          body: JSON.stringify(body),
        }),
      ),
    );
  await ask('PUT', '/v1/services/shop/stable', { version: '1' });
  const plan = { service: 'shop', interval: '1s', steps: ['5%'], hold: '1h', checks: ['errors'] };
  const started = (await (await ask('POST', '/v1/releases', { plan, version: '2' })).json()) as { id: string };
  const scrape = async (): Promise<string> => (await app.fetch(new Request('http://headgate/metrics'))).text();
  await until(async () => /headgate_verdicts_total\{/.test(await scrape()));
  await ask('POST', `/v1/releases/${started.id}/commands/rollback`, {});
  await until(async () => /headgate_time_to_safe_seconds_count\{service="shop"\} 1/.test(await scrape()));
  metrics = await scrape();
});
afterAll(async () => {
  await app.close(2_000);
  slot.closeAllConnections();
  slot.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Looks again and again until it is so. */
async function until(reached: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 400; look++) {
    if (await reached()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error('never reached');
}

/** Names of metrics in an expression, without the endings of a histogram's series. */
const named = (expression: string): readonly string[] =>
  [...expression.replaceAll(/"[^"]*"/g, '').matchAll(/\b(?:headgate|nodejs|process)_\w+/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
const known = (): ReadonlySet<string> => new Set([...metrics.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name));

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
};
const rules = (): readonly Rule[] =>
  (parse(read('prometheus/headgate.rules.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

test('Prometheus takes the rules and the example of a configuration', async () => {
  const cwd = join(deploy, 'prometheus');
  expect((await run('promtool', ['check', 'rules', 'headgate.rules.yml'], { cwd })).stdout).toContain('SUCCESS');
  expect((await run('promtool', ['check', 'config', 'scrape.yml'], { cwd })).stdout).toContain('SUCCESS');
});

test('every alert fires when it should and not before', async () => {
  const { stdout } = await run('promtool', ['test', 'rules', 'headgate.rules.test.yml'], { cwd: join(deploy, 'prometheus') });
  expect(stdout).toContain('SUCCESS');
  const { tests } = parse(read('prometheus/headgate.rules.test.yml')) as { tests: { name: string }[] };
  expect(new Set(tests.map(({ name }) => name))).toEqual(new Set(rules().map(({ alert }) => alert)));
});

test('every alert says what is wrong, what it means, and whether to wake somebody', () => {
  for (const { alert, labels, annotations } of rules()) {
    expect(['critical', 'warning'], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(10);
    expect(annotations.description.length, alert).toBeGreaterThan(40);
  }
});

test('promtool finds nothing to say against the names and helps of the metrics', async () => {
  const linter = spawn('promtool', ['check', 'metrics']);
  let said = '';
  for (const stream of [linter.stdout, linter.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  linter.stdin.end(metrics);
  const code = await new Promise<number | null>((done) => linter.once('close', done));
  expect([code, said]).toEqual([0, '']);
});

test('every metric in a rule or on the dashboard is one that Headgate has', () => {
  const have = known();
  const inRules = rules().flatMap(({ expr }) => named(expr));
  const inDashboard = expressions(JSON.parse(read('grafana/headgate.json'))).flatMap(named);
  expect(inRules.length).toBeGreaterThan(20);
  expect(inDashboard.length).toBeGreaterThan(30);
  expect([...inRules, ...inDashboard].filter((name) => !have.has(name))).toEqual([]);
});

test('Prometheus understands everything that the dashboard asks', async () => {
  const asked = expressions(JSON.parse(read('grafana/headgate.json'))).filter((each) => !each.startsWith('label_values('));
  const rule = (expr: string, index: number): object => ({
    record: `asked_${index}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  });
  const file = join(folder, 'asked.yml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: asked.map(rule) }] }));
  expect((await run('promtool', ['check', 'rules', file])).stdout).toContain(`${asked.length} rules found`);
});

test('every metric of Headgate is on the dashboard and in its document', () => {
  const own = [...known()].filter((name) => name.startsWith('headgate_'));
  const shown = new Set(expressions(JSON.parse(read('grafana/headgate.json'))).flatMap(named));
  expect(own.filter((name) => !shown.has(name))).toEqual([]);
  const document = readFileSync(resolve(deploy, '../docs/observability.md'), 'utf8');
  expect(own.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
});

test('the panels of the dashboard have ids of their own, stay on the grid, and overlap nowhere', () => {
  type Place = { x: number; y: number; w: number; h: number };
  const { panels } = JSON.parse(read('grafana/headgate.json')) as { panels: { id: number; title: string; gridPos: Place }[] };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(panels.filter(({ gridPos: at }) => 24 < at.x + at.w)).toEqual([]);
  const meet = (a: Place, b: Place): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  const clashes = panels.flatMap((one, index) =>
    panels.slice(index + 1).flatMap((other) => (meet(one.gridPos, other.gridPos) ? [`${one.title} and ${other.title}`] : [])),
  );
  expect(clashes).toEqual([]);
});

/** What any panel and variable asks, wherever it stands in the document. */
function expressions(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
    (key === 'expr' || key === 'definition') && typeof value === 'string' ? [value] : expressions(value),
  );
}
