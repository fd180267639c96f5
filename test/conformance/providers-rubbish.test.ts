/**
 * 10,000 answers that are none for each provider, made from an honest answer about a canary that fails badly. Whatever is
 * said of the canary is what the honest answer said: no wound makes it look better.
 */
import { describe, expect, it } from 'vitest';
import type { Ask, Send } from '../../src/adapters/outgoing/client.ts';
import { graphite } from '../../src/adapters/metrics/graphite/graphite.ts';
import { graphiteOptions } from '../../src/adapters/metrics/graphite/options.ts';
import { influxdb } from '../../src/adapters/metrics/influxdb/influxdb.ts';
import { influxdbOptions } from '../../src/adapters/metrics/influxdb/options.ts';
import { pushOptions } from '../../src/adapters/metrics/push/options.ts';
import { push } from '../../src/adapters/metrics/push/push.ts';
import { webOptions } from '../../src/adapters/metrics/web/options.ts';
import { web } from '../../src/adapters/metrics/web/web.ts';
import { pushBody, pushOf, wrongTime } from '../../src/contract/push.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { after, Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import { prng } from '../../src/lib/prng.ts';
import type { MetricProvider } from '../../src/ports/metric-provider.ts';
import { memoryStore } from '../../src/store/memory.ts';
import { checkOf, questionOf } from './questions.ts';
import { canaryOf, isHonest, wounded } from './rubbish.ts';

const signal = new AbortController().signal;
const NOW = Instant(1_760_000_000_000);
const S = NOW / 1000;
const ROUNDS = 10_000;

type Case = {
  readonly check: Check;
  /** The honest answers, in the order in which they are asked for. */
  readonly honest: readonly string[];
  make(send: Send): MetricProvider;
};

const line = (tags: object, value: number) => ({
  name: 'http',
  tags,
  columns: ['time', 'value'],
  values: [[NOW - 1_000, value]],
});
const a = { version: '2.0', instance: 'a' };
const c = { version: '1.0', instance: 'c' };
const points = (target: string, value: number) => ({
  target,
  tags: { name: target },
  datapoints: [
    [value - 1, S - 3],
    [null, S - 2],
    [value, S - 1],
  ],
});

const CASES: Readonly<Record<string, Case>> = {
  influxdb: {
    check: checkOf.ratio({ bad: 'failed from http', total: 'requests from http' }),
    honest: [
      JSON.stringify({
        results: [
          { statement_id: 0, series: [line(a, 50), line(c, 1)] },
          { statement_id: 1, series: [line(a, 100), line(c, 900)] },
        ],
      }),
    ],
    make: (send) => influxdb('it', influxdbOptions.parse({ type: 'influxdb', url: 'http://it', database: 'db' }), send),
  },
  graphite: {
    check: checkOf.ratio({ bad: 'shop.{{version}}.*.failed', total: 'shop.{{version}}.*.requests' }),
    honest: [
      JSON.stringify([points('shop.2_0.a.failed', 50)]),
      JSON.stringify([points('shop.1_0.c.failed', 2)]),
      JSON.stringify([points('shop.2_0.a.requests', 100)]),
      JSON.stringify([points('shop.1_0.c.requests', 900)]),
    ],
    make: (send) => graphite('it', graphiteOptions.parse({ type: 'graphite', url: 'http://it' }), send),
  },
  web: {
    check: checkOf.ratio({ offered: 'it' }),
    honest: [
      JSON.stringify({ time: S - 1, canary: { requests: { a: 100 }, failed: { a: 50 } }, stable: { requests: 900, failed: 1 } }),
    ],
    make: (send) => {
      const at = (version: string) => ({ total: `/${version}/requests`, bad: `/${version}/failed` });
      const it = { kind: 'ratio', url: 'http://it/', at: '/time', canary: at('canary'), stable: at('stable') };
      return web('it', webOptions.parse({ type: 'web', checks: { it } }), send);
    },
  },
};

describe.each(Object.entries(CASES))('provider %s and rubbish', (_, { check, honest, make }) => {
  const answered = (bodies: readonly string[], status = 200): Promise<Measurement> => {
    let asked = 0;
    const send = async (_ask: Ask) => ({ status, headers: {}, body: bodies[asked++] ?? '' });
    return make(send).measure(questionOf(check, { now: NOW }), signal);
  };

  it('sees the bad canary in honest answers', async () => {
    expect(canaryOf(await answered(honest))).toBe('2.0 a: 50 of 100');
  });

  it(`makes nothing better out of ${ROUNDS} answers that are none`, async () => {
    const random = prng(11);
    const kinds = new Map<string, number>();
    for (let n = 0; n < ROUNDS; n++) {
      const which = Math.floor(random() * honest.length);
      const body = wounded(honest[which] ?? '', random);
      if (isHonest(body, honest[which] ?? '')) continue;
      const measurement = await answered(honest.map((one, index) => (index === which ? body : one)));
      const canary = canaryOf(measurement);
      // A gap is an honest answer: then it is what was there before it.
      const earlier = canary === '2.0 a: 49 of 99';
      if (canary !== null && canary !== '2.0 a: 50 of 100' && !earlier) throw new Error(`${canary} out of ${body}`);
      if (measurement.at > NOW) throw new Error(`of the future: ${body}`);
      kinds.set(measurement.kind, (kinds.get(measurement.kind) ?? 0) + 1);
    }
    expect([...kinds.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(ROUNDS * 0.8);
    expect(kinds.get('failed')).toBeGreaterThan(ROUNDS / 2);
  });

  it.each([
    ['a page', '<html>login</html>', 200],
    ['a redirect', '', 302],
    ['nothing', '', 200],
    ['a refusal', '{"error":"who are you?"}', 401],
    ['half of the answer', undefined, 206],
  ])('fails on %s', async (_name, body, status) => {
    expect(
      await answered(
        honest.map((one) => body ?? one),
        status,
      ),
    ).toMatchObject({ kind: 'failed', detail: expect.stringMatching(/^it: /) });
  });
});

describe('provider push and rubbish', () => {
  const startedAt = NOW - 60_000;
  const body = (sequence: number, requests: number, errors: number): string =>
    JSON.stringify({ mode: 'delta', sequence, version: '2.0', instance: 'a', startedAt, counters: { requests, errors } });
  const check = checkOf.ratio({ offered: 'errors' });

  it(`makes nothing better out of ${ROUNDS} pushes that are none`, async () => {
    const random = prng(13);
    const outcomes = new Map<string, number>();
    for (let n = 0; n < ROUNDS; n++) {
      let now = NOW;
      const store = memoryStore({ now: () => now });
      const provider = push('it', pushOptions.parse({ type: 'push' }), store.pushed);
      const take = async (text: string): Promise<string> => {
        const read = pushBody.safeParse(parsed(text));
        if (!read.success || wrongTime(read.data, now) !== null) return 'invalid';
        const outcome = await store.push(pushOf('shop', read.data, now));
        return outcome.ok ? 'taken' : 'refused';
      };
      const ask = (): Promise<Measurement> => provider.measure(questionOf(check, { now }), signal);
      await take(body(1, 100, 50));
      const before = await ask();
      now = after(NOW, 5_000);
      const honest = body(2, 100, 50);
      const text = wounded(honest, random);
      if (isHonest(text, honest)) continue;
      const outcome = await take(text);
      const seen = await ask();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (outcome !== 'taken') expect(seen).toEqual(before);
      else if (seen.kind === 'counters' && seen.at > before.at && canaryOf(seen) !== '2.0 a: 100 of 200')
        // It said both numbers itself: of another process, or a later push.
        expect(isSaid(text, seen), `${canaryOf(seen)} out of ${text}`).toBe(true);
    }
    expect(outcomes.get('invalid')).toBeGreaterThan(ROUNDS / 2);
  });

  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };
  const isSaid = (text: string, seen: Measurement): boolean =>
    seen.kind === 'counters' &&
    seen.series.every(({ total, bad }) =>
      [total, bad].every((count) => [count, count - 100, count - 50].some((one) => text.includes(String(one)))),
    );
});
