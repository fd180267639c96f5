/** The configurations that pages show are ones: each is parsed as it stands there. HAProxy's and Prometheus's own are started. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../src/config.ts';
import { parsePlan } from '../src/contract/plan.ts';
import { pushBody } from '../src/contract/push.ts';
import { planWorldOf } from '../src/plan-world.ts';

const blocksOf = (page: string): readonly string[] =>
  [...readFileSync(new URL(`../docs/${page}`, import.meta.url), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
    ([, block = '']) => block,
  );
const secrets = { env: () => 'a secret', file: () => 'a secret' };
const problems = (text: string): unknown => {
  const parsed = parseConfig({ text, secrets, dev: false });
  return parsed.ok ? [] : parsed.error;
};

it.each([
  ...[
    'routers/edge.md',
    'routers/haproxy.md',
    'metrics/prometheus.md',
    'metrics/push.md',
    'metrics/web.md',
    'metrics/influxdb.md',
  ],
  ...['metrics/graphite.md', 'operating.md', 'rights-and-audit.md', 'routers/unleash.md', 'routers/launchdarkly.md', 'ofrep.md'],
])('the headgate.yaml of %s is one', (page) => {
  const ours = blocksOf(page).filter((block) => /^(routers|providers|services):/m.test(block));
  expect(ours.length).toBeGreaterThan(0);
  for (const block of ours) {
    // A page that shows an excerpt leaves out what its services would name.
    const text = page === 'operating.md' ? block.replace('routers: {}', ROUTER).replace('providers: {}', PROVIDER) : block;
    expect(problems(text), block).toEqual([]);
  }
});

const ROUTER =
  'routers: { front: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: http://a }, green: { url: http://b } } } } } }';
const PROVIDER = 'providers: { edge: { type: edge } }';

it.each([
  ['metrics/prometheus.md', ['errors', 'promise', 'log-errors', 'restarts', 'latency', 'memory', 'cpu', 'queue', 'saturation']],
  ['metrics/push.md', ['errors', 'restarts', 'latency', 'memory', 'busiest']],
  ['metrics/web.md', ['errors', 'latency', 'queue']],
  ['metrics/influxdb.md', ['errors', 'restarts', 'latency', 'memory', 'slow']],
  ['metrics/graphite.md', ['errors', 'restarts', 'latency', 'memory', 'queue']],
])('the checks that %s shows are ones, and so is the provider that it shows', (page, names) => {
  const blocks = blocksOf(page);
  const provider = blocks.find((block) => block.startsWith('providers:')) ?? '';
  const checks = blocks.find((block) => block.startsWith('checks:')) ?? '';
  const named = Object.keys(parse(provider).providers)[0];
  const config = parseConfig({ text: `${provider}services: { checkout: { provider: ${named} } }\n`, secrets, dev: false });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const plan = parsePlan(`service: checkout\nsteps: [5%]\nhold: 5m\n${checks}`, planWorldOf(config.value, null));
  expect(plan.ok ? [] : plan.error).toEqual([]);
  expect(Object.keys(parse(checks).checks)).toEqual(names);
});

it('the push that its page shows is one', () => {
  const page = readFileSync(new URL('../docs/metrics/push.md', import.meta.url), 'utf8');
  const bodies = [/^```json\n([\s\S]*?)^```/gm, /-d '([\s\S]*?)'\n/g]
    .flatMap((block) => [...page.matchAll(block)])
    .map(([, body]) => body ?? '');
  expect(bodies).toHaveLength(3);
  for (const body of bodies) expect(pushBody.safeParse(JSON.parse(body)).error).toBeUndefined();
});
