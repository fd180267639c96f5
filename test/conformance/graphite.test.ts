/** The graphite provider against a real Carbon and its web part: what it makes of everything that they can hold. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sender } from '../../src/adapters/outgoing/access.ts';
import { graphite } from '../../src/adapters/metrics/graphite/graphite.ts';
import { graphiteOptions } from '../../src/adapters/metrics/graphite/options.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { until } from '../real/programs.ts';
import { realGraphite } from '../real/graphite.ts';
import type { RealGraphite } from '../real/graphite.ts';
import { checkOf, questionOf } from './questions.ts';

const signal = new AbortController().signal;
const { ratio, rate, latency, gauge, slo, threshold, mannWhitney } = checkOf;
const plain = ratio({ bad: 'shop.{{version}}.*.failed', total: 'shop.{{version}}.*.requests' });

let server: RealGraphite;
let nowS: number;
beforeAll(async () => {
  server = await realGraphite();
  nowS = Math.floor(Date.now() / 1000);
  const at = (ago: number): number => nowS - ago;
  await server.send([
    ...[
      `shop.2_0.web-1.requests 90 ${at(12)}`,
      `shop.2_0.web-1.failed 0 ${at(12)}`,
      `shop.2_0.web-1.requests 100 ${at(2)}`,
      `shop.2_0.web-1.failed 10 ${at(2)}`,
    ],
    ...[`shop.2_0.web-2.requests 50 ${at(4)}`, `shop.1_0.web-3.requests 990 ${at(1)}`, `shop.1_0.web-3.failed 1 ${at(1)}`],
    `shop.0_9.web-4.requests 7 ${at(1)}`,
    `stable.1_0.web-3.requests 990 ${at(1)}`,
    `old.2_0.web-1.requests 5 ${at(900)}`,
    `orphan.2_0.web-1.failed 4 ${at(1)}`,
    `below.2_0.web-1.requests -4 ${at(1)}`,
    `endless.2_0.web-1.requests inf ${at(1)}`,
    `nothing.2_0.web-1.requests nan ${at(1)}`,
    ...[`codes.2_0.web-1.200 90 ${at(1)}`, `codes.2_0.web-1.500 6 ${at(1)}`, `codes.2_0.web-1.503 4 ${at(1)}`],
    ...['0_1 10', '0_5 14', 'inf 15'].map((pair) => `time.2_0.web-1.seconds.le_${pair} ${at(1)}`),
    ...['100 10', 'inf 9'].map((pair) => `sinking.2_0.web-1.ms.le_${pair} ${at(1)}`),
    ...['100 10', '200 11'].map((pair) => `open.2_0.web-1.ms.le_${pair} ${at(1)}`),
    `odd.2_0.web-1.ms.le_many 10 ${at(1)}`,
    ...[`app.2_0.web-1.rss 512 ${at(1)}`, `app.2_0.web-2.rss 500 ${at(1)}`, `app.1_0.web-3.rss 400 ${at(1)}`],
    ...[1, 2, 3, 4].map((load) => `app.2_0.load ${load} ${at(40 - load * 9)}`),
    ...[`calls;version=2.0;instance=a;route=/cart 4 ${at(1)}`, `calls;version=2.0;instance=a;route=/pay 6 ${at(1)}`],
    ...[`errors;version=2.0;instance=a;route=/cart 1 ${at(1)}`, `calls;version=1.0;instance=b;route=/pay 60 ${at(1)}`],
    ...['0.1 10', '+Inf 15'].map((pair) => `buckets;version=2.0;instance=a;le=${pair} ${at(1)}`),
    `last.sent 1 ${at(1)}`,
  ]);
  await until('what was sent', async () => {
    const seen = await Promise.all(['last.sent', `seriesByTag('name=buckets')`].map((target) => server.render(target)));
    return seen.every((text) => text.includes('[1') || text.includes('[10'));
  });
});
afterAll(() => server.close());

function provider(options: Readonly<Record<string, unknown>> = {}): MetricProvider {
  const parsed = graphiteOptions.parse({ type: 'graphite', url: server?.url ?? 'http://127.0.0.1:1', ...options });
  return graphite('graphite', parsed, sender(parsed));
}
const ask = (check: Check, change: Partial<Question> = {}): Promise<Measurement> =>
  provider().measure(questionOf(check, { now: Instant(Date.now()), ...change }), signal);
const failing = (detail: string) => ({ kind: 'failed', detail: expect.stringContaining(detail) });
const of = (metric: string): Check => ratio({ bad: `${metric}.{{version}}.*.failed`, total: `${metric}.{{version}}.*.requests` });

describe('provider graphite: counters', () => {
  it('gives cumulative counts per instance, by the role of its version, and no other version', async () => {
    expect(await ask(plain)).toEqual({
      kind: 'counters',
      at: (nowS - 2) * 1000,
      series: expect.arrayContaining([
        { key: '2.0 web-1', role: 'canary', startedAt: null, total: 100, bad: 10 },
        { key: '2.0 web-2', role: 'canary', startedAt: null, total: 50, bad: 0 },
        { key: '1.0 web-3', role: 'stable', startedAt: null, total: 990, bad: 1 },
      ]),
    });
    expect(await ask(slo(plain.query))).toMatchObject({ kind: 'counters' });
    expect(await ask(mannWhitney(plain.query))).toMatchObject({ kind: 'counters' });
    expect(await ask(rate({ events: 'shop.{{version}}.*.failed', per: 'shop.{{version}}.*.requests' }))).toMatchObject({
      kind: 'counters',
    });
  });

  it('adds up what braces find of one instance', async () => {
    const codes = ratio({ bad: 'codes.{{version}}.*.{500,503}', total: 'codes.{{version}}.*.{200,500,503}' });
    expect(await ask(codes)).toMatchObject({ series: [{ key: '2.0 web-1', total: 100, bad: 10 }] });
  });

  it('reads tagged series, and keeps parts apart where a check asks for them', async () => {
    const by = (name: string): string => `seriesByTag('name=${name}', 'version={{version}}')`;
    const tagged = ratio({ bad: by('errors'), total: by('calls') });
    expect(await ask(tagged)).toMatchObject({
      series: [
        { key: '2.0 a', role: 'canary', total: 10, bad: 1 },
        { key: '1.0 b', role: 'stable', total: 60, bad: 0 },
      ],
    });
    const parts = await ask({ ...tagged, query: { ...tagged.query, by: 'route' } });
    expect(parts).toMatchObject({
      series: expect.arrayContaining([
        { key: '2.0 a /cart', stratum: '/cart', role: 'canary', startedAt: null, total: 4, bad: 1 },
        { key: '2.0 a /pay', stratum: '/pay', role: 'canary', startedAt: null, total: 6, bad: 0 },
      ]),
    });
  });

  it('has no data where there is no recent point of the canary', async () => {
    for (const metric of ['stable', 'nowhere', 'old', 'nothing'])
      expect(await ask(of(metric)), metric).toMatchObject({
        kind: 'no_data',
        detail: 'graphite: no recent series of version 2.0',
      });
    expect(await ask(plain, { canaryVersion: '3.0' })).toMatchObject({ kind: 'no_data' });
  });

  it('is dated by the newest point of the canary, and by the same one until there is another', async () => {
    expect(await ask(plain)).toEqual(await ask(plain));
  });

  it('sees a counter begin anew', async () => {
    await server.send([`again.2_0.web-1.requests 500 ${Math.floor(Date.now() / 1000) - 3}`]);
    await until('it', async () => (await ask(of('again'))).kind === 'counters');
    expect(await ask(of('again'))).toMatchObject({ series: [{ total: 500 }] });
    await server.send([`again.2_0.web-1.requests 3 ${Math.floor(Date.now() / 1000) - 1}`]);
    await until('the new count', async () => {
      const seen = await ask(of('again'));
      return seen.kind === 'counters' && seen.series[0]?.total === 3;
    });
  });

  it('fails on what is no count', async () => {
    expect(await ask(of('endless'))).toMatchObject(failing('cannot be read at /0/datapoints/'));
    expect(await ask(of('below'))).toMatchObject(failing('below nothing'));
    expect(await ask(of('orphan'))).toMatchObject(failing('of a series that counts nothing else: canary 2.0 web-1'));
    expect(await ask(plain, { stableVersion: '2.0' })).toMatchObject(failing('they cannot be told apart'));
    expect(await ask(plain, { stableVersion: '2_0' })).toMatchObject(failing('are both shop.2_0.*.failed'));
  });

  it('puts values into a target as what they are, or refuses them', async () => {
    for (const canaryVersion of ['*', '2_?', '{2_0,1_0}', '1"} or 1=1', '2.0)', "2_0.*.requests,'", '[0-9]_0'])
      expect(await ask(plain, { canaryVersion, stableVersion: null }), canaryVersion).toMatchObject({ kind: 'no_data' });
    const tagged = ratio({
      bad: `seriesByTag('name=x', 'version={{version}}')`,
      total: `seriesByTag('name=calls', 'version={{version}}')`,
    });
    for (const canaryVersion of [`2.0','name=~.*`, '1"} or 1=1', '2.0;x', '2.0\\', '{{stable}}'])
      expect(await ask(tagged, { canaryVersion }), canaryVersion).toMatchObject(failing('cannot be said in a target'));
    expect(await ask(tagged, { canaryVersion: '2.*' })).toMatchObject({ kind: 'no_data' });
    const value = threshold({ query: 'maxSeries(app.{{canary}}.load)' });
    expect(await ask(value, { canaryVersion: '2_0.load),maxSeries(shop.*.*' })).toMatchObject({ kind: 'no_data' });
  });
});

describe('provider graphite: histograms and levels', () => {
  it('gives counts per bucket, in milliseconds', async () => {
    const expected = { kind: 'histogram', series: [{ role: 'canary', counts: [10, 4, 1] }] };
    expect(await ask(latency({ histogram: 'time.{{version}}.*.seconds.le_{{le}}' }))).toMatchObject({
      ...expected,
      boundsMs: [100, 500],
    });
    const tagged = latency({ histogram: `seriesByTag('name=buckets', 'version={{version}}')` });
    expect(await ask(tagged)).toMatchObject({ boundsMs: [100], series: [{ key: '2.0 a', counts: [10, 5] }] });
  });

  it('fails on buckets that cannot be', async () => {
    for (const [metric, detail] of [
      ['sinking', 'less than a smaller one'],
      ['open', 'no bucket +Inf'],
      ['odd', 'a bound that is no number'],
    ])
      expect(await ask(latency({ histogram: `${metric}.{{version}}.*.ms.le_{{le}}` })), metric).toMatchObject(
        failing(detail ?? ''),
      );
  });

  it('gives one level of each instance, of both versions', async () => {
    const rss = { query: 'app.{{version}}.*.rss' };
    expect(await ask(gauge(rss))).toMatchObject({
      kind: 'gauges',
      series: [
        { key: '2.0 web-1', role: 'canary', value: 512 },
        { key: '2.0 web-2', role: 'canary', value: 500 },
        { key: '1.0 web-3', role: 'stable', value: 400 },
      ],
    });
    expect(await ask(mannWhitney(rss))).toMatchObject({ kind: 'gauges' });
    expect(await ask(gauge({ query: 'codes.{{version}}.web-1.{200,500}' }))).toMatchObject(
      failing('several series are one instance'),
    );
  });
});

describe('provider graphite: values', () => {
  it('takes the newest value, or what it is told to take of a range', async () => {
    expect(await ask(threshold({ query: 'app.{{canary}}.load' }))).toEqual({ kind: 'value', at: (nowS - 4) * 1000, value: 4 });
    for (const [reduce, value] of [
      ['max', 4],
      ['min', 2],
      ['last', 4],
      ['mean', 3],
    ] as const)
      expect(
        await ask(threshold({ query: 'app.{{version}}.load', range: '28000', reduce }), { now: Instant(nowS * 1000) }),
        reduce,
      ).toMatchObject({ value });
    expect(await ask(threshold({ query: `alias(maxSeries(app.{{canary}}.*.rss), 'of {{service}}')` }))).toMatchObject({
      value: 512,
    });
  });

  it('has no data where nothing answers, and fails on several series', async () => {
    for (const query of ['app.{{canary}}.nowhere', 'old.2_0.web-1.requests', 'noSuchFunction(app.2_0.load)'])
      expect((await ask(threshold({ query }))).kind, query).toMatch(/no_data|failed/);
    expect(await ask(threshold({ query: 'app.{{canary}}.*.rss' }))).toMatchObject(failing('2 series answer where one is needed'));
  });
});

describe('provider graphite: history', () => {
  it('gives what was to be measured then', async () => {
    const span = { from: Instant((nowS - 12) * 1000), to: Instant(nowS * 1000), stepMs: 6_000 };
    const found = await provider().history(questionOf(plain), span, signal);
    expect(found).toMatchObject({
      ok: true,
      value: [
        { kind: 'counters', at: (nowS - 12) * 1000, series: [{ key: '2.0 web-1', total: 90, bad: 0 }] },
        { kind: 'counters', at: (nowS - 12) * 1000 },
        { kind: 'counters', at: (nowS - 2) * 1000 },
      ],
    });
    expect(found.ok && found.value.length).toBe(3);
    const alone = await provider().history(questionOf(plain, { canaryVersion: '3.0' }), span, signal);
    expect(alone).toMatchObject({
      value: [{ kind: 'no_data' }, { kind: 'no_data' }, { kind: 'counters', series: [{ role: 'stable' }] }],
    });
  });
});

describe('provider graphite: plans', () => {
  it.each([
    [ratio({ total: 'a.{{version}}' }), 'graphite needs bad and total for a check of kind ratio'],
    [ratio({ bad: 'a.{{version}}', total: 'b' }), 'total: say with {{version}} where the version stands'],
    [ratio({ bad: 'a.{{version}}', total: 'sumSeries(b.{{version}}.*)' }), 'total: a path such as'],
    [ratio({ bad: `seriesByTag('name=~{{version}}')`, total: 'b.{{version}}' }), 'bad: {{version}} is no pattern'],
    [ratio({ bad: `seriesByTag("a=b'", 'version={{version}}')`, total: 'b.{{version}}' }), 'bad: seriesByTag('],
    [ratio({ bad: 'a.{{canary}}', total: 'b.{{version}}' }), 'bad: {{canary}} is none of'],
    [ratio({ bad: 'a.{{version}}', total: 'b.{{version}}', version: 'release' }), 'knows no label of the version'],
    [ratio({ bad: 'a.{{version}}', total: 'b.{{version}}', by: 'route' }), 'with "by" it is seriesByTag'],
    [rate({ events: 'a.{{version}}' }), 'say with "per"'],
    [latency({ histogram: 'a.{{version}}.le_100' }), 'histogram: say with {{le}}'],
    [threshold({ query: 'max(a' }), 'query: a quote or a bracket is not closed'],
    [threshold({ query: 'max(a))' }), 'query: a bracket is closed'],
  ])('refuses %o in words', (check, words) => {
    expect(provider().refuses(check)).toContain(words);
  });

  it('offers what the operator named, and refuses none of it', () => {
    const made = provider({ checks: { errors: { kind: 'ratio', ...plain.query } } });
    expect(made.offers).toEqual({ errors: { kind: 'ratio', query: { offered: 'errors' } } });
    expect(made.refuses(ratio({ offered: 'errors' }))).toBeNull();
  });
});

describe('provider graphite: a server that does not answer as it should', () => {
  it('says that it is down, slow, locked, or somebody else', async () => {
    const strange = createServer((request, answer) => {
      if (request.url?.startsWith('/slow')) return;
      if (request.url?.startsWith('/locked')) return void answer.writeHead(401).end('<h1>who are you?</h1>');
      if (request.url?.startsWith('/away')) return void answer.writeHead(302, { location: server.url }).end();
      answer.end(
        request.url?.startsWith('/page') ? '<html>login</html>' : '[{"target":"shop.2_0.requests","datapoints":[[1,1]]}]',
      );
    });
    await new Promise<void>((done) => void strange.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(strange.address() as AddressInfo).port}`;
    const from = (options: Readonly<Record<string, unknown>>): Promise<Measurement> =>
      provider(options).measure(questionOf(plain), signal);
    expect(await from({ url: 'http://127.0.0.1:1' })).toMatchObject(failing('graphite: ECONNREFUSED'));
    expect(await from({ url: `${url}/slow`, timeoutMs: 100 })).toMatchObject(failing('graphite: no answer within 100 ms'));
    expect(await from({ url: `${url}/locked` })).toMatchObject(failing('graphite: answered 401'));
    expect(await from({ url: `${url}/away` })).toMatchObject(failing('answered 302, a redirect'));
    expect(await from({ url: `${url}/page` })).toMatchObject(failing('no JSON'));
    expect(await from({ url })).toMatchObject(failing('a series that nobody asked for: shop.2_0.requests'));
    strange.closeAllConnections();
    strange.close();
  });
});
