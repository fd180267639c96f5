/** Answers that no Prometheus should give: 10,000 of each kind, made from an honest answer about a canary that does badly. */
import { describe, expect, it } from 'vitest';
import type { Send } from '../../src/adapters/outgoing/client.ts';
import type { Measurement } from '../../src/domain/analysis/measurement.ts';
import { after, Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import { prng } from '../../src/lib/prng.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { NOON } from '../story.ts';
import { wounded } from './rubbish.ts';
import { gauge, latency, providerAt, question, rate, ratio } from './prometheus.fixtures.ts';

const signal = new AbortController().signal;
const STEP_MS = 10_000;
const questionAt = (check: Check, now: Instant): Question =>
  question(check, { canaryVersion: '2', stableVersion: '1', since: NOON, intervalMs: STEP_MS, now });

type Labels = Readonly<Record<string, string>>;
const row = (part: string, version: string, value: number, labels: Labels = {}) => ({
  metric: { headgate_part: part, version, instance: `i${version}`, ...labels },
  value: [NOON / 1000, String(value)] as const,
});
type Row = ReturnType<typeof row>;
const bodyOf = (result: readonly Row[]): string => JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });

const times = (atS: number, part = 'at'): readonly Row[] => [row(part, '2', atS), row(part, '1', atS)];
const NUMBER = /\d+(\.\d+)?/g;

type Case = {
  readonly name: string;
  readonly check: Check;
  /** What is honestly said at that look; the canary does badly. */
  honest(looks: number, atS: number): readonly Row[];
  /** Whether two looks, the second of them wounded, would speak for the canary. */
  isWell(first: Measurement, second: Measurement): boolean;
  /** Another number of another size is no rubbish. */
  readonly numbers: RegExp;
};

/** By how much the canary's counts grew; a series that was not there grew from nothing. */
function growth(first: Measurement, second: Measurement): { readonly total: number; readonly bad: number } {
  if (first.kind !== 'counters' || second.kind !== 'counters') return { total: 0, bad: 0 };
  const own = second.series.filter(({ role }) => role === 'canary');
  const before = (key: string) => first.series.find((one) => one.key === key) ?? { total: 0, bad: 0 };
  return {
    total: own.reduce((sum, { key, total }) => sum + total - before(key).total, 0),
    bad: own.reduce((sum, { key, bad }) => sum + bad - before(key).bad, 0),
  };
}
const grewWell =
  (least: number) =>
  (first: Measurement, second: Measurement): boolean => {
    const { total, bad } = growth(first, second);
    return 0 < total && bad < least * total;
  };

const CASES: readonly Case[] = [
  {
    name: 'ratio',
    check: ratio({ bad: 'requests_total{code=~"5.."}', total: 'requests_total' }),
    honest: (looks, atS) => [
      row('bad', '2', 50 * looks),
      row('bad', '1', looks),
      row('total', '2', 100 * looks),
      row('total', '1', 1_000 * looks),
      ...times(atS),
    ],
    isWell: grewWell(0.25),
    numbers: NUMBER,
  },
  {
    name: 'parts of the traffic',
    check: ratio({ bad: 'requests_total{code=~"5.."}', total: 'requests_total', by: 'route' }),
    honest: (looks, atS) => [
      ...['/a', '/b'].flatMap((route) => [
        row('bad', '2', 50 * looks, { route }),
        row('total', '2', 100 * looks, { route }),
        row('total', '1', 1_000 * looks, { route }),
      ]),
      ...times(atS),
    ],
    isWell: grewWell(0.25),
    numbers: NUMBER,
  },
  {
    name: 'rate by time',
    check: rate({ events: 'restarts_total' }),
    honest: (looks, atS) => [row('bad', '2', 50 * looks), row('bad', '1', looks), ...times(atS)],
    isWell: grewWell(2.5),
    numbers: NUMBER,
  },
  {
    name: 'rate by something',
    check: rate({ events: 'log_errors_total', per: 'requests_total' }),
    honest: (looks, atS) => [
      row('bad', '2', 300 * looks),
      row('bad', '1', looks),
      row('total', '2', 100 * looks),
      row('total', '1', 1_000 * looks),
      ...times(atS),
    ],
    isWell: grewWell(1.5),
    numbers: NUMBER,
  },
  {
    name: 'latency',
    check: latency({ histogram: 'request_seconds' }),
    honest: (looks, atS) => [
      ...['2', '1'].flatMap((version) => [
        row('bucket', version, (version === '2' ? 5 : 95) * looks, { le: '0.1' }),
        row('bucket', version, (version === '2' ? 10 : 99) * looks, { le: '0.5' }),
        row('bucket', version, 100 * looks, { le: '+Inf' }),
      ]),
      ...times(atS),
    ],
    isWell(first, second) {
      if (first.kind !== 'histogram' || second.kind !== 'histogram') return false;
      const counts = second.series.find(({ role }) => role === 'canary')?.counts ?? [];
      const before = first.series.find(({ role }) => role === 'canary')?.counts ?? [];
      const grown = counts.map((count, index) => count - (before[index] ?? 0));
      return grown.length === 3 && 0 < (grown[0] ?? 0) && (grown[2] ?? 0) < (grown[0] ?? 0);
    },
    numbers: NUMBER,
  },
  {
    name: 'level',
    check: gauge('memory_bytes'),
    honest: (looks, atS) => [
      row('level', '2', 200 + looks),
      row('level', '2', 210 + looks, { instance: 'other' }),
      row('level', '1', 100 + looks),
      ...times(atS, 'at0'),
    ],
    isWell(_, second) {
      if (second.kind !== 'gauges') return false;
      const own = second.series.filter(({ role }) => role === 'canary').map(({ value }) => value);
      return 0 < own.length && own.reduce((sum, value) => sum + value, 0) / own.length < 150;
    },
    numbers: /-?\d+(\.\d+)?/g,
  },
];

const bodyAt = ({ honest }: Case, looks: number): string => bodyOf(honest(looks, after(NOON, looks * STEP_MS) / 1000));
const measureBody = (check: Check, looks: number, body: string, status = 200): Promise<Measurement> =>
  providerOf(async () => ({ status, headers: {}, body })).measure(questionAt(check, after(NOON, looks * STEP_MS)), signal);
const providerOf = (send: Send, shareMs = 0): MetricProvider => providerAt('http://prom', { shareMs }, send);

function isHonest(body: string, last: string, numbers: RegExp): boolean {
  try {
    const known = JSON.stringify(JSON.parse(body)).replaceAll(numbers, '0');
    return known === JSON.stringify(JSON.parse(last)).replaceAll(numbers, '0');
  } catch {
    return false;
  }
}

describe.each(CASES)('provider prometheus and rubbish: $name', (one) => {
  const last = bodyAt(one, 2);

  it('shows that the canary does badly by honest answers', async () => {
    const seen = [await measureBody(one.check, 1, bodyAt(one, 1)), await measureBody(one.check, 2, last)] as const;
    expect(['counters', 'histogram', 'gauges']).toContain(seen[1].kind);
    expect(one.isWell(...seen)).toBe(false);
  });

  it('says nothing for the canary in 10,000 answers that are none', async () => {
    const random = prng(7);
    const first = await measureBody(one.check, 1, bodyAt(one, 1));
    const kinds = new Map<Measurement['kind'], number>();
    for (let n = 0; n < 10_000; n++) {
      const body = wounded(last, random);
      if (isHonest(body, last, one.numbers)) continue;
      const seen = await measureBody(one.check, 2, body);
      if (one.isWell(first, seen)) throw new Error(`well by ${body}`);
      kinds.set(seen.kind, (kinds.get(seen.kind) ?? 0) + 1);
    }
    expect([...kinds.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(9_000);
    expect(kinds.get('failed')).toBeGreaterThan(5_000);
  });
});

describe('provider prometheus and rubbish', () => {
  const [some] = CASES;
  if (!some) throw new Error('no case');
  const { check } = some;
  const last = bodyAt(some, 2);

  it.each([
    ['an error that says so', '{"status":"error","errorType":"timeout","error":"query timed out"}', 503],
    ['an error that came with 200', '{"status":"error","errorType":"internal","error":"boom"}', 200],
    ['a page', '<html>login</html>', 200],
    ['a redirect', '', 302],
    ['nothing', '', 200],
    ['a warning', last.replace('{"status"', '{"warnings":["partial response"],"status"'), 200],
    ['a part', last.replace('{"status"', '{"isPartial":true,"status"'), 200],
  ])('fails on %s', async (_, body, status) => {
    const provider = providerOf(async () => ({ status, headers: {}, body }));
    expect(await provider.measure(questionAt(check, NOON), signal)).toMatchObject({ kind: 'failed' });
  });

  it('asks once for all who ask the same within a moment, and lets one of them give up alone', async () => {
    let asked = 0;
    let answer = (): void => {};
    const send: Send = () =>
      new Promise((resolve) => {
        asked++;
        answer = () => resolve({ status: 200, headers: {}, body: last });
      });
    const provider = providerOf(send, 1_000);
    const impatient = AbortSignal.abort('enough');
    const all = Array.from({ length: 1_000 }, (_, n) => provider.measure(questionAt(check, NOON), n === 0 ? impatient : signal));
    answer();
    const [gaveUp, ...others] = await Promise.all(all);
    expect(asked).toBe(1);
    expect(gaveUp).toMatchObject({ kind: 'failed', detail: 'prom: no answer in time' });
    expect(others.every(({ kind }) => kind === 'counters')).toBe(true);
  });
});

describe('provider prometheus and rubbish about the past', () => {
  const check = ratio({ bad: 'requests_total{code=~"5.."}', total: 'requests_total' });
  const span = { from: NOON, to: after(NOON, 4 * STEP_MS), stepMs: STEP_MS };
  const courseOf = (part: string, version: string, perLook: number, from = 0) => ({
    metric: { headgate_part: part, version, instance: `i${version}` },
    values: [0, 1, 2, 3, 4].map((n): readonly [number, string] => {
      const atS = (NOON + n * STEP_MS) / 1000;
      return [atS, String(part === 'at' ? atS : from + perLook * n)];
    }),
  });
  type CourseRow = ReturnType<typeof courseOf>;
  const rangeBody = (result: readonly CourseRow[]): string =>
    JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } });
  const stable = [courseOf('bad', '1', 1), courseOf('total', '1', 1_000, 5), courseOf('at', '1', 0)];
  const canary = [courseOf('bad', '2', 50), courseOf('total', '2', 100, 5), courseOf('at', '2', 0)];
  const pastOf = (body: string) =>
    providerOf(async () => ({ status: 200, headers: {}, body })).history(questionAt(check, NOON), span, signal);

  it('cuts an honest answer into its steps', async () => {
    const past = await pastOf(rangeBody([...canary, ...stable]));
    if (!past.ok) throw new Error(past.error);
    expect(past.value.map(({ kind, at }) => [kind, at])).toEqual([0, 1, 2, 3, 4].map((n) => ['counters', NOON + n * STEP_MS]));
    expect(past.value[2]).toMatchObject({
      series: [
        { role: 'canary', total: 205, bad: 100 },
        { role: 'stable', total: 2_005, bad: 2 },
      ],
    });
  });

  it('has one entry for each step, whatever was answered, or a sentence', async () => {
    const last = rangeBody([...canary, ...stable]);
    const random = prng(11);
    let refused = 0;
    for (let n = 0; n < 10_000; n++) {
      const body = wounded(last, random);
      if (isHonest(body, last, NUMBER)) continue;
      const past = await pastOf(body);
      if (!past.ok) {
        refused++;
        continue;
      }
      expect(past.value).toHaveLength(5);
      for (const [index, second] of past.value.entries())
        if (index > 0 && past.value[index - 1]?.kind === 'counters' && grewWell(0.25)(past.value[index - 1]!, second))
          throw new Error(`well by ${body}`);
    }
    expect(refused).toBeGreaterThan(3_000);
  });

  it('takes no times that nobody asked for, and no more points than it can hold', async () => {
    const moved = rangeBody(canary).replace(`[${NOON / 1000},`, `[${NOON / 1000 + 3},`);
    expect(await pastOf(moved)).toEqual({ ok: false, error: 'prom: an answer with times that nobody asked for' });
    const many = Array.from({ length: 100_001 }, (_, n) => ({
      ...courseOf('total', '2', 1),
      metric: { headgate_part: 'total', version: '2', instance: `i${n}` },
    }));
    expect(await pastOf(rangeBody(many))).toEqual({
      ok: false,
      error: 'prom: 500005 points in the answer, and 500000 are the most: take longer steps',
    });
    const crowd = many.slice(0, 2_001).map((each) => each.metric.instance);
    const body = bodyOf(
      crowd.flatMap((instance) => [row('total', '2', 1, { instance }), row('at', '2', NOON / 1000, { instance })]),
    );
    expect(await measureBody(check, 0, body)).toMatchObject({
      kind: 'failed',
      detail: 'prom: 2001 series, and 2000 are the most: is a label too much in it?',
    });
  });
});
