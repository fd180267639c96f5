/** Runs worlds one after another, adds up what they saw, and prints it. */
import type { Instant } from '../../src/domain/ids.ts';
import type { Store } from '../../src/ports/store.ts';
import { memoryStore } from '../../src/store/memory.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { merge, missing, SOMETIMES } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import { runWorld } from './world.ts';
import type { WorldResult } from './world.ts';

export type OpenStore = (now: () => Instant) => Promise<Store>;

export const openers = {
  memory: async (now) => memoryStore({ now }),
  sqlite: (now) => openSqlite({ file: ':memory:', now }),
} as const satisfies Record<string, OpenStore>;

export type Run = {
  readonly from: number;
  readonly seeds: number;
  readonly openStore: OpenStore;
  readonly wantsCoverage: boolean;
  readonly keepsGoing: boolean;
};

/** True when every invariant held, and everything that shall happen sometimes did. */
export async function runMany({ from, seeds, openStore, wantsCoverage, keepsGoing }: Run): Promise<boolean> {
  const startedMs = performance.now();
  const coverage: Coverage = new Map();
  const sum = { worlds: 0, releases: 0, releaseHours: 0, worldHours: 0, faults: 0, events: 0, violations: 0 };
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runWorld({ seed, openStore });
    merge(coverage, result.coverage);
    sum.worlds++;
    for (const key of ['releases', 'releaseHours', 'worldHours', 'faults', 'events'] as const) sum[key] += result[key];
    if (!result.violation) continue;
    sum.violations++;
    tell(result, keepsGoing);
    if (!keepsGoing) break;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(
    `${sum.worlds} worlds, ${sum.releases} releases, ${sum.releaseHours.toFixed(0)} release-hours in ${sum.worldHours.toFixed(0)} world-hours, ${seconds.toFixed(1)} s`,
  );
  console.log(
    `${(sum.releaseHours / seconds).toFixed(1)} release-hours per second, ${(sum.events / seconds / 1000).toFixed(0)} k events per second, ${sum.faults} faults injected, ${sum.violations} violations`,
  );
  if (wantsCoverage) printCoverage(coverage);
  const never = missing(coverage);
  if (wantsCoverage && never.length > 0) console.log(`never happened: ${never.join(', ')}`);
  return sum.violations === 0 && (!wantsCoverage || never.length === 0);
}

function tell({ seed, violation, lastLines }: WorldResult, isShort: boolean): void {
  if (!violation) return;
  if (!isShort) console.log(lastLines.join('\n'));
  console.log(`seed ${seed} breaks ${violation.invariant} after ${Math.round(violation.atMs / 1000)} s: ${violation.detail}`);
  if (!isShort) console.log(`replay it with SEED=${seed} npm run sim`);
}

function printCoverage(coverage: Coverage): void {
  const names = [...new Set([...SOMETIMES, ...coverage.keys()])].sort();
  for (const name of names) console.log(`  ${name.padEnd(40)} ${coverage.get(name) ?? 0}`);
}
