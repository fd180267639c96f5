/** The GitHub Action as one file, made of its sources; the test holds the committed one against it. */
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { build } from 'esbuild';

const folder = resolve(import.meta.dirname, '../deploy/github-action');
/** Named so that it is a module wherever it is copied to, whatever a package around it says. */
export const BUNDLE = resolve(folder, 'dist/index.mjs');

export async function bundledAction(): Promise<string> {
  mkdirSync(dirname(BUNDLE), { recursive: true });
  const { outputFiles } = await build({
    entryPoints: [resolve(folder, 'main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    charset: 'utf8',
    absWorkingDir: resolve(folder, '../..'),
  });
  return outputFiles[0]?.text ?? '';
}
