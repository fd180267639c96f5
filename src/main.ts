#!/usr/bin/env node
/** The entry: says when the Node is too old, then hands over to the command line. Imports nothing that an old Node cannot load. */
import { unfitNode } from './lib/node-version.ts';

const unfit = unfitNode(process.version);
if (unfit !== null) {
  process.stderr.write(`${unfit}\n`);
  process.exit(2);
}
// A reader that goes away (`| head`) is the end, and no error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const { start } = await import('./start.ts');
process.exitCode = await start(process.argv.slice(2));
