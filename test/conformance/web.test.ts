/** The web provider against a server of JSON: what it makes of everything that can be in an answer. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sender } from '../../src/adapters/outgoing/access.ts';
import { webOptions } from '../../src/adapters/metrics/web/options.ts';
import { web } from '../../src/adapters/metrics/web/web.ts';
import { readShape } from '../../src/contract/shape.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { checkOf, questionOf } from './questions.ts';

const signal = new AbortController().signal;
const NOW = Instant(1_760_000_000_000);
const { ratio, rate, latency, gauge, slo, threshold } = checkOf;

type Asked = {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
};
let server: Server;
let base: string;
let asked: Asked[];
/** What it answers next. */
let answer: { status: number; body: string; location?: string } | 'nothing';

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    asked.push({ method: request.method ?? '', url: request.url ?? '', body, headers: request.headers });
    if (answer === 'nothing') return;
    response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location }).end(answer.body);
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const url = '/v1/counts?service={{service}}&versions={{canary}},{{stable}}';
const errors = {
  ...{ kind: 'ratio', at: '/time', canary: { total: '/canary/requests', bad: '/canary/failed' } },
  stable: { total: '/stable/requests', bad: '/stable/failed' },
};
const HONEST = { time: 1_759_999_995, canary: { requests: 100, failed: 7 }, stable: { requests: 900, failed: 2 } };

function provider(check: Readonly<Record<string, unknown>>, options: Readonly<Record<string, unknown>> = {}): MetricProvider {
  const full = { ...check, url: `${base}${String(check['url'] ?? url)}` };
  const parsed = webOptions.parse({ type: 'web', checks: { it: full }, ...options });
  return web('stats', parsed, sender(parsed));
}
const KINDS: Readonly<Record<string, (query: Readonly<Record<string, string>>) => Check>> = checkOf;

async function ask(
  check: Readonly<Record<string, unknown>>,
  given: unknown,
  change: Partial<Question> = {},
): Promise<Measurement> {
  asked = [];
  answer = { status: 200, body: typeof given === 'string' ? given : JSON.stringify(given) };
  const kind = KINDS[String(check['kind'])] ?? ratio;
  return provider(check).measure(questionOf(kind({ offered: 'it' }), { now: NOW, ...change }), signal);
}
const failing = (detail: string) => ({ kind: 'failed', detail: expect.stringContaining(detail) });

describe('provider web: numbers', () => {
  it('takes counts from where they are said to be', async () => {
    expect(await ask(errors, HONEST)).toEqual({
      kind: 'counters',
      at: 1_759_999_995_000,
      series: [
        { key: '2.0', role: 'canary', startedAt: null, total: 100, bad: 7 },
        { key: '1.0', role: 'stable', startedAt: null, total: 900, bad: 2 },
      ],
    });
    expect(asked).toMatchObject([{ method: 'GET', url: '/v1/counts?service=shop&versions=2.0,1.0', body: '' }]);
  });

  it('takes counts of each instance', async () => {
    const given = { ...HONEST, canary: { requests: { a: 60, b: 40 }, failed: { a: 7, b: 0 } } };
    expect(await ask(errors, given)).toMatchObject({
      series: [{ key: '2.0 a', total: 60, bad: 7 }, { key: '2.0 b', total: 40 }, { key: '1.0' }],
    });
    const half = { ...HONEST, canary: { requests: { a: 60, b: 40 }, failed: { a: 7 } } };
    expect(await ask(errors, half)).toMatchObject(failing('/canary/requests counts 2.0 b, and /canary/failed does not'));
  });

  it('takes events, buckets, levels and values', async () => {
    const restarts = {
      ...errors,
      kind: 'rate',
      canary: { events: '/c/0', per: '/c/1' },
      stable: { events: '/s/0', per: '/s/1' },
    };
    expect(await ask(restarts, { time: 1_759_999_995, c: [2, 50], s: [1, 500] })).toMatchObject({
      series: [
        { total: 50, bad: 2 },
        { total: 500, bad: 1 },
      ],
    });
    const buckets = { ...errors, kind: 'latency', boundsMs: [50, 100], canary: { counts: '/c' }, stable: { counts: '/s' } };
    const given = { time: '2025-10-09T08:53:15Z', c: [5, 3, 1], s: [50, 30, 10], b: [10, 20] };
    expect(await ask(buckets, given)).toMatchObject({
      kind: 'histogram',
      boundsMs: [50, 100],
      series: [{ counts: [5, 3, 1] }, { counts: [50, 30, 10] }],
    });
    expect(await ask({ ...buckets, boundsMs: '/b', cumulated: true }, { ...given, c: [5, 8, 9], s: [1, 1, 1] })).toMatchObject({
      ...{ boundsMs: [10, 20], series: [{ counts: [5, 3, 1] }, { counts: [1, 0, 0] }] },
    });
    const memory = { ...errors, kind: 'gauge', canary: { value: '/c' }, stable: { value: '/s' } };
    expect(await ask(memory, { time: 1_759_999_995_000, c: { a: 5, b: 6 }, s: -4 })).toMatchObject({
      ...{ kind: 'gauges', series: [{ key: '2.0 a', value: 5 }, { key: '2.0 b' }, { key: '1.0', role: 'stable', value: -4 }] },
    });
    expect(await ask({ kind: 'threshold', at: 'now', value: '/a~1b/~0' }, { 'a/b': { '~': 0.5 } })).toEqual({
      kind: 'value',
      at: NOW,
      value: 0.5,
    });
    expect(await ask({ kind: 'threshold', at: 'now', value: '' }, 7)).toMatchObject({ value: 7 });
    expect(await ask({ kind: 'ratio', at: '/time', canary: errors.canary }, HONEST)).toMatchObject({ series: [{ total: 100 }] });
  });

  it('looks at the canary alone without a stable version', async () => {
    expect(await ask(errors, { ...HONEST, stable: null }, { stableVersion: null })).toMatchObject({
      series: [{ role: 'canary' }],
    });
    expect(await ask(errors, { ...HONEST, stable: { requests: null, failed: null } })).toMatchObject({
      series: [{ role: 'canary' }],
    });
  });

  it('has no data where the answer says that there is none', async () => {
    expect(await ask(errors, { ...HONEST, canary: { requests: null, failed: null } })).toMatchObject({ kind: 'no_data' });
    expect(await ask(errors, { ...HONEST, canary: { requests: {}, failed: {} } })).toMatchObject({ kind: 'no_data' });
    expect(await ask(errors, { ...HONEST, time: null })).toMatchObject({ kind: 'no_data', detail: 'stats: no time at /time' });
    answer = { status: 204, body: '' };
    expect(await provider(errors).measure(questionOf(ratio({ offered: 'it' })), signal)).toMatchObject({ kind: 'no_data' });
  });

  it.each([
    [{ ...HONEST, canary: { failed: 7 } }, 'the answer has no /canary/requests: /canary has failed'],
    [{ ...HONEST, canary: { requests: '100', failed: 7 } }, '/canary/requests is the text "100", not a number'],
    [{ ...HONEST, canary: { requests: true, failed: 7 } }, '/canary/requests is true, not a number'],
    [{ ...HONEST, canary: { requests: [100, 200], failed: 7 } }, '/canary/requests is a list of 2, not a number'],
    [{ ...HONEST, canary: { requests: -1, failed: 0 } }, 'a count of 2.0 below nothing'],
    [{ ...HONEST, canary: [1] }, '/canary is a list, and "requests" is no place in it'],
    [{ ...HONEST, canary: 'gone' }, '/canary is the text "gone"'],
    [{ ...HONEST, canary: { requests: { a: 'x' }, failed: { a: 1 } } }, '/canary/requests/a is the text "x"'],
    [{ ...HONEST, canary: { requests: 100, failed: null } }, '/canary/requests counts 2.0, and /canary/failed does not'],
    [{ ...HONEST, time: 'yesterday' }, '/time is the text "yesterday", not a time'],
    [{ ...HONEST, time: -5 }, '/time is the number -5, not a time'],
    [JSON.stringify(HONEST).replace('100', '1e999'), '/canary/requests is a number too large, not a number'],
    [JSON.stringify(HONEST).replace('100', 'NaN'), 'no JSON'],
    ['[]', 'the answer has no /time: it is a list'],
    ['null', 'the answer has no /time: it is null'],
    ['<html>login</html>', 'no JSON'],
    ['', 'no JSON'],
  ])('fails on %j, and says where', async (given, detail) => {
    expect(await ask(errors, given)).toMatchObject(failing(detail));
  });

  it('fails on buckets that cannot be', async () => {
    const buckets = { ...errors, kind: 'latency', at: 'now', boundsMs: '/b', canary: { counts: '/c' }, stable: { counts: '/c' } };
    for (const [given, detail] of [
      [{ b: [50, 100], c: [1, 2] }, '/c has 2 buckets, and 2 bounds make 3'],
      [{ b: [50, 50], c: [1, 2, 3] }, '/b/1 is the number 50: bounds are numbers that rise'],
      [{ b: [], c: [1] }, '/b is a list of 0, not a list of bounds'],
      [{ b: [50], c: [1, '2'] }, '/c/1 is the text "2", not a count'],
      [{ b: [50], c: [1, -2] }, '/c/1 is below nothing'],
      [{ b: [50], c: { 0: 1, 1: 2 } }, '/c is an object, not a list of counts'],
    ] as const)
      expect(await ask(buckets, given), detail).toMatchObject(failing(detail));
    expect(await ask({ ...buckets, cumulated: true }, { b: [50], c: [5, 4] })).toMatchObject(
      failing('/c/1 is less than the bucket before'),
    );
  });
});

describe('provider web: asking', () => {
  it('escapes values for the place where they stand', async () => {
    await ask({ ...errors, url: '/of/{{service}}/x?v={{canary}}' }, HONEST, {
      service: 'a/b?c',
      canaryVersion: '1"} or 1=1&x=#',
    });
    expect(asked[0]?.url).toBe('/of/a%2Fb%3Fc/x?v=1%22%7D%20or%201%3D1%26x%3D%23');
    expect(await ask({ ...errors, url: '/of/{{service}}/x' }, HONEST, { service: '..' })).toMatchObject(
      failing('a value of dots'),
    );
    expect(asked).toEqual([]);
  });

  it('sends a body with values as what they are', async () => {
    const body = { version: '{{canary}}', text: 'v{{canary}}!', since: '{{fromMs}}', list: ['{{interval}}', 5, null] };
    await ask({ ...errors, url: '/x', method: 'POST', body }, HONEST, { canaryVersion: '1"} or 1=1', since: Instant(5_000) });
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      version: '1"} or 1=1',
      text: 'v1"} or 1=1!',
      since: 5_000,
      list: [5, 5, null],
    });
    expect(asked[0]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
  });

  it('counts since the present weight where the address says so', async () => {
    const since = Instant(NOW - 60_000);
    const counts = { ...errors, url: '/x?from={{from}}&to={{toIso}}' };
    expect(await ask(counts, HONEST, { since })).toMatchObject({ series: [{ startedAt: since }, { startedAt: since }] });
    expect(asked[0]?.url).toBe('/x?from=1759999940&to=2025-10-09T08%3A53%3A20.000Z');
    const found = await provider(counts).history(
      questionOf(ratio({ offered: 'it' })),
      { from: Instant(0), to: Instant(20_000), stepMs: 10_000 },
      signal,
    );
    expect(found).toMatchObject({ ok: true, value: { length: 3 } });
    expect(asked.slice(-3).map((one) => one.url.slice(0, 22))).toEqual(Array.from({ length: 3 }, () => '/x?from=0&to=1970-01-0'));
    const long = await provider(counts).history(
      questionOf(ratio({ offered: 'it' })),
      { from: Instant(0), to: NOW, stepMs: 10_000_000_000 / 10 },
      signal,
    );
    expect(long).toMatchObject({ ok: false });
    expect(
      await provider(errors).history(questionOf(ratio({ offered: 'it' })), { from: Instant(0), to: NOW, stepMs: 1e9 }, signal),
    ).toMatchObject({
      error: 'stats: its address has no {{to}}, so it tells of now only',
    });
  });

  it('sends secrets, and follows no redirect with them', async () => {
    asked = [];
    answer = { status: 302, body: '', location: `${base}/elsewhere` };
    const made = provider(errors, { auth: { bearer: 'tok' }, headers: { 'X-Tenant': 'shop' } });
    expect(await made.measure(questionOf(ratio({ offered: 'it' })), signal)).toMatchObject(
      failing('stats: answered 302, a redirect'),
    );
    expect(asked).toMatchObject([{ headers: { authorization: 'Bearer tok', 'x-tenant': 'shop' } }]);
    for (const status of [401, 404, 500, 206]) {
      answer = { status, body: JSON.stringify(HONEST) };
      expect(await made.measure(questionOf(ratio({ offered: 'it' })), signal)).toMatchObject(
        failing(`stats: answered ${status}`),
      );
    }
  });

  it('says that nobody is there, or that nobody answers, or that the answer has no end', async () => {
    const question = questionOf(ratio({ offered: 'it' }));
    answer = 'nothing';
    expect(await provider(errors, { timeoutMs: 100 }).measure(question, signal)).toMatchObject(
      failing('stats: no answer within 100 ms'),
    );
    expect(await provider(errors).measure(question, AbortSignal.timeout(50))).toMatchObject(failing('stats: no answer in time'));
    answer = { status: 200, body: ' '.repeat(17 << 20) };
    expect(await provider(errors).measure(question, signal)).toMatchObject(failing('stats: an answer without end'));
    const nobody = webOptions.parse({ type: 'web', checks: { it: { ...errors, url: 'http://127.0.0.1:1/' } } });
    expect(await web('stats', nobody, sender(nobody)).measure(question, signal)).toMatchObject(failing('stats: ECONNREFUSED'));
  });
});

describe('provider web: configurations and plans', () => {
  it.each([
    [{ ...errors, url: 'http://{{service}}.example/' }, 'the host is fixed'],
    [{ ...errors, url: 'http://example{{service}}/' }, 'the host is fixed'],
    [{ ...errors, url: 'ftp://a/' }, 'an address such as'],
    [{ ...errors, url: 'http://a/?{{vresion}}' }, '{{vresion}} is none of'],
    [{ ...errors, url: 'http://a/?{{to}}' }, 'says with {{from}} where it begins'],
    [{ ...errors, url: 'http://a/', at: 'time' }, 'a JSON pointer such as'],
    [{ ...errors, url: 'http://a/', body: {} }, 'a body needs method: POST'],
    [{ ...errors, url: 'http://a/', method: 'POST', body: { a: '{{x}}' } }, '{{x}} is none of'],
    [{ ...errors, url: 'http://a/', canary: { total: '/a~2', bad: '/b' } }, 'a JSON pointer such as'],
    [{ ...errors, url: 'http://a/', canary: undefined }, 'canary is missing'],
    [
      { ...errors, kind: 'latency', url: 'http://a/', boundsMs: [5, 1], canary: { counts: '/a' }, stable: { counts: '/a' } },
      'bounds rise',
    ],
    [{ kind: 'guess', url: 'http://a/' }, 'a check says its kind'],
  ])('refuses %j', (check, words) => {
    const read = readShape(webOptions, { type: 'web', checks: { it: check } });
    expect(JSON.stringify(read.ok ? [] : read.error)).toContain(words);
  });

  it('offers what is configured, and refuses everything else in words', () => {
    const made = provider(errors);
    expect(made.offers).toEqual({ it: { kind: 'ratio', query: { offered: 'it' } } });
    expect(made.refuses(ratio({ offered: 'it' }))).toBeNull();
    expect(made.refuses(slo({ offered: 'it' }))).toBeNull();
    const { stable: _, ...alone } = errors;
    expect(provider(alone).refuses(slo({ offered: 'it' }))).toBeNull();
    expect(provider(alone).refuses(ratio({ offered: 'it' }))).toContain('knows nothing of stable');
    for (const [check, words] of [
      [ratio({ offered: 'that' }), 'not by "that"; it offers it'],
      [ratio({ offered: 'constructor' }), 'not by "constructor"'],
      [ratio({ bad: 'a', total: 'b' }), 'not by "a, b"'],
      [latency({ offered: 'it' }), 'stats answers it for checks of kind ratio, slo, mann-whitney, not latency'],
      [gauge({ offered: 'it' }), 'not gauge'],
      [rate({ offered: 'it' }), 'not rate'],
      [threshold({ offered: 'it', range: '5' }), 'stats takes no range'],
    ] as const)
      expect(made.refuses(check)).toContain(words);
  });
});
