/**
 * How long until nobody is served by the canary any more: from the rollback command, and from the first bad request that
 * a user saw. A real service process, its own edge, two shops and an open-loop client that is the witness.
 *
 * `npm run bench:time-to-safe -- [--rounds 30] [--interval 1s] [--rate 200]`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openShop } from '../src/demo/shop.ts';
import type { Shop } from '../src/demo/shop.ts';
import { prng } from '../src/lib/prng.ts';
import { configText, freePort, get, post, put, ready, spawnServer } from '../test/e2e/harness.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    interval: { type: 'string', default: '1s' },
    rate: { type: 'string', default: '200' },
  },
});
const rounds = Number(values.rounds);

/** One witness: when was the last request sent that the canary answered, and the first bad one? */
const witness = { canary: '', lastCanarySentMs: 0, firstBadMs: 0, requests: 0, bad: 0 };
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

const folder = mkdtempSync(join(tmpdir(), 'headgate-safe-'));
const [apiPort, edgePort] = [await freePort(), await freePort()];
const random = prng(1);
const good = { errorShare: 0.002, medianMs: 4 };
const blue = await openShop('v0', good, random);
const green = await openShop('v1', good, random);
const config = join(folder, 'headgate.yaml');
writeFileSync(config, configText({ apiPort, edgePort, file: join(folder, 'headgate.db'), blue: blue.url, green: green.url }));
const api = `http://127.0.0.1:${apiPort}`;
const child = spawnServer(config);
await ready(api, child);
await put(`${api}/v1/services/shop/stable`, { version: 'v0' });
await post(`${api}/v1/plans`, {
  document: `name: safe\nservice: shop\ninterval: ${values.interval}\nhold: 10m\nsteps: [20%]\nchecks: { errors: { kind: ratio, offered: errors, minRequests: 20 } }\n`,
});

const bornMs = performance.now();
let sent = 0;
const timer = setInterval(() => {
  const owed = Math.floor(((performance.now() - bornMs) / 1000) * Number(values.rate)) - sent;
  for (let i = 0; i < owed; i++) visit();
  sent += owed;
}, 2);
function visit(): void {
  const sentMs = performance.now();
  const request = httpGet(`http://127.0.0.1:${edgePort}/`, { agent }, (response) => {
    response.resume();
    witness.requests++;
    if (response.headers['x-version'] !== witness.canary) return;
    witness.lastCanarySentMs = Math.max(witness.lastCanarySentMs, sentMs);
    if ((response.statusCode ?? 0) < 500) return;
    witness.bad++;
    if (witness.firstBadMs === 0) witness.firstBadMs = performance.now();
  });
  request.on('error', () => {});
}

let serial = 1;
async function canaryAtStep(): Promise<{ id: string; canary: Shop }> {
  const stableSlot = (await get(`${api}/v1/services/shop`)).body.stableSlot;
  const canary = stableSlot === 'blue' ? green : blue;
  witness.canary = `v${++serial}`;
  canary.deploy(witness.canary, good);
  const started = await post(`${api}/v1/releases`, { plan: 'safe', version: witness.canary });
  if (started.status !== 201) throw new Error(`the release was refused: ${JSON.stringify(started.body)}`);
  await until(started.body.id, ['watching']);
  return { id: started.body.id, canary };
}
async function until(id: string, phases: readonly string[]): Promise<void> {
  while (!phases.includes((await get(`${api}/v1/releases/${id}`)).body.phase.kind)) await sleep(20);
}

const byCommand: number[] = [];
const byJudge: number[] = [];
const badSeen: number[] = [];
for (let round = 0; round < rounds; round++) {
  const first = await canaryAtStep();
  await sleep(300);
  const commandMs = performance.now();
  await post(`${api}/v1/releases/${first.id}/commands/rollback`, { reason: 'bench' });
  await until(first.id, ['rolledBack']);
  byCommand.push(Math.max(0, witness.lastCanarySentMs - commandMs));

  const second = await canaryAtStep();
  await sleep(4_000);
  Object.assign(witness, { firstBadMs: 0, bad: 0 });
  second.canary.deploy(witness.canary, { errorShare: 0.3, medianMs: 4 });
  await until(second.id, ['rolledBack']);
  byJudge.push(witness.lastCanarySentMs - witness.firstBadMs);
  badSeen.push(witness.bad);
}
clearInterval(timer);
child.kill('SIGTERM');

const at = (list: readonly number[], q: number): number =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] ?? 0;
console.log(`${rounds} rounds, ${values.rate} requests a second, canary at 20 %, checks every ${values.interval}:`);
console.log(
  `  rollback command to the last canary request   p50 ${at(byCommand, 0.5).toFixed(1)} ms, p99 ${at(byCommand, 0.99).toFixed(1)} ms`,
);
console.log(
  `  first bad request (30 % errors) to the last    p50 ${(at(byJudge, 0.5) / 1000).toFixed(2)} s, p99 ${(at(byJudge, 0.99) / 1000).toFixed(2)} s`,
);
console.log(`  bad requests that users saw                    p50 ${at(badSeen, 0.5)}, p99 ${at(badSeen, 0.99)}`);
agent.destroy();
await blue.close();
await green.close();
rmSync(folder, { recursive: true, force: true });
