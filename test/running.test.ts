/** The page on running it for good: its unit, proxy, container, configuration and commands, each held against what is there. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { codeBlock } from './real/programs.ts';
import { service } from './service.ts';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'headgate-running-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const block = (language: string): string => codeBlock('running.md', language);
const isThere = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const config = () => {
  const parsed = parseConfig({ text: block('yaml'), secrets: { env: () => undefined, file: () => undefined }, dev: false });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};

test('the unit starts the command that there is, keeps the file where the configuration says, and is taken by systemd', () => {
  const unit = block('ini');
  const settings = new Map([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]));
  const [node, script, ...argv] = (settings.get('ExecStart') ?? '').split(' ');
  expect([node, script]).toEqual(['/opt/headgate/node_modules/.bin/node', '/opt/headgate/src/headgate.mjs']);
  for (const path of [node, script]) expect(existsSync(join(root, path?.replace('/opt/headgate/', '') ?? '')), path).toBe(true);
  expect(argv).toEqual(['serve', '--config', '/etc/headgate/headgate.yaml']);
  expect(config().sqliteFile).toBe(`/var/lib/${settings.get('StateDirectory')}/headgate.db`);
  expect(Object.fromEntries(settings)).toMatchObject({
    NoNewPrivileges: 'yes',
    ProtectSystem: 'strict',
    Restart: 'always',
    RestartPreventExitStatus: '2',
  });
  expect(settings.has('MemoryDenyWriteExecute')).toBe(false);
  expect(Number(settings.get('TimeoutStopSec'))).toBeGreaterThan(10);
  if (!isThere('systemd-analyze')) return;
  const file = join(folder, 'headgate.service');
  // What is not on this machine is said otherwise: the programs, the user and the directories of the page.
  const here = unit
    .replace(/^ExecStart=\S+ \S+/m, `ExecStart=${process.execPath} ${root}/src/headgate.mjs`)
    .replace(/^User=.*\n/m, '')
    .replace(/^WorkingDirectory=.*\n/m, '');
  writeFileSync(file, here);
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
  const ours = `${verified.stdout}${verified.stderr}`.split('\n').filter((line) => line.includes('headgate.service'));
  expect(ours).toEqual([]);
});

test('a configuration with problems ends with the code that is not started again', () => {
  const file = join(folder, 'wrong.yaml');
  writeFileSync(file, 'sever: {}\n');
  const run = spawnSync(process.execPath, [join(root, 'src/headgate.mjs'), 'serve', '--config', file], { encoding: 'utf8' });
  expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('unknown key "sever", did you mean "server"?')]);
});

test('a port that is taken is the end of it, with its releases and its edge; and the store is beside headgate.yaml, wherever it is started', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const address = taken.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const own = mkdtempSync(join(folder, 'taken-'));
  const file = join(own, 'headgate.yaml');
  writeFileSync(
    file,
    `server: { listen: 127.0.0.1:${port} }
routers: { front: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: http://127.0.0.1:9 }, green: { url: http://127.0.0.1:9 } } } } } }
`,
  );
  const argv = [join(root, 'src/headgate.mjs'), 'serve', '--dev', '--config', file];
  const run = spawn(process.execPath, argv, { cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  run.stderr.on('data', (part: Buffer) => (said += part.toString()));
  expect(await new Promise((done) => run.once('close', done))).toBe(1);
  expect(said).toContain(`cannot listen on 127.0.0.1:${port}: EADDRINUSE; is another program using it?`);
  expect(existsSync(join(own, 'headgate.db'))).toBe(true);
  taken.close();
});

test('the proxy passes on to where it listens, holds no stream back, and is taken by nginx where there is one', () => {
  const nginx = block('nginx');
  expect(nginx).toContain(`proxy_pass http://${config().listen};`);
  expect(nginx).toContain('proxy_buffering off;');
  expect(nginx).toContain(`server_name ${new URL(config().publicUrl ?? '').hostname};`);
  expect(nginx.split('{').length).toBe(nginx.split('}').length);
  if (!isThere('nginx') || !isThere('openssl')) return;
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=headgate', '-keyout', key, '-out', cert];
  expect(spawnSync('openssl', made).status).toBe(0);
  const site = nginx.replace(/\/etc\/ssl\/headgate\/(cert|key)\.pem/g, (_, name: string) => join(folder, `${name}.pem`));
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `pid ${join(folder, 'nginx.pid')};\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${site}}\n`);
  const tried = spawnSync('nginx', ['-t', '-c', file, '-p', folder], { encoding: 'utf8' });
  expect(tried.status, tried.stderr).toBe(0);
});

test('the container is made of files and scripts that are there, and keeps the file on its volume', () => {
  const lines = block('dockerfile').trim().split('\n');
  const of = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  for (const line of of('COPY'))
    for (const path of line.split(' ').slice(0, -1)) expect(existsSync(join(root, path)), path).toBe(true);
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [, script = ''] of of('RUN')
    .join('\n')
    .matchAll(/npm run (\S+)/g))
    expect(scripts).toHaveProperty([script]);
  expect(of('FROM')[0]).toMatch(/node:24-slim$/);
  expect(config().sqliteFile.startsWith(`${of('VOLUME')[0]}/`)).toBe(true);
  expect(of('USER')).toEqual(['node']);
  expect(existsSync(join(root, JSON.parse(of('ENTRYPOINT')[0] ?? '[]')[1]))).toBe(true);
  // A pipeline's job in this image runs the command by its name.
  const [, command = ''] = /ln -s \/opt\/headgate\/(\S+) \/usr\/local\/bin\/headgate/.exec(of('RUN').join('\n')) ?? [];
  const link = join(folder, 'headgate');
  symlinkSync(join(root, command), link);
  expect(spawnSync(link, ['--version'], { cwd: '/', encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});

test('a backup that is taken while it runs, and restored, has everything', async () => {
  const [state, backups] = [join(folder, 'state'), join(folder, 'backups')];
  for (const path of [state, backups]) mkdirSync(path);
  const shell = (script: string): void => {
    // Any SQLite will do; the driver's own is always here.
    const sqlite = `const D = require('better-sqlite3'); const [, file, sql] = process.argv; const db = new D(file); if (sql.startsWith('PRAGMA')) console.log(db.pragma(sql.slice(7), { simple: true })); else db.exec(sql);`;
    const command = `set -euo pipefail\nsqlite3() { "${process.execPath}" -e "$SQLITE" "$@"; }\n${script}`;
    const env = { ...process.env, STATE: state, BACKUPS: backups, SQLITE: sqlite };
    const run = spawnSync('bash', ['-c', command], { cwd: root, env, encoding: 'utf8' });
    expect(run.status, run.stderr).toBe(0);
  };
  const file = join(state, 'headgate.db');
  const stable = (s: Awaited<ReturnType<typeof service>>, version: string) =>
    s.ask('PUT', '/v1/services/one/stable', { body: { version }, headers: { 'if-match': '*' } });
  const first = await service(['one'], file);
  await stable(first, '1.0.0');
  shell(block('sh'));
  await stable(first, '2.0.0');
  await first.closing();
  shell(block('shell'));
  const second = await service(['one'], file);
  expect((await second.ask('GET', '/v1/services/one')).body.stableVersion).toBe('1.0.0');
  expect(existsSync(join(state, 'before', 'headgate.db'))).toBe(true);
  await second.closing();
});
