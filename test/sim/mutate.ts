/** Plants the mutant that the environment names while its modules are loaded: `node --import ./test/sim/mutate.ts`. */
import { registerHooks } from 'node:module';
import { survivors, mutants } from './mutants.ts';

const name = process.env['HEADGATE_MUTANT'];
const mutant = [...mutants, ...survivors].find((candidate) => candidate.name === name);
if (!mutant) throw new Error(`no mutant named ${name}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const edits = mutant.edits.filter(({ file }) => url.endsWith(`/${file}`));
    if (edits.length === 0) return loaded;
    // A loader gives text or its bytes; null only for what is built in, which no mutant touches.
    let source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    for (const { file, find, put } of edits) {
      if (!source.includes(find)) throw new Error(`the mutant "${mutant.name}" finds nothing to change in ${file}`);
      source = source.replace(find, () => put);
    }
    return { ...loaded, source };
  },
});
