/** HAProxy's own counters against the real thing: what users got, and what was hidden from them by sending it elsewhere. */
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { client } from '../../src/adapters/outgoing/client.ts';
import { haproxyProvider } from '../../src/adapters/metrics/haproxy.ts';
import { haproxy } from '../../src/adapters/traffic/haproxy/haproxy.ts';
import { haproxyOptions } from '../../src/adapters/traffic/haproxy/options.ts';
import type { CounterSeries, Measurement } from '../../src/domain/analysis/measurement.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { realHaproxy } from '../real/haproxy.ts';
import type { HaproxyForm, RealHaproxy } from '../real/haproxy.ts';
import { until } from '../real/programs.ts';
import { NOON } from '../story.ts';
import { latency, ranks, ratio, slo } from './prometheus.fixtures.ts';
import { routeQuestion } from './questions.ts';
import { visit } from './router-run.ts';
import type { Sent } from './router.suite.ts';

const signal = new AbortController().signal;
const closing: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

type App = { mode: 'well' | 'failing' | 'broken'; readonly port: number; close(): Promise<void> };

/** Healthy to whoever checks it, whatever it does to users. */
async function app(name: string): Promise<App> {
  const made: { mode: App['mode'] } = { mode: 'well' };
  const server: Server = createServer((request, answer) => {
    if (request.url === '/healthz' || made.mode === 'well') return void answer.end(name);
    if (made.mode === 'failing') return void answer.writeHead(500).end(name);
    request.socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close').catch(() => {});
  };
  closing.push(close);
  return Object.assign(made, { port: (server.address() as AddressInfo).port, close });
}

/** A connection of its own for each: a slot that breaks connections breaks nobody else's. */
async function ask(url: string, count: number): Promise<Sent> {
  const bySlot: Record<string, number> = {};
  let failed = 0;
  for (let n = 0; n < count; n++)
    await new Promise<void>((done) => {
      const asked = get(url, { agent: false }, (answer) => {
        let body = '';
        answer.on('data', (part: Buffer) => (body += part.toString()));
        answer.on('end', () => {
          if (answer.statusCode === 200) bySlot[body] = (bySlot[body] ?? 0) + 1;
          else failed++;
          done();
        });
      });
      asked.on('error', () => (failed++, done()));
    });
  return { bySlot, failed };
}

type Place = {
  readonly real: RealHaproxy;
  readonly provider: MetricProvider;
  readonly green: App;
  share(share: number): Promise<void>;
};

async function place(form: HaproxyForm): Promise<Place> {
  const [blue, green] = [await app('blue'), await app('green')];
  const real = await realHaproxy({ blue: blue.port, green: green.port }, form);
  closing.push(() => real.close());
  const weights = {
    routes: { app: { backend: 'app', slots: { blue: { servers: ['blue1'] }, green: { servers: ['green1'] } } } },
  };
  const router = haproxy(
    'front',
    haproxyOptions.parse({ type: 'haproxy', nodes: [real.socket], ...(form === 'weights' ? weights : { map: real.map }) }),
    { send: client({ timeoutMs: 5_000 }) },
  );
  const provider = haproxyProvider('counters', [router]);
  let seq = 0;
  await until('both slots', async () => (await visit(real.url)).status === 200);
  return {
    real,
    provider,
    green,
    async share(secondShare) {
      const route = { name: 'app', slots: ['blue', 'green'] } as const;
      const wanted = router.quantize(route, secondShare as never, 'down');
      expect(await router.apply({ route, secondShare: wanted, seq: ++seq, direction: 'raise' }, signal)).toMatchObject({
        ok: true,
      });
    },
  };
}

const question = (change: Partial<Question> = {}): Question => routeQuestion(ratio({ offered: 'errors' }), NOON, change);

const canaryOf = (measured: Measurement): CounterSeries => {
  const found = measured.kind === 'counters' ? measured.series.find(({ role }) => role === 'canary') : undefined;
  if (!found) throw new Error(JSON.stringify(measured));
  return found;
};

describe.each(['map', 'weights'] as const)('provider haproxy, %s', (form) => {
  it('counts what each slot answered, and every way in which it can fail', async () => {
    const { real, provider, green, share } = await place(form);
    await share(5_000);
    const send = (count: number): Promise<Sent> => ask(real.url, count);
    const look = async (): Promise<CounterSeries> => canaryOf(await provider.measure(question(), signal));
    const during = async (mode: App['mode'], count: number) => {
      green.mode = mode;
      const before = await look();
      const sent = await send(count);
      const after = await look();
      return { sent, total: after.total - before.total, bad: after.bad - before.bad };
    };
    const well = await during('well', 200);
    expect(well).toMatchObject({ total: well.sent.bySlot['green'], bad: 0, sent: { failed: 0 } });
    const failing = await during('failing', 200);
    expect(failing.bad).toBe(failing.sent.failed);
    expect(failing.total).toBe(failing.bad);
    // Broken answers are sent to the other slot where there is one in the backend: users see nothing of it.
    const broken = await during('broken', 100);
    expect(broken.bad).toBeGreaterThan(20);
    expect(broken.bad).toBe(broken.total);
    if (form === 'weights') expect(broken.sent.failed).toBe(0);
  });

  it('follows the roles, and says since when it counts, so that a reload is seen', async () => {
    const { real, provider } = await place(form);
    for (const check of [slo({ offered: 'errors' }), ranks({ offered: 'errors' })])
      expect(await provider.measure(question({ check }), signal)).toMatchObject({ kind: 'counters' });
    const before = await provider.measure(question(), signal);
    expect(before.kind === 'counters' && before.series.map(({ role }) => role).toSorted()).toEqual(['canary', 'stable']);
    const swapped = canaryOf(await provider.measure(question({ canarySlot: 'blue', stableSlot: 'green' }), signal));
    expect(swapped.key).toContain('/blue1');
    const since = canaryOf(before).startedAt ?? 0;
    expect(Math.abs(Date.now() - since)).toBeLessThan(30_000);
    await new Promise((done) => setTimeout(done, 1_100));
    await real.reload();
    expect(canaryOf(await provider.measure(question(), signal)).startedAt).toBeGreaterThan(since);
  });
});

describe('provider haproxy', () => {
  it('fails when HAProxy is away, where none serves the service, and on what is not counted', async () => {
    const { real, provider } = await place('map');
    await real.kill();
    expect(await provider.measure(question(), signal)).toMatchObject({ kind: 'failed' });
    const elsewhere = question({ routes: [{ router: 'other', route: 'app', slots: ['blue', 'green'] }] });
    expect(await provider.measure(elsewhere, signal)).toMatchObject({
      kind: 'failed',
      detail: 'counters: no haproxy serves shop',
    });
    expect(provider.refuses(ratio({ bad: 'a', total: 'b' }))).toContain('HAProxy does not count "a, b"');
    for (const check of [ratio({ offered: 'errors' }), slo({ offered: 'errors' }), ranks({ offered: 'errors' })])
      expect(provider.refuses(check)).toBeNull();
    expect(provider.refuses(latency({ offered: 'errors' }))).toBe(
      'HAProxy answers errors for checks of kind ratio, slo, mann-whitney, not latency',
    );
    expect(provider.refuses(slo({ offered: 'errors', version: 'v' }))).toBe('HAProxy counts by server, and knows no label "v"');
    const span = { from: NOON, to: Instant(NOON + 5_000), stepMs: 1_000 };
    expect(await provider.history(question(), span, signal)).toEqual({
      ok: false,
      error: 'counters: HAProxy keeps no history of what it counted',
    });
  });
});
