#!/usr/bin/env node
/**
 * The command. Plain JavaScript, because it has to run on an old Node to say that it is too old: such a one cannot load
 * the sources at all.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 24) {
  // `npm link` makes a command that runs on whatever Node is there: the right one lies beside us, where npm put it.
  const right = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (process.env.HEADGATE_NODE_FOUND === undefined && existsSync(right)) handOver(right);
  else {
    process.stderr.write(
      `Headgate runs on Node 24, and this is ${process.version}. Start it through npm, which brings the right Node along ` +
        '("npm start", "npm run headgate -- release list"), or install Node 24.\n',
    );
    process.exit(2);
  }
} else await import('./main.ts');

/** The same command on another Node, with this terminal, every signal and its exit code. */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, HEADGATE_NODE_FOUND: '1' } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${node} cannot be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
