import { expect, it } from 'vitest';
import { assumedWorld } from '../../contract/assumed-world.ts';
import { parsePlan } from '../../contract/plan.ts';
import { USUAL } from '../../contract/ahead.ts';
import { whole } from '../../lib/slices.ts';
import { NONE, Weight } from '../ids.ts';
import type { Plan } from '../plan.ts';
import { simulate } from './many.ts';
import type { Simulated, Trials } from './many.ts';
import type { Scenario } from './scenario.ts';

const MINUTE = 60_000;
const planOf = (text: string): Plan => {
  const document = `service: shop\n${text}\n`;
  const parsed = parsePlan(document, assumedWorld(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.plan;
};
const PLAN = planOf('steps: [10%, 50%]\nhold: 5m\nchecks: [errors]');
const world = (change: Partial<Scenario> = {}): Scenario => ({
  traffic: { requestsPerSecond: 100, instances: 3, all: USUAL, checks: {} },
  bad: null,
  slower: 1,
  fromWeight: NONE,
  afterMs: 0,
  growsMs: 0,
  drift: null,
  silent: null,
  away: null,
  ...change,
});
const play = (scenario: Scenario, plan = PLAN, change: Partial<Trials> = {}): Simulated =>
  whole(simulate(plan, scenario, { runs: 10, seed: 1, horizonMs: 60 * MINUTE, approveAfterMs: 0, ...change }));

it('a good release is promoted when its holds have passed, and watched for half a minute', () => {
  expect(play(world()).ends).toMatchObject({ promoted: { share: 1, medianMs: 10.5 * MINUTE }, rolledBack: { share: 0 } });
});

it('a bad one is taken back, and what its users met beyond stable is counted', () => {
  const { ends, met, first } = play(world({ bad: 0.05 }));
  expect(ends.rolledBack.share).toBe(1);
  expect(ends.rolledBack.medianMs).toBeLessThanOrEqual(MINUTE);
  expect(met.bad).toBeLessThan(40);
  expect(met.extra).toBeCloseTo(met.bad - 0.001 * met.requests, 0);
  expect(first.moments.at(-1)).toMatchObject({ weightBp: 1000, verdict: 'fail' });
});

it('one that is bad from a weight, or from a time on, is taken back there, and not before', () => {
  const { ends, first } = play(world({ bad: 0.05, fromWeight: Weight(5000) }));
  expect(ends.rolledBack.share).toBe(1);
  expect(first).toMatchObject({ end: 'rolledBack', weightBp: 5000 });
  const late = play(world({ bad: 0.05, afterMs: 7 * MINUTE })).ends.rolledBack;
  expect(late.share).toBe(1);
  expect(late.medianMs).toBeGreaterThan(7 * MINUTE);
});

it('a leak is found later than a break, and drift that both versions share not at all', () => {
  const leak = play(world({ bad: 0.05, growsMs: 10 * MINUTE })).ends.rolledBack;
  expect(leak.share).toBe(1);
  expect(leak.medianMs).toBeGreaterThan(MINUTE);
  expect(play(world({ drift: { factor: 20, overMs: 5 * MINUTE } })).ends.promoted.share).toBe(1);
});

it('a slower canary is found by a latency check', () => {
  const plan = planOf('steps: [10%, 50%]\nhold: 5m\nchecks: [errors, latency]');
  const { ends, first } = play(world({ slower: 1.5 }), plan);
  expect(ends.rolledBack.share).toBe(1);
  expect(first.cause).toContain('latency');
});

it('without traffic, or with a provider that is away, a release is held, and goes on when they are back', () => {
  const silent = play(world({ silent: { fromMs: 0, toMs: Infinity } }));
  expect(silent.ends.held.share).toBe(1);
  expect(silent.first.cause).toContain('the canary has had no request');
  const away = play(world({ away: { fromMs: 2 * MINUTE, toMs: 8 * MINUTE } }));
  expect(away.ends.promoted.share).toBe(1);
  expect(away.ends.promoted.medianMs).toBeGreaterThan(12 * MINUTE);
  expect(away.first.events.map(({ sentence }) => sentence).join('\n')).toContain('the provider does not answer');
});

it('approvals come when people give them, or never', () => {
  const plan = planOf('steps: [10%, { approve: { within: 30m } }, 50%]\nhold: 5m\nchecks: [errors]');
  expect(play(world(), plan, { approveAfterMs: 4 * MINUTE }).ends.promoted).toMatchObject({ share: 1, medianMs: 14.5 * MINUTE });
  const { ends, first } = play(world(), plan, { approveAfterMs: null, runs: 1 });
  expect(ends.rolledBack).toMatchObject({ share: 1, medianMs: 35 * MINUTE });
  expect(first.cause).toContain('approv');
});

it('every kind of check can be rehearsed', () => {
  const plan = planOf(`steps: [10%, 50%]
hold: 5m
checks:
  errors: { kind: ratio, bad: b, total: t }
  budget: { kind: slo, bad: b, total: t, max: 1% }
  latency: { kind: latency, histogram: h }
  memory: { kind: gauge, query: m }
  restarts: { kind: rate, events: r }
  saturation: { kind: threshold, query: s, max: 0.9 }`);
  expect(play(world(), plan, { runs: 5 }).ends.promoted.share).toBe(1);
  expect(play(world({ slower: 2 }), plan, { runs: 5 }).ends.rolledBack.share).toBe(1);
});
