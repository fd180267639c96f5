/** `npm run chaos:releases -- [--away 10m] [--reloads 100]`: see `scenarios.ts`. */
import { parseArgs } from 'node:util';
import { controllerAway, goodAndBad, metricsAway, nodeDiesInRollback, reloadInTheMiddle, reloadsAndKills } from './scenarios.ts';
import type { Told } from './scenarios.ts';

const { values } = parseArgs({
  options: { away: { type: 'string', default: '600' }, reloads: { type: 'string', default: '100' }, only: { type: 'string' } },
});
const SCENARIOS: Readonly<Record<string, () => Promise<Told>>> = {
  'good and bad, by Prometheus': () => goodAndBad('prometheus', [0.05, 0.02]),
  "good and bad, by HAProxy's counters": () => goodAndBad('haproxy', [0.05, 0.02]),
  'a reload in the middle': reloadInTheMiddle,
  'metrics away': () => metricsAway(10_000),
  'a node dies in a rollback': nodeDiesInRollback,
  'reloads and kills': () => reloadsAndKills(Number(values.reloads), () => {}),
  'the controller away': () => controllerAway(Number(values.away) * 1000),
};
let isClean = true;
for (const [name, run] of Object.entries(SCENARIOS)) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const { lines, broken } = await run();
  console.log(`${broken.length === 0 ? 'ok    ' : 'BROKEN'} ${name}`);
  for (const text of [...lines, ...broken.map((each) => `BROKEN ${each}`)]) console.log(`       ${text}`);
  isClean &&= broken.length === 0;
}
process.exitCode = isClean ? 0 : 1;
