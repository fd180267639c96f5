/**
 * How often each judge rolls back a good release, and how soon a bad one.
 *
 * `npm run bench:detection -- [--quick] [--runs N] [--seed N] [--out DIR] [--only PART]... [--ramp]`
 *
 * `--only` names a part of the name of scenarios or judges and may be repeated; `--ramp` plays whole rollouts instead.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { JUDGES } from './judges/all.ts';
import { headgateEarly } from './judges/headgate.ts';
import { pictureOf } from './picture.ts';
import { runAll } from './pool.ts';
import { rampReport } from './ramp.ts';
import { reportOf } from './report.ts';
import { takesPart } from './run.ts';
import { SCENARIOS } from './scenarios.ts';
import { summarize } from './summary.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    ramp: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs ?? (values.quick ? 40 : 2000));
const seed = Number(values.seed);
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed)) throw new Error('--runs and --seed take whole numbers');

/** Those that are named, or all when none is. */
function chosen<T extends { readonly name: string }>(all: readonly T[]): readonly T[] {
  const named = all.filter(({ name }) => values.only.some((part) => name.toLowerCase().includes(part.toLowerCase())));
  return named.length > 0 ? named : all;
}

const judges = chosen(values.ramp ? [...JUDGES, headgateEarly] : JUDGES);
const scenarios = chosen(SCENARIOS).filter((scenario) => judges.some((judge) => takesPart(judge, scenario)));
const names = judges.map(({ name }) => name);

const files = values.ramp ? { 'ramp.md': rampReport(judges, { runs, seed }) } : await fixedWeight();
process.stdout.write(Object.values(files)[0] ?? '');
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(values.out, name), text);
}

async function fixedWeight(): Promise<Record<string, string>> {
  const startedMs = performance.now();
  const outcomes = await runAll(
    { scenarios: scenarios.map(({ name }) => name), judges: names, seed, runs },
    (done, of) => process.stderr.isTTY && process.stderr.write(`\r${done} of ${of} pieces`),
  );
  const summaries = scenarios.flatMap((scenario) =>
    names.flatMap((judge, index) => {
      const own = outcomes.get(scenario.name)?.[index] ?? [];
      return own.length === 0 ? [] : [summarize(scenario, judge, own)];
    }),
  );
  process.stderr.write(`${scenarios.length} scenarios in ${((performance.now() - startedMs) / 1000).toFixed(0)} s\n`);
  const oracles = judges.filter(({ oracle }) => oracle === true).map(({ name }) => name);
  const results = { scenarios, judges: names, summaries };
  return {
    'report.md': reportOf(results, { runs, seed }),
    'results.json': `${JSON.stringify({ runs, seed, summaries }, null, 1)}\n`,
    'picture.svg': pictureOf(results, oracles),
  };
}
