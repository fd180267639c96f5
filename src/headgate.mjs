#!/usr/bin/env node
/**
 * The command. Plain JavaScript, because it has to run on an old Node to say that it is too old: such a one cannot load
 * the sources at all.
 */
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 24) {
  process.stderr.write(
    `Headgate runs on Node 24, and this is ${process.version}. Start it through npm, which brings the right Node along ` +
      '("npm start", "npm run headgate -- release list"), or install Node 24.\n',
  );
  process.exit(2);
}
await import('./main.ts');
