/**
 * Whether a preview tells the truth: what it foretells of ten plans, against whole releases of the same plans with the real
 * step machine and the real judge on virtual time.
 *
 * `npm run bench:preview -- [--runs N] [--seed N] [--only PART]`
 *
 * A row is one regression: the chance that it is found before the release is through, and when, in the middle of those that
 * are found. `off` is the larger of the two differences, as a part of what the simulation says; one interval and what
 * chance alone explains (two standard errors of both) are not counted.
 */
import { parseArgs } from 'node:util';
import { assumedWorld } from '../src/contract/assumed-world.ts';
import { parsePlan } from '../src/contract/plan.ts';
import { preview } from '../src/domain/preview/preview.ts';
import type { Regression } from '../src/domain/preview/preview.ts';
import { Weight } from '../src/domain/ids.ts';
import type { Plan } from '../src/domain/plan.ts';
import { latencyOf } from '../src/domain/rehearsal/figures.ts';
import type { Traffic } from '../src/domain/rehearsal/figures.ts';
import { simulate } from '../src/domain/rehearsal/many.ts';
import { whole } from '../src/lib/slices.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed)) throw new Error('--runs and --seed take whole numbers');

type Case = { readonly name: string; readonly plan: string; readonly rps: number; readonly bad: number };

const CASES: readonly Case[] = [
  { name: 'the smallest', plan: 'steps: [1%, 10%, 50%]\nhold: 5m\nchecks: [errors]', rps: 100, bad: 0.001 },
  { name: 'errors and latency', plan: 'steps: [5%, 25%]\nhold: 5m\nchecks: [errors, latency]', rps: 100, bad: 0.001 },
  { name: 'strict', plan: 'profile: strict\nsteps: [5%, 20%, 50%]\nhold: 5m\nchecks: [errors]', rps: 100, bad: 0.01 },
  { name: 'a busy service', plan: 'steps: [0.5%, 5%, 25%]\nhold: 2m\nchecks: [errors]', rps: 2000, bad: 0.001 },
  { name: 'a quiet service', plan: 'steps: [10%, 50%]\nhold: 20m\nchecks: [errors]', rps: 2, bad: 0.01 },
  { name: 'many errors', plan: 'steps: [5%, 25%, 50%]\nhold: 3m\nchecks: [errors]', rps: 50, bad: 0.05 },
  {
    name: 'leaving early',
    plan: 'steps: [10%, 50%]\nhold: 10m\nadvanceEarly: { after: 2m }\nchecks: [errors]',
    rps: 300,
    bad: 0.01,
  },
  { name: 'long', plan: 'steps: [1%, 5%, 25%, 50%]\nhold: 30m\nchecks: [errors]', rps: 30, bad: 0.002 },
  {
    name: 'a promised limit',
    plan: 'steps: [10%, 50%]\nhold: 5m\nchecks:\n  budget: { kind: slo, bad: b, total: t, max: 0.5% }\n  errors: { kind: ratio, bad: b, total: t, max: 1% }',
    rps: 80,
    bad: 0.001,
  },
  {
    name: 'pause, bake, 0.1 %',
    plan: 'falseRollbackRate: 0.1%\nsteps: [2%, { pause: { for: 3m } }, 20%]\nhold: 4m\nbake: { for: 10m, holdBack: 10% }\nchecks: [errors, latency]',
    rps: 100,
    bad: 0.001,
  },
];

function planOf(text: string): Plan {
  const document = `service: shop\n${text}\n`;
  const parsed = parsePlan(document, assumedWorld(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.plan;
}

type Compared = { readonly row: string; readonly off: number };

type Given = { readonly plan: Plan; readonly traffic: Traffic; readonly toldRuns: number };

function compared({ name, bad }: Case, { plan, traffic, toldRuns }: Given, told: Regression): Compared {
  const { unit, change } = told;
  const seen = whole(
    simulate(
      plan,
      {
        traffic,
        bad: unit === 'share' ? change.to : null,
        slower: unit === 'times' ? change.to : 1,
        fromWeight: Weight(0),
        afterMs: 0,
        growsMs: 0,
        drift: null,
        silent: null,
        away: null,
      },
      { runs, seed, horizonMs: plan.deadlineMs, approveAfterMs: 0 },
    ),
  );
  const { share, medianMs, p95Ms } = seen.ends.rolledBack;
  const chance = 2 * Math.sqrt(told.found * (1 - told.found) * (1 / toldRuns + 1 / runs));
  const offShare = Math.max(0, Math.abs(told.found - share) - chance) / Math.max(share, 1e-9);
  // The standard error of a median of times that are spread as these are, from their upper tail.
  const spreadMs = ((p95Ms ?? 0) - (medianMs ?? 0)) / 1.64;
  const chanceMs = 2 * 1.25 * spreadMs * Math.sqrt(1 / Math.max(1, share * runs) + 1 / Math.max(1, told.found * toldRuns));
  const apart = Math.abs((told.medianMs ?? 0) - (medianMs ?? 0));
  const offTime = share < 0.1 ? 0 : Math.max(0, apart - plan.intervalMs - chanceMs) / (medianMs ?? 1);
  const off = Math.max(share < 0.05 && told.found < 0.05 ? 0 : offShare, offTime);
  const words =
    unit === 'share' ? `${+(100 * bad).toPrecision(3)} -> ${+(100 * change.to).toPrecision(3)} %` : `${change.to} times as slow`;
  const percent = (value: number): string => `${(100 * value).toFixed(0)} %`.padStart(5);
  const seconds = (ms: number | null): string => (ms === null ? '-' : `${(ms / 1000).toFixed(0)} s`).padStart(7);
  const row = `${name.padEnd(20)} ${told.check.padEnd(8)} ${words.padEnd(19)} ${percent(told.found)} ${percent(share)}  ${seconds(told.medianMs)} ${seconds(medianMs)}  ${percent(off)}`;
  return { row, off };
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`${runs} simulated releases each, seed ${seed}`);
say(`${'plan'.padEnd(20)} ${'check'.padEnd(8)} ${'regression'.padEnd(19)} found  seen     found    seen    off`);
let worst = 0;
let tookMs = 0;
for (const each of CASES.filter(({ name }) => name.includes(values.only))) {
  const plan = planOf(each.plan);
  const traffic: Traffic = {
    requestsPerSecond: each.rps,
    instances: 3,
    all: { bad: each.bad, latency: latencyOf(100, 400), dispersion: 1 },
    checks: {},
  };
  const startedMs = performance.now();
  const told = whole(preview(plan, traffic));
  tookMs = Math.max(tookMs, performance.now() - startedMs);
  for (const regression of told.regressions) {
    const { row, off } = compared(each, { plan, traffic, toldRuns: told.runs }, regression);
    worst = Math.max(worst, off);
    say(row);
  }
}
say(`off by ${(100 * worst).toFixed(0)} % at most; the longest preview took ${(tookMs / 1000).toFixed(1)} s`);
process.exitCode = worst <= 0.2 ? 0 : 1;
