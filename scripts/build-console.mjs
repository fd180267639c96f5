/** Builds the console when it is missing or made of other sources than there are now; what it was made of is kept beside it. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const web = join(root, 'web');
const stamp = join(web, 'dist', '.made-of');

function madeOf() {
  const files = [
    ...readdirSync(join(web, 'src'), { recursive: true, encoding: 'utf8' }).map((file) => join(web, 'src', file)),
    ...['index.html', 'vite.config.ts', 'tsconfig.json'].map((file) => join(web, file)),
    ...['package-lock.json', 'scripts/build-console.mjs'].map((file) => join(root, file)),
  ];
  const hash = createHash('sha256');
  for (const file of files.toSorted())
    if (statSync(file).isFile()) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest('hex');
}

async function buildConsole() {
  const now = madeOf();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  const { NODE_ENV } = process.env;
  // Vite builds for work on the console where this says anything else, as it does within a test.
  process.env.NODE_ENV = 'production';
  const { build } = await import('vite');
  await build({ configFile: join(web, 'vite.config.ts'), mode: 'production' });
  process.env.NODE_ENV = NODE_ENV ?? 'production';
  writeFileSync(stamp, now);
}

/** Vitest calls it before all tests. */
export const setup = buildConsole;

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildConsole();
