/**
 * Unleash itself, with PostgreSQL: the published server, installed into a folder of its own outside the project, on a
 * database that lives as long as it does. Both end by their process id.
 */
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromNpm } from './installed.ts';
import { freePort, scratch, start, until } from './programs.ts';
import type { Program } from './programs.ts';

const run = promisify(execFile);

export const UNLEASH_VERSION = '8.2.0';
const ADMIN = '*:*.headgate-admin-token';
const FRONTEND = '*:development.headgate-frontend-token';
/** How often its own evaluation takes over what was written: its SDKs do so every 15 s. */
const REFRESH_MS = 500;

export type RealUnleash = {
  readonly url: string;
  readonly adminToken: string;
  readonly project: string;
  readonly environment: string;
  /** A flag with a gradual rollout at 0 %, switched on. */
  createFlag(name: string): Promise<void>;
  /** What its own API shows of it. */
  shown(name: string): Promise<{ readonly enabled: boolean; readonly rollout: string; readonly title: string }>;
  /** How many of these users get the flag, by Unleash's own evaluation. */
  on(name: string, users: readonly string[]): Promise<number>;
  ask(method: string, path: string, body?: unknown): Promise<any>;
  close(): Promise<void>;
};

/** Debian keeps each version's programs apart. */
function postgresBin(): string {
  const root = '/usr/lib/postgresql';
  const newest = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a))[0] : undefined;
  if (newest === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  return join(root, newest, 'bin');
}

async function realPostgres() {
  const { dir, remove } = scratch('postgres');
  const bin = postgresBin();
  const port = await freePort();
  const isRoot = userInfo().uid === 0;
  // It refuses to run as root.
  const as = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
  if (isRoot) {
    chmodSync(dir, 0o700);
    spawnSync('chown', ['postgres:postgres', dir]);
  }
  const command = (args: readonly string[]): readonly [string, readonly string[]] => {
    const [program = '', ...rest] = [...as, ...args];
    return [program, rest];
  };
  const data = join(dir, 'data');
  await run(...command([join(bin, 'initdb'), '-D', data, '-U', 'unleash', '--auth=trust', '-E', 'UTF8']), { cwd: dir });
  const options = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${dir}`, '-c', 'fsync=off'];
  const program = start(...command([join(bin, 'postgres'), '-D', data, '-p', String(port), ...options]), { cwd: dir });
  await until(
    'PostgreSQL',
    () => {
      if (program.child.exitCode !== null) throw new Error(`postgres ended: ${program.said()}`);
      return spawnSync(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).status === 0;
    },
    30_000,
  );
  return {
    url: `postgres://unleash@127.0.0.1:${port}/postgres`,
    async close() {
      await program.kill('SIGINT'); // A fast shutdown, children too.
      remove();
    },
  };
}

export async function realUnleash(): Promise<RealUnleash> {
  const main = await fromNpm({ name: 'unleash-server', version: UNLEASH_VERSION, file: 'dist/server.js' });
  const database = await realPostgres();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = start(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      HOME: homedir(),
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      DATABASE_SSL: 'false',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(port),
      LOG_LEVEL: 'error',
      CHECK_VERSION: 'false',
      SEND_TELEMETRY: 'false',
      // Its webhooks go to public addresses only, and Headgate is beside it here.
      UNLEASH_ALLOW_PRIVATE_URL_IN_INTEGRATION: 'true',
      INIT_ADMIN_API_TOKENS: ADMIN,
      INIT_FRONTEND_API_TOKENS: FRONTEND,
      FRONTEND_API_REFRESH_INTERVAL_MS: String(REFRESH_MS),
    },
  });
  await healthy(url, program).catch(async (error: unknown) => {
    await program.kill();
    await database.close();
    throw error;
  });
  const [project, environment] = ['default', 'development'];
  const ask: RealUnleash['ask'] = async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: ADMIN, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`unleash answered ${answer.status} to ${method} ${path}: ${text.slice(0, 300)}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const features = `/api/admin/projects/${project}/features`;
  return {
    url,
    adminToken: ADMIN,
    project,
    environment,
    ask,
    async createFlag(name) {
      const parameters = { rollout: '0', stickiness: 'default', groupId: name };
      await ask('POST', features, { name, type: 'release', description: 'The new checkout', impressionData: false });
      await ask('POST', `${features}/${name}/environments/${environment}/strategies`, {
        name: 'flexibleRollout',
        title: 'Gradual rollout',
        parameters,
        constraints: [],
      });
      await ask('POST', `${features}/${name}/environments/${environment}/on`);
    },
    async shown(name) {
      const { enabled, strategies } = await ask('GET', `${features}/${name}/environments/${environment}`);
      return { enabled, rollout: strategies[0]?.parameters.rollout, title: strategies[0]?.title ?? '' };
    },
    async on(name, users) {
      const answers = await Promise.all(
        users.map(async (user) => {
          const answer = await fetch(`${url}/api/frontend?userId=${user}`, { headers: { authorization: FRONTEND } });
          const { toggles } = (await answer.json()) as { toggles?: readonly { name: string; enabled: boolean }[] };
          return toggles?.some((toggle) => toggle.name === name && toggle.enabled) ?? false;
        }),
      );
      return answers.filter(Boolean).length;
    },
    async close() {
      await program.kill();
      await database.close();
    },
  };
}

const healthy = (url: string, program: Program): Promise<void> =>
  until(
    'Unleash',
    async () => {
      if (program.child.exitCode !== null) throw new Error(`unleash ended: ${program.said()}`);
      return fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    120_000,
  );
