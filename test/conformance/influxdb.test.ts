/** The influxdb provider against the real server: what it makes of everything that InfluxDB can hold. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sender } from '../../src/adapters/outgoing/access.ts';
import { accessOf } from '../../src/adapters/metrics/influxdb/client.ts';
import { influxdb } from '../../src/adapters/metrics/influxdb/influxdb.ts';
import { influxdbOptions } from '../../src/adapters/metrics/influxdb/options.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { realInfluxdb } from '../real/influxdb.ts';
import type { RealInfluxdb } from '../real/influxdb.ts';
import { checkOf, questionOf } from './questions.ts';

const signal = new AbortController().signal;
const { ratio, rate, latency, gauge, slo, threshold, mannWhitney } = checkOf;
const plain = ratio({ bad: 'failed from http', total: 'requests from http' });
const WEIRD = `2.0' OR 1=1; DROP DATABASE telegraf -- "} or 1\\2=1`;
const tag = (value: string): string => value.replaceAll(/[,= ]/g, String.raw`\$&`);

let server: RealInfluxdb;
let nowMs: number;
beforeAll(async () => {
  server = await realInfluxdb();
  nowMs = Date.now();
  const at = (ago: number): string => String(nowMs - ago);
  await server.write([
    `http,version=2.0,instance=a,code=200 requests=90 ${at(12_000)}`,
    `http,version=2.0,instance=a,code=200 requests=100 ${at(2_000)}`,
    `http,version=2.0,instance=a,code=500 requests=10,failed=10 ${at(2_000)}`,
    `http,version=2.0,instance=b,code=200 requests=50 ${at(4_000)}`,
    `http,version=1.0,instance=c,code=200 requests=990,failed=1 ${at(1_000)}`,
    `http,version=0.9,instance=d,code=200 requests=7 ${at(1_000)}`,
    `stable_only,version=1.0,instance=c requests=990 ${at(1_000)}`,
    `old,version=2.0,instance=a requests=5 ${at(900_000)}`,
    `words,version=2.0,instance=a requests="many" ${at(1_000)}`,
    `flags,version=2.0,instance=a requests=true ${at(1_000)}`,
    `orphan,version=2.0,instance=a failed=4 ${at(1_000)}`,
    `below,version=2.0,instance=a requests=-4 ${at(1_000)}`,
    `routes,version=2.0,instance=a,route=/cart requests=4,failed=1 ${at(1_000)}`,
    `routes,version=2.0,instance=a,route=/pay requests=6,failed=0 ${at(1_000)}`,
    `named,release=2.0,instance=a requests=11 ${at(1_000)}`,
    ...['0.1,10', '0.5,14', '+Inf,15'].map((pair) => {
      const [le, count] = pair.split(',');
      return `time_seconds,version=2.0,instance=a,le=${le} count=${count} ${at(1_000)}`;
    }),
    `sinking_ms,version=2.0,instance=a,le=100 count=10 ${at(1_000)}`,
    `sinking_ms,version=2.0,instance=a,le=+Inf count=9 ${at(1_000)}`,
    `endless_ms,version=2.0,instance=a,le=100 count=10 ${at(1_000)}`,
    `endless_ms,version=2.0,instance=a,le=200 count=11 ${at(1_000)}`,
    `memory,version=2.0,instance=a rss=512 ${at(1_000)}`,
    `memory,version=2.0,instance=b rss=500 ${at(1_000)}`,
    `memory,version=1.0,instance=c rss=400 ${at(1_000)}`,
    `cpus,version=2.0,instance=a,cpu=0 load=0.5 ${at(1_000)}`,
    `cpus,version=2.0,instance=a,cpu=1 load=0.7 ${at(1_000)}`,
    ...[1, 2, 3, 4].map((load) => `load,version=2.0 value=${load} ${at(40_000 - load * 9_000)}`),
    `weird,version=${tag(WEIRD)},instance=a requests=5 ${at(1_000)}`,
    `weird,version=2.0,instance=a requests=1000 ${at(1_000)}`,
  ]);
});
afterAll(() => server.close());

function provider(options: Readonly<Record<string, unknown>> = {}): MetricProvider {
  const auth = { basic: { user: 'headgate', password: 'secret' } };
  const parsed = influxdbOptions.parse({
    type: 'influxdb',
    url: server?.url ?? 'http://127.0.0.1:1',
    database: 'telegraf',
    auth,
    ...options,
  });
  return influxdb('influx', parsed, sender(accessOf(parsed)));
}
const ask = (check: Check, change: Partial<Question> = {}): Promise<Measurement> =>
  provider().measure(questionOf(check, { now: Instant(Date.now()), ...change }), signal);
const failing = (detail: string) => ({ kind: 'failed', detail: expect.stringContaining(detail) });

describe('provider influxdb: counters', () => {
  it('gives cumulative counts per instance, by the role of its version, and no other version', async () => {
    expect(await ask(plain)).toEqual({
      kind: 'counters',
      at: nowMs - 2_000,
      series: expect.arrayContaining([
        { key: '2.0 a', role: 'canary', startedAt: null, total: 110, bad: 10 },
        { key: '2.0 b', role: 'canary', startedAt: null, total: 50, bad: 0 },
        { key: '1.0 c', role: 'stable', startedAt: null, total: 990, bad: 1 },
      ]),
    });
    expect(await ask(slo(plain.query))).toMatchObject({ kind: 'counters' });
    expect(await ask(mannWhitney(plain.query))).toMatchObject({ kind: 'counters' });
    expect(await ask(rate({ events: 'failed from http', per: 'requests from http' }))).toMatchObject({ kind: 'counters' });
  });

  it('keeps parts apart where a check asks for them', async () => {
    const parts = ratio({ bad: 'failed from routes', total: 'requests from routes', by: 'route' });
    expect(await ask(parts)).toMatchObject({
      series: expect.arrayContaining([
        { key: '2.0 a /cart', stratum: '/cart', role: 'canary', startedAt: null, total: 4, bad: 1 },
        { key: '2.0 a /pay', stratum: '/pay', role: 'canary', startedAt: null, total: 6, bad: 0 },
      ]),
    });
  });

  it('has no data where there is no recent series of the canary', async () => {
    for (const source of ['stable_only', 'nothing', 'old', `http where code = '404'`])
      expect(await ask(ratio({ bad: `failed from ${source}`, total: `requests from ${source}` })), source).toMatchObject({
        kind: 'no_data',
        detail: 'influx: no recent series of version 2.0',
      });
    expect(await ask(plain, { canaryVersion: '3.0' })).toMatchObject({ kind: 'no_data' });
  });

  it('is dated by the newest point of the canary, and by the same one until there is another', async () => {
    const first = await ask(plain);
    expect(await ask(plain)).toEqual(first);
  });

  it('sees a counter begin anew', async () => {
    const restarting = ratio({ bad: 'failed from restarting', total: 'requests from restarting' });
    await server.write([`restarting,version=2.0,instance=a requests=500 ${Date.now() - 2_000}`]);
    expect(await ask(restarting)).toMatchObject({ series: [{ total: 500 }] });
    await server.write([`restarting,version=2.0,instance=a requests=3 ${Date.now() - 1_000}`]);
    expect(await ask(restarting)).toMatchObject({ series: [{ total: 3 }] });
  });

  it('fails on what is no count', async () => {
    for (const [source, detail] of [
      ['words', 'cannot be read at /results/1/series/0/values/0/1'],
      ['flags', 'cannot be read at /results/1/series/0/values/0/1'],
      ['below', 'below nothing'],
    ] as const)
      expect(await ask(ratio({ bad: `failed from ${source}`, total: `requests from ${source}` })), source).toMatchObject(
        failing(detail),
      );
    expect(await ask(ratio({ bad: 'failed from orphan', total: 'requests from nothing' }))).toMatchObject(
      failing('of a series that counts nothing else: canary 2.0 a'),
    );
  });

  it('tells versions by another tag, and fails where canary and stable are the same', async () => {
    const named = ratio({ bad: 'failed from named', total: 'requests from named', version: 'release' });
    expect(await ask(named)).toMatchObject({ series: [{ key: '2.0 a', total: 11 }] });
    expect(await ask(plain, { stableVersion: '2.0' })).toMatchObject(failing('cannot be told apart'));
  });

  it('puts values into a query as what they are, whatever is in them', async () => {
    const weird = ratio({ bad: 'failed from weird', total: `requests from weird where version = '{{canary}}'` });
    expect(await ask(weird, { canaryVersion: WEIRD })).toMatchObject({ series: [{ total: 5 }] });
    for (const canaryVersion of [`2.0' OR '1'='1`, '1"} or 1=1', `\\' OR 1=1 --`, '/.*/', `2.0'; SELECT * FROM http`, `x\\`])
      expect(await ask(weird, { canaryVersion }), canaryVersion).toMatchObject({ kind: 'no_data' });
    const service = ratio({ bad: 'failed from nothing', total: `requests from http where instance = '{{service}}'` });
    expect(await ask(service, { service: `a' OR instance = 'b` })).toMatchObject({ kind: 'no_data' });
  });
});

describe('provider influxdb: histograms and levels', () => {
  it('gives counts per bucket, in milliseconds', async () => {
    expect(await ask(latency({ histogram: 'count from time_seconds' }))).toMatchObject({
      kind: 'histogram',
      boundsMs: [100, 500],
      series: [{ key: '2.0 a', role: 'canary', counts: [10, 4, 1] }],
    });
  });

  it('fails on buckets that cannot be', async () => {
    expect(await ask(latency({ histogram: 'count from sinking_ms' }))).toMatchObject(failing('less than a smaller one'));
    expect(await ask(latency({ histogram: 'count from endless_ms' }))).toMatchObject(failing('no bucket +Inf'));
    expect(await ask(latency({ histogram: 'requests from http' }))).toMatchObject(failing('a bound that is no number'));
  });

  it('gives one level of each instance, of both versions', async () => {
    expect(await ask(gauge({ query: 'rss from memory' }))).toEqual({
      kind: 'gauges',
      at: nowMs - 1_000,
      series: expect.arrayContaining([
        { key: '2.0 a', role: 'canary', value: 512 },
        { key: '2.0 b', role: 'canary', value: 500 },
        { key: '1.0 c', role: 'stable', value: 400 },
      ]),
    });
    expect(await ask(mannWhitney({ query: 'rss from memory' }))).toMatchObject({ kind: 'gauges' });
    expect(await ask(gauge({ query: 'load from cpus' }))).toMatchObject(failing('several series are one instance'));
  });
});

describe('provider influxdb: values', () => {
  const load = (text: string, more: Readonly<Record<string, string>> = {}): Check =>
    threshold({ query: `${text} where version = '{{canary}}'`, ...more });

  it('takes the newest value, or what it is told to take of a range', async () => {
    expect(await ask(load('value from load'))).toEqual({ kind: 'value', at: nowMs - 4_000, value: 4 });
    for (const [reduce, value] of [
      ['max', 4],
      ['min', 2],
      ['last', 4],
      ['mean', 3],
    ] as const)
      expect(await ask(load('value from load', { range: '25000', reduce }), { now: Instant(nowMs) }), reduce).toMatchObject({
        value,
      });
    expect(await ask(load('percentile(value, 50) from load', { range: '60000' }))).toMatchObject({ value: 2 });
    expect(await ask(load('sum(value) from load'))).toMatchObject({ value: 10, at: nowMs - 4_000 });
  });

  it('has no data where nothing answers, and fails on several series', async () => {
    expect(await ask(load('value from nothing'))).toMatchObject({ kind: 'no_data' });
    expect(await ask(load('max(value) from nothing'))).toMatchObject({ kind: 'no_data' });
    expect(await ask(load('requests from old'))).toMatchObject({ kind: 'no_data' });
    expect(await ask(load('load from cpus'))).toMatchObject(failing('2 series answer where one is needed'));
    expect(await ask(load('max(load) from cpus'))).toMatchObject({ kind: 'value', value: 0.7 });
    expect(await ask(load('requests from words'))).toMatchObject(failing('cannot be read'));
  });
});

describe('provider influxdb: history', () => {
  it('gives what was to be measured then', async () => {
    const span = { from: Instant(nowMs - 12_000), to: Instant(nowMs), stepMs: 6_000 };
    const found = await provider().history(questionOf(plain), span, signal);
    expect(found).toMatchObject({
      ok: true,
      value: [
        { kind: 'counters', at: nowMs - 12_000, series: [{ key: '2.0 a', total: 90, bad: 0 }] },
        { kind: 'counters', at: nowMs - 12_000 },
        { kind: 'counters', at: nowMs - 2_000 },
      ],
    });
    expect(found.ok && found.value[2]).toEqual(await ask(plain));
    const alone = await provider().history(questionOf(plain, { canaryVersion: '3.0' }), span, signal);
    expect(alone).toMatchObject({
      value: [{ kind: 'no_data' }, { kind: 'no_data' }, { kind: 'counters', series: [{ role: 'stable' }] }],
    });
  });

  it('says why there is none', async () => {
    const span = { from: Instant(nowMs - 12_000), to: Instant(nowMs), stepMs: 6_000 };
    const max = threshold({ query: 'max(value) from load' });
    expect(await provider().history(questionOf(max), span, signal)).toMatchObject({
      ok: false,
      error: expect.stringContaining('has no history'),
    });
    expect(await provider().history(questionOf(plain), { ...span, stepMs: 0 }, signal)).toMatchObject({ ok: false });
    expect(await provider({ url: 'http://127.0.0.1:1' }).history(questionOf(plain), span, signal)).toMatchObject({ ok: false });
  });
});

describe('provider influxdb: plans', () => {
  it.each([
    [ratio({ total: 'requests from http' }), 'influx needs bad and total for a check of kind ratio'],
    [ratio({ bad: 'failed from http', total: 'requests' }), 'total: from is missing at "its end"'],
    [ratio({ bad: 'failed from http', total: 'SELECT last(x) FROM y' }), 'total: a field is missing at "SELECT'],
    [ratio({ bad: 'failed from http; DROP DATABASE x', total: 'requests from http' }), 'bad: not understood from ";'],
    [ratio({ bad: 'failed from http', total: 'sum(requests) from http' }), 'total is a field without a function'],
    [ratio({ bad: 'failed from http', total: 'derivative(requests) from http' }), 'derivative() is none of'],
    [ratio({ bad: 'failed from http', total: `requests from http where version = {{canary}}` }), 'put it between single quotes'],
    [ratio({ bad: 'failed from http', total: `requests from http where a =~ /{{canary}}/` }), 'put into a pattern'],
    [ratio({ bad: 'failed from http', total: `requests from http where a = '{{cnary}}'` }), '{{cnary}} is none of {{service}}'],
    [ratio({ bad: 'failed from http', total: 'requests from http where time > 5' }), 'the range of time is set by Headgate'],
    [ratio({ bad: 'failed from http', total: `requests from http where (a = 'b'` }), ') is missing'],
    [ratio({ bad: 'failed from http', total: `requests from http where a = 'b' group by x` }), 'the end is missing at "group'],
    [rate({ events: 'failed from http' }), 'say with "per"'],
    [threshold({ query: 'percentile(value) from load' }), 'takes a number'],
  ])('refuses %o in words', (check, words) => {
    expect(provider().refuses(check)).toContain(words);
  });

  it('takes the texts that pages show, and what the operator named', () => {
    for (const total of [
      `"the requests" from "auto gen"."http" where ("a" = 'b' or c != 'it\\'s') and d =~ /^x\\/y$/ and e > 5`,
      'x from a.b.c',
    ])
      expect(provider().refuses(ratio({ bad: 'failed from http', total }))).toBeNull();
    const made = provider({ checks: { errors: { kind: 'ratio', ...plain.query } } });
    expect(made.offers).toEqual({ errors: { kind: 'ratio', query: { offered: 'errors' } } });
    expect(made.refuses(ratio({ offered: 'errors' }))).toBeNull();
  });

  it('answers by a name what it answers by texts', async () => {
    const made = provider({ checks: { errors: { kind: 'ratio', bad: 'failed from http', total: 'requests from http' } } });
    expect(await made.measure(questionOf(ratio({ offered: 'errors' })), signal)).toMatchObject({
      kind: 'counters',
      series: { length: 3 },
    });
  });
});

describe('provider influxdb: a server that does not answer as it should', () => {
  const from = (options: Readonly<Record<string, unknown>>, asked = signal): Promise<Measurement> =>
    provider(options).measure(questionOf(plain), asked);

  it('says who was refused, and by whom', async () => {
    const auth = { basic: { user: 'headgate', password: 'wrong' } };
    expect(await from({ auth })).toMatchObject(failing('influx: answered 401: authorization failed'));
    expect(await from({ auth: undefined })).toMatchObject(
      failing('influx: answered 401: unable to parse authentication credentials'),
    );
    expect(await from({ database: 'other' })).toMatchObject(failing('not authorized to'));
  });

  it('says that it is down, slow, or somebody else', async () => {
    expect(await from({ url: 'http://127.0.0.1:1' })).toMatchObject(failing('influx: ECONNREFUSED'));
    const strange = createServer((request, answer) => {
      if (request.url?.startsWith('/slow')) return;
      if (request.url?.startsWith('/away')) return void answer.writeHead(302, { location: server.url }).end();
      answer.end(request.url?.startsWith('/page') ? '<html>login</html>' : '{"results":[]}');
    });
    await new Promise<void>((done) => void strange.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(strange.address() as AddressInfo).port}`;
    expect(await from({ url: `${url}/slow`, timeoutMs: 100 })).toMatchObject(failing('influx: no answer within 100 ms'));
    expect(await from({ url: `${url}/slow` }, AbortSignal.timeout(50))).toMatchObject(failing('influx: no answer in time'));
    expect(await from({ url: `${url}/away` })).toMatchObject(failing('answered 302, a redirect'));
    expect(await from({ url: `${url}/page` })).toMatchObject(failing('no JSON'));
    expect(await from({ url: `${url}/none` })).toMatchObject(failing('0 answers to 2 statements'));
    strange.closeAllConnections();
    strange.close();
  });

  it('answers again when the server is back', async () => {
    await server.program().kill();
    expect(await ask(plain)).toMatchObject(failing('influx: ECONN'));
    await server.startAgain();
    expect(await ask(plain)).toMatchObject({ kind: 'counters' });
  });
});
