/**
 * The simulator's command: many worlds, one after another, until one breaks an invariant.
 *
 * `npm run sim -- [--seeds 200] [--from 1] [--store memory|sqlite] [--coverage]`;
 * `npm run sim -- --mutants` plants known bugs and tells how each is found; `SEED=n npm run sim` replays one, with its trace.
 */
import { parseArgs } from 'node:util';
import { huntAll } from './hunt.ts';
import type { Hunt } from './hunt.ts';
import { survivors, mutants } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { runMany, openers } from './run.ts';
import { runWorld } from './world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    store: { type: 'string', default: 'memory' },
    coverage: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
  },
});
const openStore = values.store === 'sqlite' ? openers.sqlite : openers.memory;
const seed = process.env['SEED'];

if (seed) {
  const result = await runWorld({ seed: Number(seed), openStore, onLine: (line) => console.log(line) });
  console.log(
    result.violation ? `seed ${seed} breaks ${result.violation.invariant}: ${result.violation.detail}` : `seed ${seed} holds`,
  );
  process.exitCode = result.violation ? 1 : 0;
} else if (values.mutants) {
  console.log(`${'mutant'.padEnd(50)} caught by  world`);
  const tell = ({ name }: Mutant, { caughtBy, seed: world, detail }: Hunt): void =>
    console.log(`${name.padEnd(50)} ${(caughtBy ?? '-').padEnd(10)} ${String(world ?? '-').padEnd(6)} ${detail}`);
  const found = await huntAll(mutants, tell);
  console.log('expected to survive (the reasons are in test/sim/mutants.ts):');
  await huntAll(survivors, tell);
  process.exitCode = found.every(({ caughtBy }) => caughtBy !== null) ? 0 : 1;
} else {
  const isClean = await runMany({
    from: Number(values.from),
    seeds: Number(values.seeds),
    openStore,
    wantsCoverage: values.coverage,
    keepsGoing: values.keep,
  });
  process.exitCode = isClean ? 0 : 1;
}
