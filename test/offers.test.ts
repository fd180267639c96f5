/** What a plan may take from an offer: the counters behind a share of errors also serve a promised limit and ranks. */
import { expect, it } from 'vitest';
import { edgeProvider } from '../src/adapters/metrics/edge.ts';
import { prometheusOptions } from '../src/adapters/metrics/prometheus/options.ts';
import { prometheus } from '../src/adapters/metrics/prometheus/prometheus.ts';
import { parsePlan } from '../src/contract/plan.ts';
import type { PlanWorld } from '../src/contract/plan-world.ts';
import { err } from '../src/lib/result.ts';

const silent = async () => err('nobody is there');
const options = prometheusOptions.parse({
  type: 'prometheus',
  url: 'http://prom',
  checks: {
    errors: { kind: 'ratio', bad: 'a', total: 'b', by: 'route' },
    restarts: { kind: 'rate', events: 'a' },
    memory: { kind: 'gauge', query: 'a' },
    load: { kind: 'threshold', query: 'max(a)' },
  },
});
const world: PlanWorld = {
  services: new Map([['shop', { provider: 'edge', promotion: 'swap', minNonZeroBp: 1 }]]),
  providers: new Map([
    ['edge', edgeProvider('edge', [])],
    ['prom', prometheus('prom', options, { instant: silent, range: silent, past: silent })],
  ]),
  notifiers: new Set(),
};

function checkOf(text: string): unknown {
  const plan = parsePlan(`service: shop\nsteps: [5%]\nchecks:\n  a: { ${text} }\n`, world);
  return plan.ok ? plan.value.plan.checks['a'] : plan.error.map(({ message }) => message);
}

it.each([
  ['kind: slo, offered: errors, max: 1%', { kind: 'slo', max: 0.01, query: { offered: 'errors' } }],
  ['kind: mann-whitney, offered: errors', { kind: 'mann-whitney', query: { offered: 'errors' } }],
  ['kind: slo, offered: errors, max: 1%, provider: prom', { kind: 'slo', provider: 'prom', query: { offered: 'errors' } }],
  ['kind: mann-whitney, offered: memory, provider: prom', { kind: 'mann-whitney', query: { offered: 'memory' } }],
  ['kind: rate, offered: restarts, provider: prom', { kind: 'rate', query: { offered: 'restarts' } }],
  [
    'kind: threshold, offered: load, provider: prom, max: 1, range: 5m',
    { kind: 'threshold', query: { offered: 'load', range: '300000', reduce: 'max' } },
  ],
])('takes { %s }', (text, check) => expect(checkOf(text)).toMatchObject(check));

it.each([
  ['kind: slo, offered: latency, max: 1%', 'edge offers latency as latency, not slo'],
  ['kind: gauge, offered: errors', 'edge offers errors as ratio, not gauge'],
  ['kind: rate, offered: errors', 'edge offers errors as ratio, not rate'],
  ['kind: ratio, offered: restarts, provider: prom', 'prom offers restarts as rate, not ratio'],
  ['kind: slo, offered: memory, max: 1%, provider: prom', 'prom offers memory as gauge, not slo'],
])('refuses { %s }', (text, message) => expect(checkOf(text)).toContain(message));

it('takes offers by their names alone', () => {
  const plan = parsePlan('service: shop\nsteps: [5%]\nchecks: [errors, latency]\n', world);
  expect(plan.ok && Object.values(plan.value.plan.checks).map(({ kind }) => kind)).toEqual(['ratio', 'latency']);
});
