/** The prometheus provider against the real server: what it makes of everything that Prometheus can say. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parsePlan } from '../../src/contract/plan.ts';
import { freeze, until } from '../real/programs.ts';
import { exporter, realPrometheus } from '../real/prometheus.ts';
import type { Exporter, RealPrometheus } from '../real/prometheus.ts';
import { providerAt, question, ratio } from './prometheus.fixtures.ts';
import { httpApiSuite } from './prometheus.suite.ts';

const signal = new AbortController().signal;
const plain = ratio({ bad: 'plain_total{code=~"5.."}', total: 'plain_total' });

// A machine that is busy misses scrapes that have little time, and what is missed is not there until the next one.
describe('provider prometheus', () => httpApiSuite((targets) => realPrometheus({ targets, scrapeEvery: '1s' })));

describe('provider prometheus: the server', () => {
  let server: RealPrometheus;
  let canary: Exporter;
  beforeAll(async () => {
    canary = await exporter('plain_total{version="2.0",code="200"} 90');
    server = await realPrometheus({ targets: [canary.target] });
    await until('the first samples', async () => (await provider().measure(question(plain), signal)).kind === 'counters');
  });
  afterAll(async () => {
    await server.close();
    await canary.close();
  });
  const provider = (options: Readonly<Record<string, unknown>> = {}) => providerAt(server.url, options);
  const ask = (check = plain) => provider().measure(question(check), signal);

  it('waits no longer than it was told for one that hangs, and fails while it is away', async () => {
    await freeze(server.program().child);
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

  it('understands every query of the page', async () => {
    const page = readFileSync(new URL('../../docs/metrics/prometheus.md', import.meta.url), 'utf8');
    const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
    const shown = blocks.find((block) => block.startsWith('checks:')) ?? '';
    const { providers } = parse(blocks.find((block) => block.startsWith('providers:')) ?? '') as {
      providers: { prom: { labels: object; checks: Record<string, object> } };
    };
    const { labels, checks } = providers.prom;
    const world = { labels, checks };
    const services = new Map([['checkout', { provider: 'prom', promotion: 'swap', minNonZeroBp: 1 } as const]]);
    const limits = `  peak: { kind: threshold, max: 1 }\n  offered-errors: { kind: slo, offered: errors, max: 1% }\n`;
    const others = `  offered-restarts: { kind: rate, offered: restarts }\n  offered-memory: { kind: gauge, offered: memory }\n`;
    const plan = parsePlan(`service: checkout\nsteps: [5%]\n${shown}${limits}${others}`, {
      ...{ services, providers: new Map([['prom', provider(world)]]), notifiers: new Set<string>() },
    });
    if (!plan.ok) throw new Error(JSON.stringify(plan.error));
    expect(Object.keys(plan.value.plan.checks)).toHaveLength(13);
    for (const check of Object.values(plan.value.plan.checks))
      expect(await provider(world).measure(question(check, { service: 'checkout' }), signal), check.name).toMatchObject({
        kind: 'no_data',
      });
  });

  it('speaks TLS with a certificate that it was given, and proves who it is', async () => {
    const closed = await realPrometheus({ targets: [canary.target], isSecured: true });
    try {
      const auth = { basic: { user: 'headgate', password: 'secret' } };
      const made = (options: Readonly<Record<string, unknown>>) => provider({ url: closed.url, ...options });
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
