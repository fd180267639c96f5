/**
 * The main job in one go, to watch: a small shop in two places, people who use it, an edge before it, and Headgate. A good
 * release walks to 100 %; then a bad one is caught and taken back. `--once` ends by itself; otherwise it goes on, so that
 * one can look around, until Ctrl-C.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unfitNode } from '../lib/node-version.ts';
import { runDemo } from './run.ts';

const unfit = unfitNode(process.version);
if (unfit !== null) {
  process.stderr.write(`${unfit}\n`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'headgate-demo-'));
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
try {
  const asExpected = await runDemo({
    folder,
    once: process.argv.includes('--once'),
    out: process.stdout,
    signal: stopped.signal,
    write: (file, text) => writeFileSync(join(folder, file), text),
  });
  process.exitCode = asExpected || stopped.signal.aborted ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
