/** `npm run chaos:haproxy-kill -- [--rounds 200] [--seed 1]`: see `kill.ts`. */
import { parseArgs } from 'node:util';
import { chaosKill } from './kill.ts';
import { line } from './statistics.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } } });
const report = await chaosKill({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  say: (text) => console.log(text),
});
const { seen } = report;
console.log(
  `${report.rounds} kills (${Object.values(report.atPoint).reduce((sum, count) => sum + count, 0)} at ${Object.keys(report.atPoint).length} named points), ${report.releases} releases, ${report.acknowledged} acknowledged, ${report.heard} notices heard`,
);
console.log(
  `users: ${seen.well} well, ${seen.error} errors of the application, ${seen.gateway + seen.nobody} answered by nobody`,
);
console.log(line('ready again', report.bootMs));
console.log(line('every node as wanted, after that', report.repairMs));
for (const broken of report.broken) console.log(`BROKEN ${broken}`);
if (report.broken.length === 0)
  console.log('nothing lost, nothing above what was approved, every log replays, every event heard');
process.exitCode = report.broken.length === 0 ? 0 : 1;
