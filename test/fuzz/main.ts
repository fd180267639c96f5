/** `npm run fuzz:api`: the same for longer. `-- --minutes 10 --seed 7`. */
import { parseArgs } from 'node:util';
import { fuzz } from './run.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string', default: '1' } } });
const endMs = performance.now() + Number(values.minutes) * 60_000;
const total: Record<string, number> = {};
let requests = 0;
for (let seed = Number(values.seed); performance.now() < endMs; seed++) {
  const seen = await fuzz({ runs: 20_000, seed, endMs });
  requests += seen.requests;
  for (const [status, count] of Object.entries(seen.statuses)) total[status] = (total[status] ?? 0) + count;
  process.stdout.write(`seed ${seed}: ${seen.requests} requests ${JSON.stringify(seen.statuses)}\n`);
  if (seen.wrong === null) continue;
  process.stderr.write(`${seen.wrong}\n`);
  process.exit(1);
}
process.stdout.write(`${requests} requests, nothing wrong: ${JSON.stringify(total)}\n`);
