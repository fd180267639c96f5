/** `npm run chaos:faults -- [--fault latency] [--link haproxy]`: see `faults.ts`. */
import { parseArgs } from 'node:util';
import { chaosFaults, everyCell } from './faults.ts';
import { line } from './statistics.ts';

const { values } = parseArgs({ options: { fault: { type: 'string' }, link: { type: 'string' } } });
const cells = everyCell.filter(({ fault, link }) => (values.fault ?? fault) === fault && (values.link ?? link) === link);
const report = await chaosFaults(cells, (text) => console.log(text));
console.log(line(`${report.cells} cells: from the rollback to safe`, report.safeMs));
for (const broken of report.broken) console.log(`BROKEN ${broken}`);
if (report.broken.length === 0) console.log('nobody was lost, nothing was above what was approved, all came to rest');
process.exitCode = report.broken.length === 0 ? 0 : 1;
