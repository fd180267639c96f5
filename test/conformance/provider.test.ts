/** The providers there are: they say what they saw, and never turn silence into a number. */
import { describe, expect, it } from 'vitest';
import { edgeProvider } from '../../src/adapters/metrics/edge.ts';
import { memoryProvider } from '../../src/adapters/metrics/memory.ts';
import { BOUNDS_MS, countAnswer, routeCounts } from '../../src/adapters/traffic/edge/counters.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { NOON } from '../story.ts';
import { gauge, latency, ranks, rate, ratio, slo } from './prometheus.fixtures.ts';
import { routeQuestion } from './questions.ts';

const signal = new AbortController().signal;
const offer = { offered: 'errors' };
const errors: Check = ratio(offer);
const latencyCheck: Check = latency({ offered: 'latency' });
const question = (change: Partial<Question> = {}): Question => routeQuestion(errors, NOON, change);

const counts = routeCounts(['blue', 'green'], NOON);
const edgeOf = (): MetricProvider =>
  edgeProvider('edge', [{ name: 'front', counts: (route) => (route === 'app' ? counts : null) }]);

describe.each([
  ['edge', edgeOf],
  ['memory', () => memoryProvider('memory', [{ kind: 'counters', at: Instant(NOON + 5_000), series: [] }])],
] as const)('provider %s', (_name, open) => {
  it('offers what it offers in a form that it does not refuse itself', () => {
    const provider = open();
    for (const [name, offer] of Object.entries(provider.offers))
      expect(provider.refuses({ ...(offer.kind === 'latency' ? latencyCheck : errors), name, query: offer.query })).toBeNull();
    expect(Object.keys(provider.offers)).toContain('errors');
  });

  it('answers with the time of its newest sample, and never from the future', async () => {
    const { at } = await open().measure(question(), signal);
    expect(at).toBeLessThanOrEqual(NOON + 5_000);
  });

  it('can be closed twice', async () => {
    const provider = open();
    await provider.close();
    await provider.close();
  });
});

describe('provider edge', () => {
  it('gives cumulative counts per slot by its role, with the time since when they count', async () => {
    const green = counts.slots.get('green');
    if (!green) throw new Error('no green');
    for (let n = 0; n < 10; n++) countAnswer(green, { failed: n < 3, ms: n * 10 });
    expect(await edgeOf().measure(question(), signal)).toEqual({
      kind: 'counters',
      at: NOON + 5_000,
      series: [
        { key: 'front/app/green', role: 'canary', startedAt: NOON, total: 10, bad: 3 },
        { key: 'front/app/blue', role: 'stable', startedAt: NOON, total: 0, bad: 0 },
      ],
    });
    const histogram = await edgeOf().measure(question({ check: latencyCheck }), signal);
    expect(histogram).toMatchObject({ kind: 'histogram', boundsMs: BOUNDS_MS });
    if (histogram.kind === 'histogram') expect(histogram.series[0]?.counts.reduce((sum, count) => sum + count, 0)).toBe(10);
  });

  it('answers for a promised limit and for ranks by the same counters', async () => {
    const counters = await edgeOf().measure(question(), signal);
    for (const check of [slo(offer), ranks(offer)]) {
      expect(edgeOf().refuses(check)).toBeNull();
      expect(await edgeOf().measure(question({ check }), signal)).toEqual(counters);
    }
    expect(edgeOf().refuses(ratio({ ...offer, by: 'route' }))).toBe('the edge counts by slot, and knows no label "route"');
    for (const check of [rate(offer), gauge('memory')]) expect(edgeOf().refuses(check)).not.toBeNull();
  });

  it('keeps no history', async () => {
    const span = { from: NOON, to: Instant(NOON + 5_000), stepMs: 1_000 };
    expect(await edgeOf().history(question(), span, signal)).toEqual({
      ok: false,
      error: 'edge: an edge keeps no history of what it counted',
    });
  });

  it('follows the roles when they have swapped', async () => {
    const answer = await edgeOf().measure(question({ canarySlot: 'blue', stableSlot: 'green' }), signal);
    expect(answer).toMatchObject({
      series: [
        { key: 'front/app/blue', role: 'canary' },
        { key: 'front/app/green', role: 'stable', total: 10 },
      ],
    });
  });

  it('fails where no edge serves the service, and refuses what it does not count', async () => {
    expect(
      await edgeOf().measure(question({ routes: [{ router: 'other', route: 'app', slots: ['blue', 'green'] }] }), signal),
    ).toMatchObject({ kind: 'failed', detail: 'edge: no edge serves shop' });
    expect(edgeOf().refuses({ ...errors, query: { bad: 'x', total: 'y' } })).toBe(
      'the edge does not know "x, y"; it offers errors and latency',
    );
    expect(edgeOf().refuses(latency(offer))).toBe(
      'the edge answers errors for checks of kind ratio, slo, mann-whitney, not latency',
    );
  });
});

describe('provider memory', () => {
  it('says its answers in order, and the last one for ever; without any it has no data', async () => {
    const value = (n: number) => ({ kind: 'value' as const, at: NOON, value: n });
    const provider = memoryProvider('m', [value(1), ({ now }) => ({ ...value(2), at: now })]);
    const seen = [
      await provider.measure(question(), signal),
      await provider.measure(question(), signal),
      await provider.measure(question(), signal),
    ];
    expect(seen).toMatchObject([{ value: 1 }, { value: 2, at: NOON + 5_000 }, { value: 2 }]);
    expect(provider.asked).toHaveLength(3);
    expect(await memoryProvider('m', []).measure(question(), signal)).toMatchObject({ kind: 'no_data' });
  });

  it('has the past that it was told, within the span that is asked for', async () => {
    const past = [0, 1, 2, 3].map((n) => ({ kind: 'value' as const, at: Instant(NOON + n * 1_000), value: n }));
    const span = { from: Instant(NOON + 1_000), to: Instant(NOON + 2_000), stepMs: 1_000 };
    expect(await memoryProvider('m', [], past).history(question(), span, signal)).toMatchObject({
      ok: true,
      value: [{ value: 1 }, { value: 2 }],
    });
    expect(await memoryProvider('m', []).history(question(), span, signal)).toEqual({ ok: false, error: 'm keeps no history' });
  });
});
