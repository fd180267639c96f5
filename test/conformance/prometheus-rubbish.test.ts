/** Answers that no Prometheus should give: 10,000 of them, made from an honest answer about a canary that fails badly. */
import { describe, expect, it } from 'vitest';
import { client } from '../../src/adapters/metrics/prometheus/client.ts';
import type { Post } from '../../src/adapters/metrics/prometheus/client.ts';
import { prometheusOptions } from '../../src/adapters/metrics/prometheus/options.ts';
import { prometheus } from '../../src/adapters/metrics/prometheus/prometheus.ts';
import { judge } from '../../src/domain/analysis/judge.ts';
import type { JudgeState } from '../../src/domain/analysis/judge.ts';
import type { Verdict } from '../../src/domain/analysis/measurement.ts';
import { after, Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import { prng } from '../../src/lib/prng.ts';
import type { MetricProvider, Question } from '../../src/ports/metric-provider.ts';
import { NOON } from '../story.ts';

const signal = new AbortController().signal;
const STEP_MS = 10_000;
const check: Check = {
  ...{ name: 'errors', provider: 'prom', failures: { breaches: 1, of: 1 }, dryRun: false, kind: 'ratio' },
  ...{ tolerance: 0.1, floor: 0.001, minRequests: 10, max: null, hardMax: null },
  query: { bad: 'requests_total{code=~"5.."}', total: 'requests_total' },
};
const questionAt = (now: Instant): Question => ({
  check,
  service: 'shop',
  canaryVersion: '2',
  stableVersion: '1',
  canarySlot: 'green',
  stableSlot: 'blue',
  routes: [],
  since: NOON,
  intervalMs: STEP_MS,
  now,
});

const row = (part: string, version: string, value: number, atS: number) => ({
  metric: { headgate_part: part, version, instance: `i${version}` },
  value: [atS, String(value)] as const,
});

/** Half of what the canary answers is an error. */
function honest(at: Instant, looks: number): string {
  const atS = at / 1000;
  const result = [
    row('bad', '2', 50 * looks, atS),
    row('bad', '1', 1 * looks, atS),
    row('total', '2', 100 * looks, atS),
    row('total', '1', 1_000 * looks, atS),
    row('at', '2', atS, atS),
    row('at', '1', atS, atS),
  ];
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
}

const providerOf = (post: Post, shareMs = 0): MetricProvider => {
  const options = prometheusOptions.parse({ type: 'prometheus', url: 'http://prom', shareMs });
  return prometheus('prom', options, client(options, { post, monotonicMs: () => 0 }));
};

/** What the check says after an honest look and then one that answers `body`. */
async function verdictAfter(body: string, status = 200): Promise<Verdict> {
  const bodies = [honest(after(NOON, STEP_MS), 1), body];
  let state: JudgeState | null = null;
  let verdict: Verdict = 'inconclusive';
  for (const [index, each] of bodies.entries()) {
    const now = after(NOON, (index + 1) * STEP_MS);
    const isLast = index === bodies.length - 1;
    const provider = providerOf(async () => ({ status: isLast ? status : 200, body: each }));
    const measurement = await provider.measure(questionAt(now), signal);
    const judged = judge(check, state, measurement, { since: NOON, warmUpMs: 0, minMeasurements: 1, intervalMs: STEP_MS, now });
    state = judged.state;
    verdict = judged.verdict.verdict;
  }
  return verdict;
}

const last = honest(after(NOON, 2 * STEP_MS), 2);

/** One wound: text is cut, doubled or exchanged, or a value in the tree becomes one of another kind. */
function wounded(random: () => number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const at = Math.floor(random() * last.length);
  switch (Math.floor(random() * 5)) {
    case 0:
      return last.slice(0, at);
    case 1:
      return last.slice(0, at) + pick(['"', '{', '}', '[', ']', ',', ':', '\\', '\0', 'é', 'NaN', 'null']) + last.slice(at);
    case 2:
      return last.slice(0, at) + last.slice(at + 1 + Math.floor(random() * 8));
    default:
      return JSON.stringify(exchanged(JSON.parse(last), random, pick));
  }
}

const STRANGE = [
  null,
  true,
  {},
  [],
  'NaN',
  '+Inf',
  '-Inf',
  'abc',
  '',
  '-5',
  '1e999',
  '0x10',
  '1,000',
  ' 7',
  [1],
  ['1', 1],
  Number.MAX_VALUE,
  -1,
];

/** Exchanges one value somewhere in a tree for a strange one, or renames one of its keys. */
function exchanged(tree: unknown, random: () => number, pick: <T>(from: readonly T[]) => T): unknown {
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value as Record<string, unknown>, key });
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(tree);
  const { holder, key } = pick(places);
  if (random() < 0.2 && !Array.isArray(holder)) {
    holder[`${key}x`] = holder[key];
    delete holder[key];
  } else holder[key] = pick(STRANGE);
  return tree;
}

/** What an honest answer could also have been: another number of another size is no rubbish. */
function isHonest(body: string): boolean {
  try {
    const known = JSON.stringify(JSON.parse(body)).replaceAll(/\d+(\.\d+)?/g, '0');
    return known === JSON.stringify(JSON.parse(last)).replaceAll(/\d+(\.\d+)?/g, '0');
  } catch {
    return false;
  }
}

describe('provider prometheus and rubbish', () => {
  it('fails the bad canary by honest answers', async () => {
    expect(await verdictAfter(last)).toBe('fail');
  });

  it('makes no pass out of 10,000 answers that are none', { timeout: 60_000 }, async () => {
    const random = prng(7);
    const verdicts = new Map<Verdict, number>();
    for (let n = 0; n < 10_000; n++) {
      const body = wounded(random);
      if (isHonest(body)) continue;
      const verdict = await verdictAfter(body);
      if (verdict === 'pass') throw new Error(`a pass out of ${body}`);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
    expect([...verdicts.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(9_000);
    expect(verdicts.get('fail')).toBeLessThan(4_000);
  });

  it.each([
    ['an error that says so', '{"status":"error","errorType":"timeout","error":"query timed out"}', 503],
    ['an error that came with 200', '{"status":"error","errorType":"internal","error":"boom"}', 200],
    ['a page', '<html>login</html>', 200],
    ['a redirect', '', 302],
    ['nothing', '', 200],
    ['a warning', last.replace('{"status"', '{"warnings":["partial response"],"status"'), 200],
    ['a part', last.replace('{"status"', '{"isPartial":true,"status"'), 200],
  ])('fails on %s', async (_, body, status) => {
    const provider = providerOf(async () => ({ status, body }));
    expect(await provider.measure(questionAt(NOON), signal)).toMatchObject({ kind: 'failed' });
    expect(await verdictAfter(body, status)).not.toBe('pass');
  });

  it('asks once for all who ask the same within a moment, and lets one of them give up alone', async () => {
    let asked = 0;
    let answer = (): void => {};
    const post: Post = () =>
      new Promise((resolve) => {
        asked++;
        answer = () => resolve({ status: 200, body: last });
      });
    const provider = providerOf(post, 1_000);
    const impatient = AbortSignal.abort('enough');
    const all = Array.from({ length: 1_000 }, (_, n) => provider.measure(questionAt(NOON), n === 0 ? impatient : signal));
    answer();
    const [gaveUp, ...others] = await Promise.all(all);
    expect(asked).toBe(1);
    expect(gaveUp).toMatchObject({ kind: 'failed', detail: 'prom: no answer in time' });
    expect(others.every(({ kind }) => kind === 'counters')).toBe(true);
  });
});
