/**
 * `npm run chaos:power-cut -- [--images 5000] [--seed 1]`: disks as a power cut may leave them, opened by the real store.
 * Fails unless the store loses nothing, and the control with synchronous=NORMAL loses something.
 */
import { parseArgs } from 'node:util';
import { cutPower } from './images.ts';
import type { Report } from './images.ts';
import { recordWorkload, walRestarts, whyNoTrace } from './trace.ts';
import type { Recording } from './trace.ts';

const { values } = parseArgs({
  options: { images: { type: 'string', default: '5000' }, seed: { type: 'string', default: '1' } },
});
const images = Number(values.images);
const seed = Number(values.seed);

async function cut(synchronous: Recording['synchronous']): Promise<Report> {
  const operations = await recordWorkload({ synchronous, seed });
  const report = await cutPower(operations, { images, seed });
  const { acknowledged, lost, corrupt, imagesPerSecond } = report;
  console.log(
    `synchronous=${synchronous.padEnd(6)} ${images} images of ${operations.length} operations (${acknowledged} acknowledged, ${walRestarts(operations)} WAL restarts): ${lost} lost something, ${corrupt} corrupt, ${imagesPerSecond.toFixed(0)} images per second`,
  );
  return report;
}

const why = await whyNoTrace();
if (why !== null) {
  console.log(`power cuts cannot be tried: ${why}`);
  process.exit(1);
}
const full = await cut('FULL');
for (const line of full.details) console.log(`  BROKEN ${line}`);
const normal = await cut('NORMAL');
console.log(
  normal.lost > 0 ? `  as it must, e.g. ${normal.details[0]}` : '  BROKEN the control lost nothing, so this would not see a loss',
);
process.exit(full.lost === 0 && full.corrupt === 0 && normal.lost > 0 ? 0 : 1);
