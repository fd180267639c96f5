/** What is asked of everything that speaks the HTTP API of Prometheus, against the real servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prometheusSender } from '../../src/adapters/metrics/prometheus/client.ts';
import type { Send } from '../../src/adapters/outgoing/client.ts';
import { prometheusOptions } from '../../src/adapters/metrics/prometheus/options.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { until } from '../real/programs.ts';
import { exporter } from '../real/prometheus.ts';
import type { Exporter, RealPrometheus } from '../real/prometheus.ts';
import { gauge, latency, offered, providerAt, question, ranks, rate, ratio, slo, threshold } from './prometheus.fixtures.ts';

const signal = new AbortController().signal;

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
  'parts_total{version="2.0",route="/a",code="200"} 30',
  'parts_total{version="2.0",route="/a",code="500"} 3',
  'parts_total{version="2.0",route="/b",code="200"} 7',
  'parts_total{version="2.0",code="200"} 5',
  'log_errors_total{version="2.0"} 4',
  'log_lines_total{version="2.0"} 400',
  'stray_errors_total{version="9.9"} 4',
  'memory_bytes{version="2.0"} 100',
  'undefined_bytes{version="2.0"} NaN',
  'endless_bytes{version="2.0"} +Inf',
  'shared_bytes{version="2.0",service="shop"} 20',
  'shared_bytes{version="2.0",service="till"} 30',
  'shared_events_total{version="2.0",service="shop"} 2',
  'shared_events_total{version="2.0",service="till"} 3',
  'range_seconds_bucket{version="2.0",vmrange="0...1.000e-09"} 1',
  'range_seconds_bucket{version="2.0",vmrange="8.799e-02...1.000e-01"} 4',
  'range_seconds_bucket{version="2.0",vmrange="1.000e+03...1.136e+03"} 2',
];
const STABLE = [
  'plain_total{version="1.0",code="200"} 990',
  'plain_total{version="1.0",code="500"} 10',
  'plain_total{version="0.9",code="500"} 1000',
  'only_stable_total{version="1.0"} 5',
  'named_total{release="1.0"} 12',
  'odd_seconds_bucket{version="1.0",le="0.2"} 10',
  'odd_seconds_bucket{version="1.0",le="+Inf"} 15',
  'memory_bytes{version="1.0"} 80',
  'log_errors_total{version="1.0"} 1',
  'parts_total{version="1.0",route="/a",code="200"} 300',
];

const SECOND = [
  'plain_total{version="2.0",code="200"} 100',
  'restarting_total{version="2.0"} 500',
  'memory_bytes{version="2.0"} 110',
];

export type Opened = (targets: readonly string[]) => Promise<RealPrometheus>;

/** `differs`: a server that is not Prometheus, where the language or the answers differ in what is said there. */
export function httpApiSuite(open: Opened, differs = false): void {
  let server: RealPrometheus;
  let canary: Exporter;
  let stable: Exporter;
  let second: Exporter;
  let dying: Exporter;
  beforeAll(async () => {
    canary = await exporter(CANARY.join('\n'));
    stable = await exporter(STABLE.join('\n'));
    second = await exporter(SECOND.join('\n'));
    dying = await exporter('dying_total{version="2.0"} 5');
    server = await open([canary, stable, second, dying].map(({ target }) => target));
    await until('the first samples', async () => {
      const seen = await ask(ratio({ bad: 'plain_total{code=~"5.."}', total: 'plain_total' }));
      const load = await ask(
        threshold('count(load_ratio) + count(dying_total) + count(restarting_total) + count(range_seconds_bucket)'),
      );
      return seen.kind === 'counters' && seen.series.length === 3 && load.kind === 'value';
    });
  });
  afterAll(async () => {
    await server.close();
    await Promise.all([canary, stable, second].map((one) => one.close()));
  });

  const provider = (options: Readonly<Record<string, unknown>> = {}): MetricProvider => providerAt(server.url, options);
  const ask = (check: Check, change: Partial<Question> = {}): Promise<Measurement> =>
    provider().measure(question(check, change), signal);

  const plain = ratio({ bad: 'plain_total{code=~"5.."}', total: 'plain_total' });

  describe('counters', () => {
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
      expect(Math.abs(now - at)).toBeLessThan(3_000);
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
      // VictoriaMetrics keeps no NaN: what it answers then is silence.
      if (differs) expect(await ask(ratio({ bad: 'nan_total{x="1"}', total: 'nan_total' }))).toMatchObject({ kind: 'no_data' });
      for (const name of differs ? ['inf_total'] : ['nan_total', 'inf_total'])
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
      await until('the end of its series', async () => (await ask(dead)).kind === 'no_data', 60_000);
      second.text = second.text.replace('500', '3');
      const restarting = ratio({ bad: 'restarting_total{x="1"}', total: 'restarting_total' });
      await until('the new count', async () => {
        const seen = await ask(restarting);
        return seen.kind === 'counters' && seen.series[0]?.total === 3;
      });
    });
  });

  describe('histograms', () => {
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

  describe('values', () => {
    it('takes one number, from a vector or a scalar', async () => {
      expect(await ask(threshold('max(load_ratio{version="{{canary}}"})'))).toMatchObject({ kind: 'value', value: 0.75 });
      expect(await ask(threshold('scalar(max(load_ratio))'))).toMatchObject({ kind: 'value', value: 0.75 });
      expect(await ask(threshold('0.5'))).toMatchObject({ kind: 'value', value: 0.5 });
    });

    it('is as old as the oldest of what it is made of', async () => {
      const { at } = await ask(threshold('max(load_ratio) / max(load_ratio)'));
      expect(Math.abs(Date.now() - at)).toBeLessThan(3_000);
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
        ...(differs ? [] : [['"a text"', 'type string']]),
        ['load_ratio[5m]', 'type matrix'],
        ['sum by (cpu) (load_ratio)', '2 series'],
      ])
        expect(await ask(threshold(query ?? '')), query).toMatchObject({
          kind: 'failed',
          detail: expect.stringContaining(detail ?? ''),
        });
    });

    it('says what the server says of a query that it refuses', async () => {
      expect(await ask(threshold(differs ? 'info(load_ratio)' : 'sum(rate(load_ratio))'))).toMatchObject({
        kind: 'failed',
        detail: expect.stringContaining(differs ? 'prom: 422: ' : 'prom: bad_data: '),
      });
    });

    it('looks over a range and takes what it is told to', async () => {
      const over = (reduce: string): Promise<Measurement> =>
        ask(threshold('max(load_ratio)', { range: '60000', reduce }), { now: Instant(Date.now()) });
      for (const reduce of ['max', 'min', 'mean', 'last'])
        expect(await over(reduce)).toMatchObject({ kind: 'value', value: 0.75 });
      expect(await ask(threshold('sum(none_total) / sum(none_total)', { range: '10000' }))).toMatchObject({ kind: 'no_data' });
      expect(await ask(threshold('load_ratio', { range: '10000' }))).toMatchObject({ kind: 'failed' });
    });
  });

  describe('more counters', () => {
    it('tells the parts of the traffic apart by a label, and those without it, too', async () => {
      const by = ratio({ bad: 'parts_total{code=~"5.."}', total: 'parts_total', by: 'route' });
      const seen = await ask(by);
      const [one, other] = [`2.0 ${canary.target}`, `1.0 ${stable.target}`];
      expect(seen.kind === 'counters' && seen.series.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual([
        { key: `${other} /a`, role: 'stable', stratum: '/a', startedAt: null, total: 300, bad: 0 },
        { key: `${one} `, role: 'canary', stratum: '', startedAt: null, total: 5, bad: 0 },
        { key: `${one} /a`, role: 'canary', stratum: '/a', startedAt: null, total: 33, bad: 3 },
        { key: `${one} /b`, role: 'canary', stratum: '/b', startedAt: null, total: 7, bad: 0 },
      ]);
    });

    it('answers for a promised limit and for ranks with the same counters', async () => {
      const query = { bad: 'plain_total{code=~"5.."}', total: 'plain_total' };
      const seen = await ask(ratio(query));
      for (const check of [slo(query), ranks(query)])
        expect(await ask(check)).toMatchObject({ kind: 'counters', series: seen.kind === 'counters' ? seen.series : [] });
    });

    it('counts events against something, and bad ones of a version without it not at all', async () => {
      expect(await ask(rate({ events: 'log_errors_total', per: 'log_lines_total' }), { stableVersion: null })).toMatchObject({
        kind: 'failed',
        detail: expect.stringContaining('1.0'),
      });
      const own = rate({ events: 'log_errors_total{version="2.0"}', per: 'log_lines_total' });
      expect(await ask(own)).toMatchObject({ series: [{ role: 'canary', total: 400, bad: 4 }] });
      expect(await ask(rate({ events: 'stray_errors_total', per: 'log_lines_total' }))).toMatchObject({ kind: 'failed' });
    });

    it('counts events against the seconds of the life of their instance', async () => {
      const lived = rate({ events: 'log_errors_total' });
      const first = await ask(lived);
      if (first.kind !== 'counters') throw new Error(JSON.stringify(first));
      expect(first.series.map(({ role, bad }) => `${role} ${bad}`).toSorted()).toEqual(['canary 4', 'stable 1']);
      const lifeOf = (seen: Measurement): number =>
        seen.kind === 'counters' ? (seen.series.find(({ role }) => role === 'canary')?.total ?? Number.NaN) : Number.NaN;
      expect(Math.round(lifeOf(first) * 1000)).toBe(first.at);
      await until('another second of life', async () => 0.5 <= lifeOf(await ask(lived)) - lifeOf(first));
      const second = await ask(lived);
      expect(Math.abs(lifeOf(second) - lifeOf(first) - (second.at - first.at) / 1000)).toBeLessThan(0.002);
    });

    it('sees an instance come and another go', async () => {
      const own = ratio({ bad: 'coming_total{code="500"}', total: 'coming_total' });
      expect(await ask(own)).toMatchObject({ kind: 'no_data' });
      second.text += '\ncoming_total{version="2.0",code="200"} 3';
      await until('its series', async () => (await ask(own)).kind === 'counters');
      stable.text += '\ncoming_total{version="1.0",code="200"} 8';
      await until('both', async () => {
        const seen = await ask(own);
        return seen.kind === 'counters' && seen.series.length === 2;
      });
      second.text = second.text.replace(/\ncoming.*/, '');
      await until('the end of the first', async () => (await ask(own)).kind === 'no_data');
    });
  });

  describe('ranges of VictoriaMetrics', () => {
    it('are counted by bounds that do not change with what is in them', async () => {
      const seen = await ask(latency({ histogram: 'range_seconds' }));
      if (seen.kind !== 'histogram') throw new Error(JSON.stringify(seen));
      expect(seen.boundsMs).toHaveLength(69);
      const counts = seen.series[0]?.counts ?? [];
      expect(counts.flatMap((count, index) => (count === 0 ? [] : [[seen.boundsMs[index] ?? Infinity, count]]))).toEqual([
        [0.976563, 1],
        [105.112, 4],
        [Infinity, 2],
      ]);
    });
  });

  describe('levels', () => {
    it('gives one value for each instance of both versions, dated by the canary', async () => {
      for (const check of [
        gauge('memory_bytes # of each'),
        gauge('sum by (version, instance) (memory_bytes)'),
        ranks({ query: 'memory_bytes' }),
      ]) {
        const seen = await ask(check);
        if (seen.kind !== 'gauges') throw new Error(JSON.stringify(seen));
        expect(seen.series.toSorted((a, b) => a.value - b.value)).toEqual([
          { key: `1.0 ${stable.target}`, role: 'stable', value: 80 },
          { key: `2.0 ${canary.target}`, role: 'canary', value: 100 },
          { key: `2.0 ${second.target}`, role: 'canary', value: 110 },
        ]);
        expect(Math.abs(Date.now() - seen.at)).toBeLessThan(3_000);
      }
    });

    it('takes any expression that keeps its labels', async () => {
      const share = 'memory_bytes / on () group_left () max(memory_bytes{version="{{stable}}"})';
      expect(await ask(gauge(share))).toMatchObject({
        kind: 'gauges',
        series: expect.toSatisfy((all: unknown[]) => all.length === 3),
      });
    });

    it('fails on several series of one instance, and on what is endless', async () => {
      expect(await ask(gauge('load_ratio'))).toMatchObject({
        kind: 'failed',
        detail: `prom: several series of 2.0 ${canary.target}: aggregate them, such as with sum by (version, instance)`,
      });
      expect(await ask(gauge('endless_bytes'))).toMatchObject({ kind: 'failed', detail: expect.stringContaining('infinite') });
      expect(await ask(gauge('0.5'))).toMatchObject({ kind: 'failed' });
    });

    it('has no data of an instance that is undefined, of none, and of stable alone', async () => {
      for (const query of ['undefined_bytes', 'no_such_bytes', 'memory_bytes{version="1.0"}'])
        expect(await ask(gauge(query)), query).toMatchObject({ kind: 'no_data', detail: 'no series of version 2.0' });
      const some = await ask(gauge('memory_bytes or undefined_bytes or label_replace(undefined_bytes, "instance", "x", "", "")'));
      expect(some).toMatchObject({ kind: 'gauges', series: expect.toSatisfy((all: unknown[]) => all.length === 3) });
    });
  });

  describe('the past', () => {
    const past = async (check: Check, lastMs = 2_000, change: Partial<Question> = {}) => {
      const to = Instant(Date.now());
      const found = await provider().history(question(check, change), { from: Instant(to - lastMs), to, stepMs: 500 }, signal);
      if (!found.ok) throw new Error(found.error);
      return found.value;
    };
    beforeAll(() => sleep(3_000));

    it('is what would have been measured at each step, and no data from before there was any', async () => {
      const all = await past(plain, 60_000);
      expect(all).toHaveLength(121);
      expect(all[0]).toMatchObject({ kind: 'no_data' });
      const last = all.at(-1);
      const now = await ask(plain);
      if (last?.kind !== 'counters' || now.kind !== 'counters') throw new Error(JSON.stringify(last));
      expect(last.series.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual(
        now.series.toSorted((a, b) => a.key.localeCompare(b.key)),
      );
      const times = all.flatMap(({ kind, at }) => (kind === 'counters' ? [at] : []));
      expect(times.length).toBeGreaterThan(2);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(new Set(times).size).toBeGreaterThan(2);
    });

    it('is there for every kind', async () => {
      for (const [check, kind] of [
        [ratio({ bad: 'parts_total{code=~"5.."}', total: 'parts_total', by: 'route' }), 'counters'],
        [rate({ events: 'log_errors_total' }), 'counters'],
        [latency({ histogram: 'time_seconds' }), 'histogram'],
        [gauge('memory_bytes'), 'gauges'],
        [ranks({ query: 'memory_bytes' }), 'gauges'],
        [threshold('max(load_ratio)'), 'value'],
        [threshold('max(load_ratio)', { range: '2000', reduce: 'mean' }), 'value'],
      ] as const) {
        const kinds = (await past(check)).map((one) => one.kind);
        expect(kinds, check.kind).toHaveLength(5);
        expect(kinds.at(-1), check.kind).toBe(kind);
      }
      expect((await past(threshold('load_ratio'))).at(-1)).toMatchObject({ kind: 'failed' });
      expect((await past(gauge('load_ratio'))).at(-1)).toMatchObject({ kind: 'failed' });
    });

    it('is there of stable alone, from before the canary came', async () => {
      const seen = (await past(plain, 2_000, { canaryVersion: '3.0' })).at(-1);
      expect(seen).toMatchObject({ kind: 'counters', series: [{ role: 'stable', total: 1_000 }] });
      expect(await ask(plain, { canaryVersion: '3.0' })).toMatchObject({ kind: 'no_data' });
    });

    it('is no more than can be asked for, and none where the query is none', async () => {
      const ask = (span: { readonly lastMs: number; readonly stepMs: number }, check = plain) =>
        provider().history(
          question(check),
          { from: Instant(1_000_000), to: Instant(1_000_000 + span.lastMs), stepMs: span.stepMs },
          signal,
        );
      expect(await ask({ lastMs: 11_000_000, stepMs: 1_000 })).toEqual({
        ok: false,
        error: 'prom: 11001 steps, and 11000 are the most: take longer steps',
      });
      expect(await ask({ lastMs: 10_999_000, stepMs: 1_000 })).toMatchObject({ ok: true });
      expect(await ask({ lastMs: -1, stepMs: 1_000 })).toMatchObject({ ok: false });
      expect(await ask({ lastMs: 1_000, stepMs: 0 })).toMatchObject({ ok: false });
      const wrong = ratio({ bad: 'a{x="{{nobody}}"}', total: 'a' });
      expect(await ask({ lastMs: 1_000, stepMs: 500 }, wrong)).toMatchObject({
        ok: false,
        error: expect.stringContaining('prom: '),
      });
    });
  });

  describe('plans', () => {
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

    const sharing = {
      checks: {
        errors: { kind: 'ratio', bad: 'many_total{code=~"5.."}', total: 'many_total' },
        events: { kind: 'rate', events: 'shared_events_total' },
        lines: { kind: 'rate', events: 'shared_events_total', per: 'shared_bytes' },
        memory: { kind: 'gauge', query: 'shared_bytes' },
        peak: { kind: 'threshold', query: 'max by (service, version) (shared_bytes)' },
        ranks: { kind: 'mann-whitney', query: 'shared_bytes' },
      },
      labels: { service: 'service' },
    };

    it('keeps services apart in what they share, whatever the kind', async () => {
      const made = provider(sharing);
      for (const [service, n] of [
        ['shop', 20],
        ['till', 30],
      ] as const) {
        const of = (check: Check, name: string): Promise<Measurement> =>
          made.measure(question(offered(check, name), { service, stableVersion: null }), signal);
        for (const check of [ratio({}), slo({}), ranks({})])
          expect(await of(check, 'errors')).toMatchObject({ series: [{ total: n }] });
        expect(await of(rate({}), 'events')).toMatchObject({ kind: 'counters', series: [{ bad: n / 10 }] });
        expect(await of(rate({}), 'lines')).toMatchObject({ series: [{ bad: n / 10, total: n }] });
        for (const name of ['memory', 'ranks']) expect(await of(ranks({}), name)).toMatchObject({ series: [{ value: n }] });
        expect(await of(gauge(''), 'memory')).toMatchObject({ kind: 'gauges', series: [{ value: n }] });
        expect(await of(threshold(''), 'peak')).toMatchObject({ kind: 'value', value: n });
      }
    });

    it.each([
      ['an offer with one label of the service', sharing, (n: number) => ({ service: n % 2 ? 'shop' : 'till' })],
      ['what a plan asks by itself', {}, () => ({})],
    ] as const)('asks once for fifty releases: %s', async (_, options, changeOf) => {
      let asked = 0;
      const parsed = prometheusOptions.parse({ type: 'prometheus', url: server.url });
      const send = prometheusSender(parsed);
      const counted: Send = (...args) => (asked++, send(...args));
      const isOffered = 'checks' in options;
      const checks = isOffered
        ? [
            offered(ratio({}), 'errors'),
            offered(rate({}), 'events'),
            offered(gauge(''), 'memory'),
            offered(threshold(''), 'peak'),
          ]
        : [
            plain,
            rate({ events: 'log_errors_total' }),
            latency({ histogram: 'time_seconds' }),
            gauge('memory_bytes'),
            threshold('max(load_ratio)'),
            threshold('max(load_ratio)', { range: '10000' }),
          ];
      for (const check of checks) {
        const made = providerAt(server.url, { ...options, shareMs: 10_000 }, counted);
        asked = 0;
        const now = Instant(Date.now());
        const all = await Promise.all(
          Array.from({ length: 50 }, (_, n) => made.measure(question(check, { now, ...changeOf(n) }), signal)),
        );
        expect(all.filter(({ kind }) => kind === 'failed' || kind === 'no_data')).toEqual([]);
        // The number of a threshold and the times behind it are two questions.
        expect(asked, check.kind).toBe(check.kind === 'threshold' ? 2 : 1);
      }
    });

    it('keeps services apart in counters that they share', async () => {
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
      [ratio({ bad: 'a', total: 'b', version: 'no label' }), 'version: "no label" is no name of a label'],
      [latency({ histogram: 'histogram_quantile(0.9, x)' }), 'histogram is a selector'],
      [threshold('max(a'), 'query: not understood from "its end" on'],
      [threshold('a{version={{canary}}}'), 'query: '],
      [threshold('a{version="{{versoin}}"}'), 'query: {{versoin}} is none of {{service}}, {{canary}}, {{stable}}, {{interval}}'],
      [threshold('a{version=`{{canary}}`}'), 'query: {{canary}} stands for a label'],
      [threshold('a > {{canary}}'), 'query: {{canary}} stands for a label'],
      [slo({ bad: 'a' }), 'prom needs bad and total for a check of kind slo'],
      [ratio({ bad: 'a', total: 'b', by: 'no label' }), 'by: "no label" is no name of a label'],
      [rate({ per: 'b' }), 'prom needs events for a check of kind rate'],
      [rate({ events: 'increase(a[1m])' }), 'events is a selector'],
      [rate({ events: 'a', per: 'sum(b)' }), 'per is a selector'],
      [rate({ events: 'a', total: 'b' }), 'a check of kind rate that asks for events does not ask for total'],
      [gauge('sum(a)'), 'query: an aggregation takes the label version away: add by (version, instance)'],
      [gauge('(max by (version) (a))'), 'query: an aggregation takes the label instance away'],
      [gauge('sum without (version) (a)'), 'query: an aggregation takes the label version away'],
      [gauge('sum by (release, instance) (a)', { version: 'version' }), 'takes the label version away'],
      [ranks({ bad: 'a' }), 'prom needs query, or bad and total, for a check of kind mann-whitney'],
      [ranks({ query: 'a', bad: 'b' }), 'does not ask for bad'],
      [ranks({ bad: 'a', total: 'sum(b)' }), 'total is a selector'],
      [offered(ratio({}), 'nothing'), 'prom offers no "nothing"'],
    ])('refuses a query that cannot be meant: %#', (check, sentence) => {
      expect(provider().refuses(check)).toContain(sentence);
    });

    it('refuses an offer of another kind', () => {
      const made = provider(sharing);
      expect(made.refuses(offered(latency({}), 'errors'))).toBe('prom offers errors as ratio, not latency');
      expect(made.refuses(offered(gauge(''), 'errors'))).toBe('prom offers errors as ratio, not gauge');
      expect(made.refuses(offered(slo({}), 'errors'))).toBeNull();
      for (const [name, offer] of Object.entries(made.offers)) {
        const check = { ratio, rate, latency, gauge: () => gauge(''), threshold: () => threshold(''), 'mann-whitney': ranks }[
          offer.kind
        ];
        expect(made.refuses(offered(check({}), name)), name).toBeNull();
      }
    });

    it('takes what can', () => {
      for (const check of [
        plain,
        latency({ histogram: 'x{a="b"}' }),
        threshold('rate(a{v="{{canary}}"}[{{interval}}]) > bool 1'),
      ])
        expect(provider().refuses(check)).toBeNull();
    });
  });
}
