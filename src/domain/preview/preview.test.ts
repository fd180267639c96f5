import { expect, it } from 'vitest';
import { USUAL } from '../../contract/ahead.ts';
import { assumedWorld } from '../../contract/assumed-world.ts';
import { parsePlan } from '../../contract/plan.ts';
import { prng } from '../../lib/prng.ts';
import { binomial } from '../../lib/draws.ts';
import { whole } from '../../lib/slices.ts';
import { assess, atNewWeight, calibrated, specOf, step, worthHere as seenHere } from '../analysis/evidence/engine.ts';
import { NONE } from '../ids.ts';
import type { EvidenceCheck, Plan } from '../plan.ts';
import type { Traffic } from '../rehearsal/figures.ts';
import { simulate } from '../rehearsal/many.ts';
import { modelled } from './modelled.ts';
import { preview } from './preview.ts';
import { anew, fresh, observe, placed, worthHere, worthOf } from './twin.ts';

const planOf = (text: string): Plan => {
  const document = `service: shop\n${text}\n`;
  const parsed = parsePlan(document, assumedWorld(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.plan;
};
const trafficOf = (requestsPerSecond: number, bad = 0.001): Traffic => ({
  requestsPerSecond,
  instances: 3,
  all: { ...USUAL, bad },
  checks: {},
});
const look = (text: string, traffic: Traffic) => whole(preview(planOf(text), traffic));

it('the twin gains what the engine gains, interval by interval, over all and since the weight changed, restarts and caps included', () => {
  const check = planOf('steps: [10%]\nhold: 5m\nchecks: { errors: { kind: ratio, bad: b, total: t, max: 2% } }').checks[
    'errors'
  ] as EvidenceCheck;
  const rules = { alpha: 0.01, tickMs: 10_000, horizonMs: 3_600_000 };
  const bad = 0.01;
  // Stable is taken as known: the engine is told as much of it as it listens to.
  const known = { from: 0, to: 1, canary: { n: 0, bad: 0 }, stable: { n: 1e9, bad: 1e7 }, instances: [], parts: {} };
  const spec = specOf(check, rules);
  let engine = calibrated(spec, [{ kind: 'counts', ...known }]);
  const own = modelled(check, { ...USUAL, bad }, { rules, rps: 1e6 });
  if (typeof own === 'string') throw new Error(own);
  const twin = fresh(own.twin);
  const place = placed(own.twin, 100, 900);
  const random = prng(3);
  for (let tick = 1; tick <= 120; tick++) {
    if (tick === 45) {
      engine = atNewWeight(engine);
      anew(twin);
    }
    const canary = tick === 50 ? 60 : binomial(random, 100, 0.015);
    const stable = binomial(random, 900, bad);
    const span = { from: tick * 10_000, to: (tick + 1) * 10_000 };
    engine = step(spec, engine, {
      kind: 'counts',
      ...span,
      canary: { n: 100, bad: canary },
      stable: { n: 900, bad: stable },
      instances: [],
      parts: {},
    });
    observe(own.twin, twin, place, { canary: [canary], stable: [stable] });
    expect(worthOf(own.twin, twin)).toBeCloseTo(assess(spec, engine).logE, 1);
    expect(worthHere(own.twin, twin)).toBeCloseTo(seenHere(spec, engine), 1);
  }
});

it.each([
  { text: 'steps: [5%, 25%]\nhold: 5m\nchecks: [errors]', rps: 100, bad: 0.001 },
  { text: 'profile: strict\nsteps: [10%, 50%]\nhold: 3m\nchecks: [errors]', rps: 50, bad: 0.02 },
])('what is foretold is what whole releases do: $text', ({ text, rps, bad }) => {
  const plan = planOf(text);
  const traffic = trafficOf(rps, bad);
  const told = whole(preview(plan, traffic));
  for (const { change, found, medianMs } of told.regressions) {
    const scenario = {
      traffic,
      bad: change.to,
      slower: 1,
      fromWeight: NONE,
      afterMs: 0,
      growsMs: 0,
      drift: null,
      silent: null,
      away: null,
    };
    const { rolledBack } = whole(simulate(plan, scenario, { runs: 60, seed: 1, horizonMs: 7_200_000, approveAfterMs: 0 })).ends;
    // A fifth, and what chance explains in sixty runs.
    expect(Math.abs(found - rolledBack.share)).toBeLessThan(0.2 * rolledBack.share + 0.13);
    if (rolledBack.share > 0.5)
      expect(Math.abs((medianMs ?? 0) - (rolledBack.medianMs ?? 0))).toBeLessThan(0.2 * (rolledBack.medianMs ?? 0) + 30_000);
  }
});

it('more traffic, a longer hold and more weight see smaller regressions', () => {
  const sees = (text: string, rps: number): number => look(text, trafficOf(rps)).steps[0]?.checks['errors']?.sees?.to ?? 1;
  const base = sees('steps: [5%]\nhold: 5m\nchecks: [errors]', 100);
  expect(sees('steps: [5%]\nhold: 5m\nchecks: [errors]', 400)).toBeLessThan(base);
  expect(sees('steps: [5%]\nhold: 20m\nchecks: [errors]', 100)).toBeLessThan(base);
  expect(sees('steps: [20%]\nhold: 5m\nchecks: [errors]', 100)).toBeLessThan(base);
});

it('the hold and the weight that are named would do', () => {
  const text = (weight: string, hold: string): string => `steps: [${weight}, 50%]\nhold: ${hold}\nchecks: [errors]`;
  const [advice = ''] = look(text('1%', '5m'), trafficOf(100)).advice;
  const [, hold = '', weight = ''] = /hold (\w+) instead of 5m, or weight ([\d.]+) % instead of 1 %/.exec(advice) ?? [];
  const enough = (plan: string): boolean =>
    Object.values(look(plan, trafficOf(100)).steps[0]?.checks ?? {}).every((one) => one.enough);
  expect(enough(text('1%', '5m'))).toBe(false);
  expect(enough(text('1%', hold))).toBe(true);
  expect(enough(text(`${weight}%`, '5m'))).toBe(true);
});

it('foretells fewer where fewer is worse, also of what nearly all requests do', () => {
  const { steps, regressions } = look(
    'steps: [10%]\nhold: 5m\nchecks:\n  done: { kind: ratio, bad: b, total: t, worse: lower }',
    trafficOf(100, 0.95),
  );
  const { sees, enough } = steps[0]?.checks['done'] ?? {};
  expect(sees?.to).toBeGreaterThan(0.6);
  expect(sees?.to).toBeLessThan(0.86);
  expect(enough).toBe(true);
  expect(regressions.map(({ found }) => found)).toEqual([1, 1]);
});

it('what cannot be foretold is named with the reason, and nothing is foretold of it', () => {
  const found = look(
    'steps: [10%]\nhold: 5m\nchecks:\n  cpu: { kind: threshold, query: q, max: 1 }\n  memory: { kind: gauge, query: m }',
    trafficOf(100),
  );
  expect(found.notForetold.map(({ check }) => check)).toEqual(['cpu', 'memory']);
  expect(found).toMatchObject({ regressions: [], steps: [{ checks: {} }], good: { promoted: 1, earlyMedianMs: null } });
});

it('a step that can never have requests enough says so', () => {
  const { steps, good, advice } = look('steps: [10%]\nhold: 5m\ndeadline: { after: 1h }\nchecks: [errors]', trafficOf(0.01));
  expect(steps[0]?.checks['errors']).toMatchObject({ enough: false, sees: null });
  expect(good).toMatchObject({ promoted: 0, medianMs: null });
  expect(advice[0]).toContain('step 1 at 10 % is too short');
});

it('takes fewer runs of a plan of a day with many checks, and lets others in between', () => {
  const checks = Array.from({ length: 4 }, (_, index) => `  c${index}: { kind: ratio, bad: b${index}, total: t }`).join('\n');
  const work = preview(planOf(`steps: [5%, 50%]\nhold: 12h\nchecks:\n${checks}`), trafficOf(100));
  let slices = 0;
  for (;;) {
    const { done, value } = work.next();
    slices++;
    if (done !== true) continue;
    expect(value.runs).toBeLessThan(100);
    expect(slices).toBeGreaterThan(500);
    return;
  }
});

it('lets others in between also where a step has a million intervals', () => {
  const work = preview(
    planOf('interval: 1s\nsteps: [{ weight: 1%, hold: 20d }]\ndeadline: { after: 40d }\nchecks: [errors]'),
    trafficOf(100),
  );
  // Time of the processor: a busy machine does not count.
  let longestMs = 0;
  for (let slice = 0, isDone = false; slice < 2_000 && !isDone; slice++) {
    const before = process.cpuUsage();
    isDone = work.next().done === true;
    longestMs = Math.max(longestMs, process.cpuUsage(before).user / 1000);
  }
  expect(longestMs).toBeLessThan(250);
});

it('plays fewer runs where there is so little traffic that a step is waited at for hours', () => {
  const plan = 'steps: [10%, 50%]\nhold: 1m\ninterval: 5s\nchecks: [errors]';
  expect(look(plan, trafficOf(100)).runs).toBe(300);
  const { runs, advice } = look(plan, trafficOf(0.1));
  expect(runs).toBe(30);
  expect(advice[0]).toContain('and there is 1 request in 1m');
});
