/**
 * Cuts the power at seeded moments of a recorded run. Each image has a chance of its own, from the seed and its number; they
 * are made in the order of their moments, so that the run is gone through once.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chance } from '../sim/chance.ts';
import { checkImage } from './check.ts';
import { Disk } from './disk.ts';
import { DATABASE } from './trace.ts';
import type { Operation } from './trace.ts';
import type { Acknowledged } from './workload.ts';

export type Report = {
  readonly images: number;
  /** Calls that were acknowledged in the whole run. */
  readonly acknowledged: number;
  /** Images with at least one such finding. */
  readonly lost: number;
  readonly corrupt: number;
  readonly imagesPerSecond: number;
  /** The first findings, with the number of the image, its moment and what became of its files. */
  readonly details: readonly string[];
};

const DETAILS = 5;

export async function cutPower(
  operations: readonly Operation[],
  { images, seed }: { readonly images: number; readonly seed: number },
): Promise<Report> {
  const startedMs = performance.now();
  const cuts = Array.from({ length: images }, (_, number) => {
    const luck = chance(seed, `image ${number}`);
    return { number, luck, at: luck.int(0, operations.length) };
  }).sort((a, b) => a.at - b.at);
  const disk = new Disk();
  const acknowledged: Acknowledged[] = [];
  const details: string[] = [];
  const damaged = { lost: 0, corrupt: 0 };
  const folder = scratch();
  let taken = 0;
  try {
    for (const { number, luck, at } of cuts) {
      for (const operation of operations.slice(taken, at)) {
        disk.take(operation);
        if (operation.kind === 'acknowledged') acknowledged.push(operation.what);
      }
      taken = at;
      const image = join(folder, String(number));
      mkdirSync(image);
      const fates = disk.writeImage(image, luck);
      const findings = await checkImage(join(image, DATABASE), acknowledged);
      rmSync(image, { recursive: true });
      for (const kind of ['lost', 'corrupt'] as const) {
        if (findings[kind].length === 0) continue;
        damaged[kind]++;
        if (details.length < DETAILS)
          details.push(`image ${number}, cut at ${at} (${fates.join(', ')}): ${kind}: ${findings[kind].join('; ')}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    images,
    acknowledged: operations.filter(({ kind }) => kind === 'acknowledged').length,
    ...damaged,
    imagesPerSecond: (images * 1000) / (performance.now() - startedMs),
    details,
  };
}

/** Images are opened and thrown away, so they are best held in memory where the machine offers that. */
function scratch(): string {
  try {
    return mkdtempSync('/dev/shm/headgate-images-');
  } catch {
    return mkdtempSync(join(tmpdir(), 'headgate-images-'));
  }
}
