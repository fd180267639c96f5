/** `npm run chaos:kill -- [--rounds 100] [--seed 1]`: kills the real process at random moments, and says what broke. */
import { parseArgs } from 'node:util';
import { killRounds } from './kill-rounds.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
});
const report = await killRounds({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  say: (line) => console.log(line),
});
const at = (list: readonly number[], q: number): string =>
  `${Math.round(list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] ?? 0)} ms`;
console.log(
  `${report.rounds} kills, ${report.releases} releases, ${report.acknowledged} acknowledged requests, ${report.requests} user requests (${report.refusedWhileDown} while the edge was down):`,
);
console.log(`  ready again        p50 ${at(report.bootMs, 0.5)}, p99 ${at(report.bootMs, 0.99)}`);
console.log(`  edge as intended   p50 ${at(report.repairMs, 0.5)}, p99 ${at(report.repairMs, 0.99)} after that`);
for (const line of report.broken) console.log(`  BROKEN ${line}`);
console.log(
  report.broken.length === 0
    ? '  nothing lost, nothing above what was approved, every log replays'
    : `  ${report.broken.length} broken`,
);
process.exit(report.broken.length === 0 ? 0 : 1);
