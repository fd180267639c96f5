/**
 * The same question as `time-to-safe.ts`, on HAProxy and Prometheus as users run them: how long until nobody is served by the
 * canary any more, from the rollback command, and from the first bad answer that a user got. Users are the witness.
 *
 * `npm run bench:time-to-safe-haproxy -- [--nodes 1] [--interval 5s] [--rounds 20] [--judged 10]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { line } from '../test/chaos/statistics.ts';
import { chaosWorld, GOOD } from '../test/chaos/world.ts';
import { post } from '../test/e2e/harness.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1' },
    interval: { type: 'string', default: '5s' },
    rounds: { type: 'string', default: '20' },
    judged: { type: 'string', default: '10' },
  },
});
const BAD = { errorShare: 0.05, ms: 3 };
const plan = `name: chaos
service: shop
interval: ${values.interval}
minMeasurements: 1
hold: 9m
deadline: { after: 10m }
steps: [20%]
checks: { errors: { kind: ratio, offered: errors, minRequests: 30 } }
`;
const world = await chaosWorld({ plan, nodes: Number(values.nodes) });
const byCommand: number[] = [];
const byJudge: number[] = [];
const harmed: number[] = [];
let serial = 0;
try {
  await world.startService();
  for (let round = 0; round < Number(values.rounds); round++) {
    const version = `command${++serial}`;
    const started = await world.release(version, GOOD);
    await world.untilPhase(started.body.id, ['watching']);
    await sleep(500);
    const askedMs = performance.now();
    await post(`${world.api}/v1/releases/${started.body.id}/commands/rollback`, { reason: 'bench' });
    await world.untilPhase(started.body.id, ['rolledBack']);
    byCommand.push(Math.max(0, world.users.lastServedBy(version) - askedMs));
  }
  for (let round = 0; round < Number(values.judged); round++) {
    const version = `judged${++serial}`;
    const started = await world.release(version, { ...GOOD, errorShare: 0 });
    await world.untilPhase(started.body.id, ['watching']);
    // Trouble that begins at any moment between two looks.
    await sleep(3_000 + round * 970);
    world.users.take();
    world.green.behave(BAD);
    await world.untilPhase(started.body.id, ['rolledBack'], 180_000);
    byJudge.push(world.users.lastServedBy(version) - world.users.firstBadOf(version));
    harmed.push(world.users.take().filter((one) => one.version === version && one.outcome === 'error').length);
  }
  console.log(`${values.nodes} nodes, 200 requests a second, canary at 20 %, checks every ${values.interval}`);
  if (byCommand.length > 0) console.log(line('rollback command to the last canary request', byCommand));
  if (byJudge.length > 0) console.log(line('first bad answer (5 % errors) to the last canary request', byJudge));
  if (harmed.length > 0) console.log(`bad answers that users saw: ${harmed.toSorted((a, b) => a - b).join(', ')}`);
} finally {
  await world.close();
}
