/** Runs the simulator with a mutant planted, in a process of its own, until a world finds it or there are no more. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.ts';

export type Hunt = { readonly caughtBy: string | null; readonly seed: number | null; readonly detail: string };

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export function hunt({ name, within }: Mutant): Promise<Hunt> {
  const args = ['--import', here('mutate.ts'), here('main.ts'), '--seeds', String(within)];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      args,
      { env: { ...process.env, HEADGATE_MUTANT: name, SEED: '' }, maxBuffer: 64 << 20 },
      (_, stdout, stderr) => {
        const found = /^seed (\d+) breaks (I\d+)[^:]*: (.*)$/m.exec(stdout);
        if (found?.[1] && found[2] && found[3] !== undefined)
          resolve({ caughtBy: found[2], seed: Number(found[1]), detail: found[3] });
        else if (/\d+ worlds/.test(stdout)) resolve({ caughtBy: null, seed: null, detail: 'not caught' });
        else reject(new Error(`the mutant "${name}" did not run: ${stderr.slice(0, 2_000)}`));
      },
    );
  });
}

/** Two at a time; the answers are in the order of the mutants. */
export async function huntAll(
  list: readonly Mutant[],
  onHunted: (mutant: Mutant, found: Hunt) => void = () => {},
): Promise<readonly Hunt[]> {
  const answers: Hunt[] = [];
  const indices = [...list.keys()];
  const lane = async (): Promise<void> => {
    for (let index = indices.shift(); index !== undefined; index = indices.shift()) {
      const mutant = list[index]!;
      const found = await hunt(mutant);
      answers[index] = found;
      onHunted(mutant, found);
    }
  };
  await Promise.all([lane(), lane()]);
  return answers;
}
