/**
 * The simulator's command: many worlds, one after another, until one breaks an invariant.
 *
 * `npm run sim -- [--seeds 200] [--from 1] [--store memory|sqlite] [--coverage]`; `SEED=n npm run sim` replays one, with its trace.
 */
import { parseArgs } from 'node:util';
import { runMany, openers } from './run.ts';
import { runWorld } from './world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    store: { type: 'string', default: 'memory' },
    coverage: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const openStore = values.store === 'sqlite' ? openers.sqlite : openers.memory;
const seed = process.env['SEED'];

if (seed) {
  const result = await runWorld({ seed: Number(seed), openStore, onLine: (line) => console.log(line) });
  console.log(result.violation ? `seed ${seed} breaks ${result.violation.invariant}: ${result.violation.detail}` : `seed ${seed} holds`);
  process.exitCode = result.violation ? 1 : 0;
} else {
  const isClean = await runMany({ from: Number(values.from), seeds: Number(values.seeds), openStore, wantsCoverage: values.coverage, keepsGoing: values.keep });
  process.exitCode = isClean ? 0 : 1;
}
