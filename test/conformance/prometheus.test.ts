/** The prometheus provider against the real server: what it makes of everything that Prometheus can say. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, poster } from '../../src/adapters/metrics/prometheus/client.ts';
import { prometheusOptions } from '../../src/adapters/metrics/prometheus/options.ts';
import { prometheus } from '../../src/adapters/metrics/prometheus/prometheus.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { until } from '../real/programs.ts';
import { exporter, realPrometheus } from '../real/prometheus.ts';
import type { Exporter, RealPrometheus } from '../real/prometheus.ts';

const signal = new AbortController().signal;
type Query = Readonly<Record<string, string>>;

const base = { provider: 'prom', failures: { breaches: 1, of: 1 }, dryRun: false };
const ratio = (query: Query): Check => ({
  ...{ ...base, name: 'errors', query, kind: 'ratio', tolerance: 0.1, floor: 0.001, minRequests: 1, max: null, hardMax: null },
});
const latency = (query: Query): Check => ({
  ...{ ...base, name: 'latency', query, kind: 'latency', tolerance: 0.1, quantile: 0.95, minRequests: 1, maxMs: null },
  hardMaxMs: null,
});
const threshold = (query: string, more: Query = {}): Check => ({
  ...{ ...base, name: 'load', query: { query, ...more }, kind: 'threshold', min: null, max: 1, hardMin: null, hardMax: null },
});
const question = (check: Check, change: Partial<Question> = {}): Question => ({
  check,
  service: 'shop',
  canaryVersion: '2.0',
  stableVersion: '1.0',
  canarySlot: 'green',
  stableSlot: 'blue',
  routes: [],
  since: Instant(0),
  intervalMs: 5_000,
  now: Instant(Date.now()),
  ...change,
});

/** Series of both versions, each told by its label. */
const CANARY = [
  'plain_total{version="2.0",code="200"} 90',
  'plain_total{version="2.0",code="500"} 7',
  'plain_total{version="2.0",code="503"} 3',
  'calm_total{version="2.0",code="200"} 50',
  'weird_total{version="2.0",service="we\\"ird\\\\"} 5',
  'dotted_total{version="2.0",app="a.b"} 6',
  'nan_total{version="2.0"} NaN',
  'inf_total{version="2.0"} +Inf',
  'named_total{release="2.0"} 11',
  'many_total{version="2.0",service="shop",code="200"} 20',
  'many_total{version="2.0",service="till",code="200"} 30',
  'orphan_bad_total{version="9.9"} 4',
  'orphan_total{version="2.0"} 4',
  'time_seconds_bucket{version="2.0",le="0.1"} 10',
  'time_seconds_bucket{version="2.0",le="0.5"} 14',
  'time_seconds_bucket{version="2.0",le="+Inf"} 15',
  'time_ms_bucket{version="2.0",le="0"} 1',
  'time_ms_bucket{version="2.0",le="100"} 10',
  'time_ms_bucket{version="2.0",le="+Inf"} 15',
  'endless_seconds_bucket{version="2.0",le="0.1"} 10',
  'endless_seconds_bucket{version="2.0",le="0.5"} 14',
  'odd_seconds_bucket{version="2.0",le="0.1"} 10',
  'odd_seconds_bucket{version="2.0",le="+Inf"} 15',
  'sinking_seconds_bucket{version="2.0",le="0.1"} 10',
  'sinking_seconds_bucket{version="2.0",le="+Inf"} 9',
  'load_ratio{version="2.0",cpu="0"} 0.25',
  'load_ratio{version="2.0",cpu="1"} 0.75',
  'none_total{version="2.0"} 0',
];
const STABLE = [
  'plain_total{version="1.0",code="200"} 990',
  'plain_total{version="1.0",code="500"} 10',
  'plain_total{version="0.9",code="500"} 1000',
  'only_stable_total{version="1.0"} 5',
  'named_total{release="1.0"} 12',
  'odd_seconds_bucket{version="1.0",le="0.2"} 10',
  'odd_seconds_bucket{version="1.0",le="+Inf"} 15',
];

let server: RealPrometheus;
let canary: Exporter;
let stable: Exporter;
let second: Exporter;
let dying: Exporter;
beforeAll(async () => {
  canary = await exporter(CANARY.join('\n'));
  stable = await exporter(STABLE.join('\n'));
  second = await exporter('plain_total{version="2.0",code="200"} 100\nrestarting_total{version="2.0"} 500');
  dying = await exporter('dying_total{version="2.0"} 5');
  server = await realPrometheus({ targets: [canary, stable, second, dying].map(({ target }) => target) });
  await until('the first samples', async () => {
    const seen = await ask(ratio({ bad: 'plain_total{code=~"5.."}', total: 'plain_total' }));
    const load = await ask(threshold('count(load_ratio) + count(dying_total) + count(restarting_total)'));
    return seen.kind === 'counters' && seen.series.length === 3 && load.kind === 'value';
  });
}, 40_000);
afterAll(async () => {
  await server.close();
  await Promise.all([canary, stable, second].map((one) => one.close()));
});

function provider(options: Readonly<Record<string, unknown>> = {}): MetricProvider {
  const parsed = prometheusOptions.parse({ type: 'prometheus', url: server.url, shareMs: 0, ...options });
  return prometheus('prom', parsed, client(parsed, { post: poster(parsed), monotonicMs: () => performance.now() }));
}
const ask = (check: Check, change: Partial<Question> = {}): Promise<Measurement> =>
  provider().measure(question(check, change), signal);

const plain = ratio({ bad: 'plain_total{code=~"5.."}', total: 'plain_total' });

describe('provider prometheus: counters', () => {
  it('gives cumulative counts per instance, by the role of its version, and no other version', async () => {
    expect(await ask(plain)).toMatchObject({
      kind: 'counters',
      series: expect.toSatisfy((series: readonly { key: string }[]) => series.length === 3),
    });
    const seen = await ask(plain);
    const sorted = seen.kind === 'counters' ? seen.series.toSorted((a, b) => a.total - b.total || b.bad - a.bad) : [];
    expect(sorted).toEqual([
      { key: `2.0 ${canary.target}`, role: 'canary', startedAt: null, total: 100, bad: 10 },
      { key: `2.0 ${second.target}`, role: 'canary', startedAt: null, total: 100, bad: 0 },
      { key: `1.0 ${stable.target}`, role: 'stable', startedAt: null, total: 1_000, bad: 10 },
    ]);
  });

  it('is dated by the newest sample of the canary, and by the same one until there is another', async () => {
    const now = Date.now();
    const { at } = await ask(plain);
    expect(Math.abs(now - at)).toBeLessThan(1_500);
    const slow = await ask(ratio({ bad: 'up{code="x"}', total: 'plain_total @ 1' }));
    expect(slow.kind).not.toBe('counters');
  });

  it('takes absent errors for none', async () => {
    expect(await ask(ratio({ bad: 'calm_total{code=~"5.."}', total: 'calm_total' }))).toMatchObject({
      series: [{ role: 'canary', total: 50, bad: 0 }],
    });
  });

  it('has no data where there is no series of the canary', async () => {
    for (const total of ['only_stable_total', 'no_such_total'])
      expect(await ask(ratio({ bad: 'no_such_total{code="5"}', total }))).toMatchObject({
        kind: 'no_data',
        detail: 'no series of version 2.0',
      });
  });

  it('counts the canary alone where stable has no series', async () => {
    expect(await ask(ratio({ bad: 'none_total{x="1"}', total: 'none_total' }), { stableVersion: null })).toMatchObject({
      kind: 'counters',
      series: [{ role: 'canary', total: 0, bad: 0 }],
    });
  });

  it('fails on counts that are none', async () => {
    for (const name of ['nan_total', 'inf_total'])
      expect(await ask(ratio({ bad: `${name}{x="1"}`, total: name })), name).toMatchObject({
        kind: 'failed',
        detail: expect.stringContaining('that is none'),
      });
  });

  it('fails on errors of a version that has no requests', async () => {
    expect(await ask(ratio({ bad: 'orphan_bad_total', total: 'orphan_total' }))).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('bad requests of a version that has no requests: 9.9'),
    });
  });

  it('tells versions by another label', async () => {
    const named = ratio({ bad: 'named_total{x="1"}', total: 'named_total', version: 'release' });
    const seen = await ask(named);
    expect(seen.kind === 'counters' && seen.series.map(({ total }) => total).toSorted()).toEqual([11, 12]);
  });

  it('fails where canary and stable are the same version', async () => {
    expect(await ask(plain, { stableVersion: '2.0' })).toMatchObject({ kind: 'failed' });
  });

  it('puts values into a query as what they are, whatever is in them', async () => {
    const weird = ratio({ bad: 'x{a="{{service}}"}', total: 'weird_total{service="{{service}}"}' });
    expect(await ask(weird, { service: 'we"ird\\' })).toMatchObject({ series: [{ total: 5 }] });
    expect(await ask(weird, { service: '"} or plain_total{x="' })).toMatchObject({ kind: 'no_data' });
    const dotted = ratio({ bad: 'x{a="1"}', total: 'dotted_total{app=~"{{service}}"}' });
    expect(await ask(dotted, { service: 'a.b' })).toMatchObject({ series: [{ total: 6 }] });
    expect(await ask(dotted, { service: 'a+b|.*' })).toMatchObject({ kind: 'no_data' });
  });

  it('sees the series of a target end that died, and a counter begin anew', async () => {
    const dead = ratio({ bad: 'dying_total{x="1"}', total: 'dying_total' });
    expect(await ask(dead)).toMatchObject({ kind: 'counters' });
    await dying.close();
    await until('the end of its series', async () => (await ask(dead)).kind === 'no_data', 5_000);
    second.text = second.text.replace('500', '3');
    const restarting = ratio({ bad: 'restarting_total{x="1"}', total: 'restarting_total' });
    await until('the new count', async () => {
      const seen = await ask(restarting);
      return seen.kind === 'counters' && seen.series[0]?.total === 3;
    });
  });
});

describe('provider prometheus: histograms', () => {
  it('gives counts per bucket, in milliseconds', async () => {
    expect(await ask(latency({ histogram: 'time_seconds' }))).toMatchObject({
      kind: 'histogram',
      boundsMs: [100, 500],
      series: [{ role: 'canary', counts: [10, 4, 1] }],
    });
    expect(await ask(latency({ histogram: 'time_seconds_bucket{version="2.0"}' }))).toMatchObject({ boundsMs: [100, 500] });
  });

  it('takes a metric named for milliseconds at its word, and a bound of nothing with the first bucket', async () => {
    expect(await ask(latency({ histogram: 'time_ms' }))).toMatchObject({ boundsMs: [100], series: [{ counts: [10, 5] }] });
  });

  it('fails on buckets that cannot be', async () => {
    for (const [histogram, detail] of [
      ['endless_seconds', 'has no bucket +Inf'],
      ['odd_seconds', 'have other buckets'],
      ['sinking_seconds', 'holds less than a smaller one'],
    ])
      expect(await ask(latency({ histogram: histogram ?? '' }))).toMatchObject({
        kind: 'failed',
        detail: expect.stringContaining(detail ?? ''),
      });
  });

  it('has no data without a histogram', async () => {
    expect(await ask(latency({ histogram: 'no_such_seconds' }))).toMatchObject({ kind: 'no_data' });
  });
});

describe('provider prometheus: values', () => {
  it('takes one number, from a vector or a scalar', async () => {
    expect(await ask(threshold('max(load_ratio{version="{{canary}}"})'))).toMatchObject({ kind: 'value', value: 0.75 });
    expect(await ask(threshold('scalar(max(load_ratio))'))).toMatchObject({ kind: 'value', value: 0.75 });
    expect(await ask(threshold('0.5'))).toMatchObject({ kind: 'value', value: 0.5 });
  });

  it('is as old as the oldest of what it is made of', async () => {
    const { at } = await ask(threshold('max(load_ratio) / max(load_ratio)'));
    expect(Math.abs(Date.now() - at)).toBeLessThan(1_500);
  });

  it('has no data where nothing answers, or nothing was divided by nothing', async () => {
    expect(await ask(threshold('max(no_such_ratio)'))).toMatchObject({ kind: 'no_data', detail: 'no sample of no_such_ratio' });
    expect(await ask(threshold('load_ratio > 5'))).toMatchObject({ kind: 'no_data', detail: 'no series answers to the query' });
    expect(await ask(threshold('sum(none_total) / sum(none_total)'))).toMatchObject({ kind: 'no_data' });
  });

  it('fails on what is no single number', async () => {
    for (const [query, detail] of [
      ['load_ratio', '2 series answer where one is needed'],
      ['sum(load_ratio) / sum(none_total)', 'infinite'],
      ['"a text"', 'type string'],
      ['load_ratio[5m]', 'type matrix'],
      ['sum by (cpu) (load_ratio)', '2 series'],
    ])
      expect(await ask(threshold(query ?? '')), query).toMatchObject({
        kind: 'failed',
        detail: expect.stringContaining(detail ?? ''),
      });
  });

  it('says what the server says of a query that it refuses', async () => {
    expect(await ask(threshold('sum(rate(load_ratio))'))).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('prom: bad_data: '),
    });
  });

  it('looks over a range and takes what it is told to', async () => {
    const over = (reduce: string): Promise<Measurement> =>
      ask(threshold('max(load_ratio)', { range: '60000', reduce }), { now: Instant(Date.now()) });
    for (const reduce of ['max', 'min', 'mean', 'last']) expect(await over(reduce)).toMatchObject({ kind: 'value', value: 0.75 });
    expect(await ask(threshold('sum(none_total) / sum(none_total)', { range: '10000' }))).toMatchObject({ kind: 'no_data' });
    expect(await ask(threshold('load_ratio', { range: '10000' }))).toMatchObject({ kind: 'failed' });
  });
});

describe('provider prometheus: plans', () => {
  const offering = (): MetricProvider =>
    provider({
      checks: { errors: { kind: 'ratio', bad: 'many_total{code=~"5.."}', total: 'many_total' } },
      labels: { service: 'service' },
    });

  it('offers what the operator named, and refuses none of it', () => {
    const made = offering();
    expect(made.offers).toEqual({ errors: { kind: 'ratio', query: { offered: 'errors' } } });
    expect(made.refuses(ratio({ offered: 'errors' }))).toBeNull();
  });

  it('keeps services apart in what they share', async () => {
    for (const [service, total] of [
      ['shop', 20],
      ['till', 30],
    ] as const)
      expect(await offering().measure(question(ratio({ offered: 'errors' }), { service }), signal)).toMatchObject({
        series: [{ role: 'canary', total }],
      });
  });

  it.each([
    [ratio({ bad: 'sum(a)', total: 'b' }), 'bad is a selector'],
    [ratio({ bad: 'a', total: 'rate(b[1m])' }), 'total is a selector'],
    [ratio({ bad: 'a{', total: 'b' }), 'bad: not understood'],
    [ratio({ total: 'b' }), 'prom needs bad and total'],
    [ratio({ bad: 'a', total: 'b', version: 'no label' }), 'no label is no name of a label'],
    [latency({ histogram: 'histogram_quantile(0.9, x)' }), 'histogram is a selector'],
    [threshold('max(a'), 'query: not understood from "its end" on'],
    [threshold('a{version={{canary}}}'), 'query: '],
    [threshold('a{version="{{versoin}}"}'), 'query: {{versoin}} is none of {{service}}, {{canary}}, {{stable}}, {{interval}}'],
    [threshold('a{version=`{{canary}}`}'), 'query: {{canary}} stands for a label'],
    [threshold('a > {{canary}}'), 'query: {{canary}} stands for a label'],
  ])('refuses a query that cannot be meant: %#', (check, sentence) => {
    expect(provider().refuses(check)).toContain(sentence);
  });

  it('takes what can', () => {
    for (const check of [plain, latency({ histogram: 'x{a="b"}' }), threshold('rate(a{v="{{canary}}"}[{{interval}}]) > bool 1')])
      expect(provider().refuses(check)).toBeNull();
  });
});

describe('provider prometheus: the server', { timeout: 40_000 }, () => {
  it('waits no longer than it was told for one that hangs, and fails while it is away', async () => {
    server.program().child.kill('SIGSTOP');
    const impatient = provider({ timeoutMs: 300 });
    const began = performance.now();
    expect(await impatient.measure(question(plain), signal)).toMatchObject({
      kind: 'failed',
      detail: 'prom: no answer within 300 ms',
    });
    expect(await provider().measure(question(plain), AbortSignal.timeout(200))).toMatchObject({ kind: 'failed' });
    expect(performance.now() - began).toBeLessThan(5_000);
    server.program().child.kill('SIGCONT');
    await server.program().kill();
    expect(await ask(plain)).toMatchObject({ kind: 'failed', detail: 'prom: ECONNREFUSED' });
    await server.startAgain();
    await until('samples after the restart', async () => (await ask(plain)).kind === 'counters');
  });

  it('speaks TLS with a certificate that it was given, and proves who it is', async () => {
    const closed = await realPrometheus({ targets: [canary.target], isSecured: true });
    try {
      const auth = { basic: { user: 'headgate', password: 'secret' } };
      const made = (options: Readonly<Record<string, unknown>>): MetricProvider => provider({ url: closed.url, ...options });
      await until('samples over TLS', async () => {
        const seen = await made({ tls: { ca: closed.ca }, auth }).measure(question(plain), signal);
        return seen.kind === 'counters';
      });
      expect(await made({ tls: { ca: closed.ca } }).measure(question(plain), signal)).toMatchObject({
        detail: 'prom: answered 401',
      });
      expect(await made({ auth }).measure(question(plain), signal)).toMatchObject({ kind: 'failed' });
      const wrong = { basic: { user: 'headgate', password: 'guessed' } };
      expect(await made({ tls: { ca: closed.ca }, auth: wrong }).measure(question(plain), signal)).toMatchObject({
        kind: 'failed',
      });
    } finally {
      await closed.close();
    }
  });

  it('gives the same time for the same sample: what is frozen is not new', async () => {
    const slow = await realPrometheus({ targets: [canary.target], scrapeEvery: '1h' });
    try {
      const made = provider({ url: slow.url });
      // The first scrape comes when it likes within the hour; without one there is no data, and never a number.
      const seen = [await made.measure(question(plain), signal), await (sleep(300), made.measure(question(plain), signal))];
      for (const one of seen) expect(['no_data', 'counters']).toContain(one.kind);
      if (seen[0]?.kind === 'counters' && seen[1]?.kind === 'counters') expect(seen[0].at).toBe(seen[1].at);
    } finally {
      await slow.close();
    }
  });
});
