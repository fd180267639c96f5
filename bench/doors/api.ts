/**
 * `npm run bench:api`: requests per second and how long they take, reads and writes, at full durability; beside what a bare
 * route answers on the same machine, and what SQLite commits with and without waiting for the disk.
 */
import { fork } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { load, row, SERVICES, standing } from './harness.ts';
import type { Timed } from './harness.ts';

const MS = Number(process.env['BENCH_MS'] ?? 5_000);
const WIDTH = 8;

const bench = await standing(0);
const bare = fork(resolve(import.meta.dirname, 'bare.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
// A bench that fails leaves nobody behind.
process.once('exit', () => [bench.child, bare].forEach((child) => child.kill('SIGKILL')));
const port = await new Promise<number>((done) => bare.once('message', (message) => done(Number(message))));

const ask = async (url: string, init?: RequestInit): Promise<void> => {
  const answer = await fetch(url, init);
  const content = await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${Buffer.from(content).toString()}`);
};
const json = { 'content-type': 'application/json', 'if-match': '*' };
const send = (path: string, body: unknown): Promise<void> =>
  ask(`${bench.api}${path}`, { method: 'POST', headers: json, body: JSON.stringify(body) });

const floor = await load(WIDTH, MS, () => ask(`http://127.0.0.1:${port}/`));
row('a bare route', floor);
const beside = ({ perSecond }: Timed): string => `${((100 * perSecond) / floor.perSecond).toFixed(0)} % of a bare route`;
const [id = ''] = bench.ids;
for (const [name, path] of [
  ['GET a release', `/v1/releases/${id}`],
  ['GET 20 releases', '/v1/releases?limit=20'],
  ['GET the events of one', `/v1/releases/${id}/events`],
  ['GET a service', '/v1/services/shop-0'],
] as const) {
  const timed = await load(WIDTH, MS, () => ask(`${bench.api}${path}`));
  row(name, timed, beside(timed));
}

const full = commits('FULL');
const normal = commits('NORMAL');
// Nothing else went on meanwhile: connections that the service has closed since are seen first.
await sleep(500);
row('SQLite, one row, on disk (FULL)', full);
row('SQLite, one row, not waited for (NORMAL)', normal);
const written = ({ perSecond }: Timed): string =>
  `${(perSecond / full.perSecond).toFixed(2)} of FULL, ${(perSecond / normal.perSecond).toFixed(2)} of NORMAL`;
/** Pauses what runs and resumes what is paused, in turn. */
const isPaused = bench.ids.map(() => false);
const command = (lane: number, headers: Readonly<Record<string, string>>): Promise<void> => {
  const verb = isPaused[lane] ? 'resume' : 'pause';
  isPaused[lane] = !isPaused[lane];
  const path = `/v1/releases/${bench.ids[lane] ?? ''}/commands/${verb}`;
  return ask(`${bench.api}${path}`, { method: 'POST', headers: { ...json, ...headers }, body: '{}' });
};
const commands = await load(SERVICES, MS, (_turn, lane) => command(lane, {}));
row('POST a command, pause and resume', commands, written(commands));
const keyed = await load(SERVICES, MS, (turn, lane) => command(lane, { 'idempotency-key': `k-${lane}-${turn}` }));
row('the same with an Idempotency-Key', keyed, written(keyed));
const plans = await load(SERVICES, MS, (turn, lane) =>
  send('/v1/plans', {
    document: {
      name: `p${lane}`,
      service: 'shop-0',
      steps: ['5%'],
      hold: `${turn + 1}m`,
      deadline: { after: '60d', otherwise: 'rollback' },
      checks: [],
    },
  }),
);
row('POST a new version of a plan', plans, written(plans));
bare.kill();
await bench.close();

/** One transaction after the other, on the same disk. */
function commits(synchronous: 'FULL' | 'NORMAL'): Timed {
  const db = new Database(join(bench.folder, `${synchronous}.db`));
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${synchronous}`);
  db.exec('create table rows (body text)');
  const insert = db.prepare('insert into rows values (?)');
  const body = 'x'.repeat(4_000);
  const took: number[] = [];
  const startMs = performance.now();
  while (performance.now() - startMs < MS) {
    const beganMs = performance.now();
    insert.run(body);
    took.push(performance.now() - beganMs);
  }
  db.close();
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { perSecond: (1000 * took.length) / MS, p50: at(0.5), p99: at(0.99) };
}
