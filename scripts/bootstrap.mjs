/**
 * Runs a command with everything that it needs, on a fresh clone: npm packages (with the right Node among them) and, for
 * the tests, the Debian packages they use. Plain JavaScript, because it runs on whatever Node is there.
 *
 *   node scripts/bootstrap.mjs [--debian] [--postgresql] [--rsync] [--console] -- command arguments...
 *
 * `--console` builds the console's pages when they are missing or older than their sources; then a command is not needed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Programs that tests start, and the Debian package of each. */
const DEBIAN = [
  { program: 'carbon-cache', package: 'graphite-carbon' },
  { program: 'chromium', package: 'chromium' },
  { program: 'faketime', package: 'faketime' },
  { program: 'graphite-manage', package: 'graphite-web' },
  { program: 'haproxy', package: 'haproxy' },
  { program: 'influxd', package: 'influxdb' },
  { program: 'prometheus', package: 'prometheus' },
  { program: 'strace', package: 'strace' },
  { program: 'victoria-metrics', package: 'victoria-metrics' },
];
/** Only where a script says so: PostgreSQL is a server that Debian starts by itself, and rsync is for one script alone. */
const ASKED_FOR = [
  { flag: '--postgresql', program: 'pg_lsclusters', package: 'postgresql' },
  { flag: '--rsync', program: 'rsync', package: 'rsync' },
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail(`Node 20.19 or later is needed to set Headgate up, and this is ${process.version}: install a newer Node.`);

const split = process.argv.indexOf('--');
const flags = process.argv.slice(2, split === -1 ? undefined : split);
const [command, ...rest] = split === -1 ? [] : process.argv.slice(split + 1);
if (command === undefined && !flags.includes('--console'))
  fail('usage: node scripts/bootstrap.mjs [--debian] [--postgresql] [--rsync] [--console] -- command arguments...');

installPackages();
installDebian();
if (flags.includes('--console')) buildConsole();
if (command !== undefined) run(command, rest);

/** `npm ci`, unless what is installed is what the lock file says. */
function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.headgate-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write('installing npm packages (about 20 s, once) ...\n');
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const done = spawnSync(npm[0], [...npm.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (done.status !== 0) fail(`npm ci failed:\n${done.stdout ?? ''}${done.stderr ?? ''}${done.error ?? ''}`);
  writeFileSync(stamp, lock);
}

function installDebian() {
  const asked = ASKED_FOR.filter(({ flag }) => flags.includes(flag));
  const wanted = flags.includes('--debian') ? [...DEBIAN, ...asked] : asked;
  const missing = wanted
    .filter(({ program }) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
    .map((each) => each.package);
  if (missing.length === 0) return;
  const install = `apt-get install --yes --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || spawnSync('sh', ['-c', 'command -v apt-get']).status !== 0)
    fail(`the tests need programs that are not here: ${missing.join(', ')}\ninstall them, as root on Debian with:\n  ${install}`);
  process.stderr.write(`installing Debian packages: ${missing.join(', ')} ...\n`);
  const done = spawnSync('sh', ['-c', `apt-get update -qq && ${install} -qq`], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (done.status !== 0) fail(`${install} failed:\n${done.stdout ?? ''}${done.stderr ?? ''}`);
}

/** A service without pages still serves everything else, so a failure is told and is not the end. */
function buildConsole() {
  const node = join(root, 'node_modules', '.bin', 'node');
  const done = spawnSync(node, [join(root, 'scripts', 'build-console.mjs')], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (done.status !== 0) process.stderr.write('the console could not be built; Headgate goes on without its pages\n');
}

/** The command gets the project's own Node first in its path, this terminal, and every signal that we get. */
function run(program, args) {
  const bin = join(root, 'node_modules', '.bin');
  const child = spawn(program === 'node' ? join(bin, 'node') : program, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  stopWithNpm(child);
  child.on('error', (error) => fail(`${program} cannot be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** npm does not pass on a SIGTERM: when it is gone, so is whoever asked for this command, and what runs is ended well. */
function stopWithNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const { ppid } = process;
  setInterval(() => process.ppid !== ppid && child.kill('SIGTERM'), 500).unref();
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
