/** Pushed counts, from what an application sends to what a check is told: on every store, over the API, across restarts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { pushOptions } from '../../src/adapters/metrics/push/options.ts';
import { push as pushProvider } from '../../src/adapters/metrics/push/push.ts';
import { createApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { after, Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { Push } from '../../src/domain/push.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import type { Store } from '../../src/ports/store.ts';
import { memoryStore } from '../../src/store/memory.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { checkOf, questionOf } from './questions.ts';

const signal = new AbortController().signal;
const NOON = Instant(1_760_000_000_000);
const START = Instant(NOON - 600_000);
const HOUR = 3_600_000;
const { ratio, rate, latency, gauge, slo, threshold, mannWhitney } = checkOf;
const folder = mkdtempSync(join(tmpdir(), 'headgate-push-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Counts = Readonly<Record<string, number>>;
const counters = (counts: Counts, by: string | null = null, stratum: string | null = null): Push['counters'] =>
  Object.entries(counts).map(([name, count]) => ({ name, by, stratum, count }));
const pushOf = (counts: Counts, change: Partial<Push> = {}): Push => ({
  ...{ service: 'shop', version: '2.0', instance: 'web-1', startedAt: START, sequence: null, at: NOON },
  ...{ counters: counters(counts), histograms: [], gauges: [] },
  ...change,
});
const errors = ratio({ bad: 'errors', total: 'requests' });
const failing = (detail: string) => ({ kind: 'failed', detail: expect.stringContaining(detail) });

let serial = 0;
describe.each([
  ['memory', async (now: () => Instant) => memoryStore({ now })],
  ['SQLite', (now: () => Instant) => openSqlite({ file: ':memory:', now })],
])('pushed to %s', (_, open) => {
  let now: Instant;
  let store: Store;
  let provider: MetricProvider;
  beforeEach(async () => {
    now = NOON;
    store = await open(() => now);
    provider = pushProvider('push', pushOptions.parse({ type: 'push' }), store.pushed);
  });
  const ask = (check: Check, change: Partial<Question> = {}): Promise<Measurement> =>
    provider.measure(questionOf(check, { now, ...change }), signal);
  const pushed = async (...pushes: readonly Push[]): Promise<void> => {
    for (const one of pushes) expect(await store.push(one)).toMatchObject({ ok: true, value: { isCounted: true } });
  };

  it('gives cumulative counts per instance, since its process began, by the role of its version', async () => {
    await pushed(
      pushOf({ requests: 100, errors: 3 }, { at: Instant(NOON - 5_000) }),
      pushOf({ requests: 50, errors: 0 }, { instance: 'web-2', at: Instant(NOON - 9_000) }),
      pushOf({ requests: 900, errors: 1 }, { version: '1.0' }),
      pushOf({ requests: 7, errors: 7 }, { version: '0.9' }),
      pushOf({ requests: 7, errors: 7 }, { service: 'till' }),
    );
    const seen = await ask(errors);
    expect(seen).toMatchObject({ kind: 'counters', at: NOON - 5_000 });
    expect(seen.kind === 'counters' && seen.series).toEqual(
      expect.arrayContaining([
        { key: '2.0 web-1', role: 'canary', startedAt: START, total: 100, bad: 3 },
        { key: '2.0 web-2', role: 'canary', startedAt: START, total: 50, bad: 0 },
        { key: '1.0 web-1', role: 'stable', startedAt: START, total: 900, bad: 1 },
      ]),
    );
    for (const check of [slo(errors.query), mannWhitney(errors.query), ratio({ offered: 'errors' })])
      expect(await ask(check)).toEqual(seen);
  });

  it('has no data where the canary pushed nothing, or nothing of that name', async () => {
    await pushed(pushOf({ requests: 100, errors: 3 }, { version: '1.0' }));
    expect(await ask(errors)).toMatchObject({ kind: 'no_data', detail: 'push: nothing was pushed for version 2.0' });
    await pushed(pushOf({ logins: 5 }));
    expect(await ask(errors)).toMatchObject({ kind: 'no_data', detail: 'push: version 2.0 pushes nothing of this name' });
    for (const canaryVersion of ['1"} or 1=1', "' or 1=1 --", '%', 'constructor'])
      expect(await ask(errors, { canaryVersion }), canaryVersion).toMatchObject({ kind: 'no_data' });
  });

  it('takes half of a ratio for none', async () => {
    await pushed(pushOf({ requests: 100 }));
    expect(await ask(errors)).toMatchObject(
      failing('2.0 web-1 pushes requests and no errors: push both, 0 where there were none'),
    );
    expect(await ask(errors, { stableVersion: '2.0' })).toMatchObject(failing('cannot be told apart'));
  });

  it('is as old as the older one of two counts, and stays so while nothing comes', async () => {
    await pushed(pushOf({ requests: 100, errors: 3 }));
    now = after(NOON, 60_000);
    await pushed(pushOf({ requests: 900 }, { at: now }));
    expect(await ask(errors)).toMatchObject({ at: NOON });
  });

  it('adds up deltas, each once, in whatever order they come', async () => {
    const delta = (sequence: number, count: number): Push => pushOf({ requests: count, errors: 1 }, { sequence });
    await pushed(delta(1, 10), delta(2, 20));
    expect(await store.push(delta(2, 20))).toMatchObject({ value: { isCounted: false } });
    await pushed(delta(5, 50));
    expect(await ask(errors)).toMatchObject(failing('pushes 3, 4 of 2.0 web-1 did not come'));
    await pushed(delta(4, 40), delta(3, 30));
    for (const sequence of [1, 2, 3, 4, 5])
      expect(await store.push(delta(sequence, 9))).toMatchObject({ value: { isCounted: false } });
    expect(await ask(errors)).toMatchObject({ series: [{ total: 150, bad: 5, startedAt: START }] });
  });

  it('goes on without what a process that fell silent did not send', async () => {
    await pushed(pushOf({ requests: 1, errors: 0 }, { sequence: 1 }), pushOf({ requests: 1, errors: 0 }, { sequence: 3 }));
    expect(await ask(errors)).toMatchObject({ kind: 'failed' });
    now = after(NOON, 40_000);
    expect(await ask(errors)).toMatchObject({ kind: 'counters', at: NOON });
  });

  it('counts anew after a hole too large, and says so', async () => {
    await pushed(pushOf({ requests: 500, errors: 1 }, { sequence: 1 }));
    now = after(NOON, 1_000);
    await pushed(pushOf({ requests: 5, errors: 0 }, { sequence: 500, at: now }));
    expect(await ask(errors)).toMatchObject({ series: [{ total: 5, bad: 0, startedAt: now }] });
  });

  it('sees a process begin anew, and refuses what an earlier one sent', async () => {
    await pushed(pushOf({ requests: 500, errors: 1 }));
    const later = Instant(NOON - 1_000);
    await pushed(pushOf({ requests: 3, errors: 0 }, { startedAt: later }));
    expect(await ask(errors)).toMatchObject({ series: [{ total: 3, startedAt: later }] });
    expect(await store.push(pushOf({ requests: 501, errors: 1 }))).toMatchObject({
      ok: false,
      error: expect.stringContaining('a process that began earlier'),
    });
  });

  it('refuses counts that fall, other bounds, another way of counting, and too many series', async () => {
    const histogram = { name: 'duration', boundsMs: [50], counts: [5, 1] };
    await pushed(pushOf({ requests: 500, errors: 1 }, { histograms: [histogram] }));
    const many = Object.fromEntries(Array.from({ length: 201 }, (_one, index) => [`c${index}`, 1]));
    for (const [change, words] of [
      [pushOf({ requests: 499 }), 'requests was 500 and is 499 now'],
      [pushOf({}, { histograms: [{ ...histogram, boundsMs: [60] }] }), 'duration has other bounds'],
      [pushOf({}, { histograms: [{ ...histogram, counts: [5, 0] }] }), 'duration was 1 and is 0 now'],
      [pushOf({ requests: 1 }, { sequence: 1 }), 'counts cumulatively since'],
      [pushOf(many), '204 series, and 200 are kept'],
    ] as const)
      expect(await store.push(change), words).toMatchObject({ ok: false, error: expect.stringContaining(words) });
    expect(await ask(errors)).toMatchObject({ series: [{ total: 500, bad: 1 }] });
    expect(await store.push(pushOf({ requests: 400 }, { at: Instant(NOON - 5_000) }))).toMatchObject({ ok: true });
    expect(await ask(errors)).toMatchObject({ series: [{ total: 500, bad: 1 }] });
  });

  it('keeps so many instances, and forgets those that are silent', async () => {
    for (let n = 0; n < 500; n++) await store.push(pushOf({ requests: 1 }, { instance: `i${n}` }));
    expect(await store.push(pushOf({ requests: 1 }, { instance: 'one more' }))).toMatchObject({
      ok: false,
      error: expect.stringContaining('500 instances of shop'),
    });
    await pushed(pushOf({ requests: 2 }, { instance: 'i7' }));
    now = after(NOON, 2 * HOUR + 1);
    await pushed(pushOf({ requests: 1 }, { instance: 'one more' }));
    expect(await store.pushed('shop', ['2.0'])).toHaveLength(1);
    expect(await store.retain(after(now, 1))).toBe(1);
    expect(await store.pushed('shop', ['2.0'])).toEqual([]);
  });

  it('gives events against requests or seconds, parts, buckets, levels and values', async () => {
    await pushed(
      pushOf(
        { restarts: 2, requests: 50 },
        {
          counters: [
            ...counters({ restarts: 2, requests: 50 }),
            ...counters({ requests: 30, errors: 1 }, 'route', '/cart'),
            ...counters({ requests: 20, errors: 0 }, 'route', '/pay'),
          ],
          histograms: [{ name: 'duration', boundsMs: [50, 100], counts: [5, 3, 1] }],
          gauges: [{ name: 'memory', value: 512 }],
        },
      ),
      pushOf({}, { instance: 'web-2', gauges: [{ name: 'memory', value: 500 }] }),
      pushOf({}, { version: '1.0', gauges: [{ name: 'memory', value: 400 }] }),
    );
    expect(await ask(rate({ events: 'restarts' }))).toMatchObject({ series: [{ total: 600, bad: 2 }] });
    expect(await ask(rate({ events: 'restarts', per: 'requests' }))).toMatchObject({ series: [{ total: 50, bad: 2 }] });
    expect(await ask(ratio({ ...errors.query, by: 'route' }))).toMatchObject({
      series: [
        { key: '2.0 web-1 /cart', stratum: '/cart', total: 30, bad: 1 },
        { key: '2.0 web-1 /pay', stratum: '/pay', total: 20, bad: 0 },
      ],
    });
    expect(await ask(latency({ offered: 'latency' }))).toMatchObject({
      kind: 'histogram',
      boundsMs: [50, 100],
      series: [{ counts: [5, 3, 1] }],
    });
    expect(await ask(gauge({ query: 'memory' }))).toMatchObject({ kind: 'gauges', series: { length: 3 } });
    expect(await ask(threshold({ query: 'memory' }))).toMatchObject(
      failing('2 instances push memory where one value is needed: say max(memory)'),
    );
    for (const [how, value] of [
      ['max', 512],
      ['min', 500],
      ['mean', 506],
      ['sum', 1_012],
    ] as const)
      expect(await ask(threshold({ query: `${how}(memory)` }))).toMatchObject({ kind: 'value', value });
    now = after(NOON, 40_000);
    expect(await ask(gauge({ query: 'memory' }))).toMatchObject({ kind: 'no_data' });
  });

  it('refuses what it cannot be asked, in words', async () => {
    for (const [check, words] of [
      [ratio({ total: 'requests' }), 'push needs bad and total'],
      [ratio({ bad: 'sum(a)', total: 'b' }), 'bad is the name of what is pushed'],
      [ratio({ bad: 'a', total: 'b', version: 'x' }), 'knows the version from the push'],
      [threshold({ query: 'avg(x)' }), 'query is the name of a gauge'],
      [threshold({ query: 'x', range: '5' }), 'keeps the newest value only'],
    ] as const)
      expect(provider.refuses(check)).toContain(words);
    expect(provider.refuses(rate({ events: 'restarts' }))).toBeNull();
    const span = { from: START, to: NOON, stepMs: 1_000 };
    expect(await provider.history(questionOf(errors), span, signal)).toMatchObject({
      ok: false,
      error: expect.stringContaining('no history'),
    });
  });
});

describe('pushed over the API', () => {
  const open = async (file: string, providers = '{ own: { type: push } }') => {
    const text = `store: { sqlite: ${join(folder, file)}, reserveMb: 0 }\nproviders: ${providers}\nservices: { shop: {} }\n`;
    const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
    if (!config.ok) throw new Error(JSON.stringify(config.error));
    const quiet = (): void => {};
    const app = await createApp(config.value, { debug: quiet, info: quiet, warn: quiet, error: quiet });
    const send = async (body: unknown, service = 'shop') => {
      const answer = await app.fetch(
        new Request(`http://headgate/v1/services/${service}/measurements`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      );
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    return { app, send };
  };
  const body = {
    mode: 'delta',
    sequence: 1,
    version: '2.0',
    instance: 'web-1',
    startedAt: Date.now() - 60_000,
    counters: { requests: 10, errors: 1 },
  };

  it('takes a push, takes it once, and still has it after a restart', async () => {
    const file = `api-${serial++}.db`;
    const before = await open(file);
    expect(await before.send(body)).toEqual({ status: 200, body: { counted: true, missing: [] } });
    expect(await before.send({ ...body, sequence: 3 })).toEqual({ status: 200, body: { counted: true, missing: [2] } });
    await before.app.close(0);
    const again = await open(file);
    expect(await again.send({ ...body, sequence: 3 })).toEqual({ status: 200, body: { counted: false, missing: [2] } });
    expect(await again.send({ ...body, sequence: 2 })).toEqual({ status: 200, body: { counted: true, missing: [] } });
    const provider = again.app.context.providers.get('own');
    const seen = await provider?.measure(questionOf(errors, { now: Instant(Date.now()) }), signal);
    expect(seen).toMatchObject({ series: [{ total: 30, bad: 3, startedAt: body.startedAt }] });
    await again.app.close(0);
  });

  it('refuses what cannot be meant, all at once, and says where', async () => {
    const { app, send } = await open(`api-${serial++}.db`);
    const pointersOf = async (wrong: unknown): Promise<unknown> => {
      const { status, body: told } = await send(wrong);
      expect(status, JSON.stringify(wrong)).toBe(422);
      return (told['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
    };
    const bad = {
      ...body,
      sequence: 0,
      startedAt: 5,
      colour: 'red',
      counters: { requests: -1, 'a b': 1 },
      histograms: { d: { boundsMs: [5, 1], counts: [1] } },
    };
    const hidden = JSON.stringify({ ...body, counters: { requests: 1, proto: 2 } }).replace('proto', '__proto__');
    const reaching = await send(hidden);
    expect([reaching.status, reaching.body['detail']]).toEqual([400, '__proto__ is no key of any document']);
    expect(await pointersOf(bad)).toEqual(
      expect.arrayContaining([
        '/sequence',
        '/startedAt',
        '/colour',
        '/counters/requests',
        '/counters/a b',
        '/histograms/d/boundsMs',
      ]),
    );
    expect(await pointersOf({ ...body, mode: 'guess' })).toEqual(['/mode']);
    expect(await pointersOf({ ...body, sequence: undefined })).toEqual(['/sequence']);
    expect(await pointersOf({ ...body, counters: { requests: '5' } })).toEqual(['/counters/requests']);
    expect(await pointersOf({ ...body, counters: { constructor: 5 } })).toEqual(['/counters/constructor']);
    expect(await pointersOf({ ...body, at: Date.now() - 2 * HOUR })).toEqual(['/at']);
    expect(await pointersOf({ ...body, at: Date.now() + HOUR })).toEqual(['/at']);
    expect(await pointersOf({ ...body, startedAt: Date.now() + HOUR })).toEqual(['/startedAt']);
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`c${index}`, 1]));
    expect(await pointersOf({ ...body, counters: many })).toEqual(['/counters']);
    expect((await send('{"version":')).status).toBe(400);
    expect((await send({ ...body, counters: { requests: 1e300 } })).status).toBe(422);
    expect((await send({ ...body, instance: 'x'.repeat(600_000) })).status).toBe(413);
    expect(await send(body, 'shops')).toMatchObject({ status: 404, body: { detail: 'no service named shops' } });
    expect(await send({ ...body, startedAt: body.startedAt + 1 })).toMatchObject({ status: 200 });
    expect(await send(body)).toMatchObject({ status: 409, body: { detail: expect.stringContaining('began earlier') } });
    await app.close(0);
  });

  it('refuses counts that nobody would look at', async () => {
    const { app, send } = await open(`api-${serial++}.db`, '{}');
    expect(await send(body)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('no provider of type push') },
    });
    await app.close(0);
  });
});
