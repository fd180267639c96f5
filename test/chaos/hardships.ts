/** What happens to a machine: its disk fills up, its clock is set, and the process is stopped for a while. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { get, post } from '../e2e/harness.ts';
import { freeze, scratch, until } from '../real/programs.ts';
import { overexposed, readLedger } from './ledger.ts';
import { counted } from './users.ts';
import { chaosWorld, GOOD } from './world.ts';
import type { ChaosWorld } from './world.ts';

const RAMP = `name: chaos
service: shop
interval: 1s
hold: 3s
minMeasurements: 1
deadline: { after: 10m }
steps: [5%, 25%, 60%]
checks: { errors: { kind: ratio, offered: errors, minRequests: 20 } }
`;
const STAY = RAMP.replace('hold: 3s', 'hold: 9m').replace('[5%, 25%, 60%]', '[20%]');

/** A small file system of its own; null where it may not be mounted. */
export function smallDisk(megabytes: number): { readonly dir: string; remove(): void } | null {
  const { dir, remove } = scratch('disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir], { stdio: 'pipe' });
  } catch {
    remove();
    return null;
  }
  return {
    dir,
    remove() {
      execFileSync('umount', [dir]);
      remove();
    },
  };
}

/** The disk is full in the middle of a release: nothing new starts, and what runs is still taken back. */
export async function fullDisk(dir: string): Promise<readonly string[]> {
  const broken: string[] = [];
  const world = await chaosWorld({ plan: STAY, storeDir: dir, reserveMb: 6 });
  try {
    await world.startService();
    const started = await world.release('v1', GOOD);
    await world.untilPhase(started.body.id, ['watching']);
    fill(join(dir, 'filler'));
    await until('the reserve to be given up', () => !existsSync(`${world.database}.reserve`), 40_000);
    fill(join(dir, 'filler2'), 2);
    const second = await post(`${world.api}/v1/releases`, { plan: 'chaos', version: 'v2', onBusy: 'queue' });
    if (second.status !== 503) broken.push(`a release was started on a full disk: ${second.status}`);
    if ((await get(`${world.api}/healthz`)).status !== 200) broken.push('unhealthy because the disk is full');
    broken.push(...(await takenBack(world, started.body.id)));
    rmSync(join(dir, 'filler'));
    rmSync(join(dir, 'filler2'), { force: true });
    const third = await world.release('v3', GOOD);
    if (third.status !== 201) broken.push(`not started when there was room again: ${JSON.stringify(third.body)}`);
    await world.killService('SIGTERM');
    const ledger = await readLedger(world.database);
    return [...broken, ...ledger.broken, ...overexposed(ledger.events, world.observer.sightings)];
  } finally {
    await world.close();
  }
}

async function takenBack(world: ChaosWorld, id: string): Promise<readonly string[]> {
  const askedMs = performance.now();
  const sent = await post(`${world.api}/v1/releases/${id}/commands/rollback`, { reason: 'a hardship' });
  if (sent.status >= 300) return [`the rollback was refused: ${JSON.stringify(sent.body)}`];
  await until('nobody on the canary', () => world.nodes.every((_, node) => world.observer.now(node) === 0), 30_000);
  const safeMs = performance.now() - askedMs;
  await world.untilPhase(id, ['rolledBack'], 30_000);
  return safeMs > 2_000 ? [`safe after ${Math.round(safeMs)} ms only`] : [];
}

/** Leaves nothing, or so many 4 kB blocks. */
function fill(file: string, blocks = Number.POSITIVE_INFINITY): void {
  try {
    for (let block = 0; block < blocks; block++) writeFileSync(file, Buffer.alloc(4_096, 1), { flag: 'a' });
  } catch {
    // Full, as it was meant.
  }
}

/** The process is stopped for longer than its calls may take, and goes on with what is true by then. */
export async function stopped(forMs: number): Promise<readonly string[]> {
  const broken: string[] = [];
  const world = await chaosWorld({ plan: RAMP });
  try {
    await world.startService();
    const started = await world.release('v1', GOOD);
    await world.untilPhase(started.body.id, ['watching']);
    await freeze(world.service());
    await sleep(500);
    const before = world.observer.sightings.length;
    await sleep(forMs);
    if (world.observer.sightings.length > before) broken.push('a weight changed while the process was stopped');
    world.service().kill('SIGCONT');
    const end = await world.untilPhase(started.body.id, ['promoted', 'rolledBack']);
    if (end.phase.kind !== 'promoted') broken.push(`taken back after it was stopped: ${end.sentence}`);
    const { gateway, nobody } = counted(world.users.take());
    if (gateway + nobody > 0) broken.push(`${gateway + nobody} requests were lost`);
    await world.killService('SIGTERM');
    const ledger = await readLedger(world.database);
    return [...broken, ...ledger.broken, ...overexposed(ledger.events, world.observer.sightings)];
  } finally {
    await world.close();
  }
}

const FAKETIME = '/usr/lib';
/** The preloaded library of Debian's package, wherever this machine's architecture has it. */
export const faketimeLibrary = (): string | null =>
  readdirSync(FAKETIME)
    .map((folder) => join(FAKETIME, folder, 'faketime', 'libfaketime.so.1'))
    .find((file) => existsSync(file)) ?? null;

/** The machine's clock is set while a release runs: no hold ends sooner for it, and none later. */
export async function clockSteps(library: string, steps: readonly string[]): Promise<readonly string[]> {
  const broken: string[] = [];
  const { dir, remove } = scratch('clock');
  const file = join(dir, 'faketimerc');
  writeFileSync(file, '+0\n');
  const world = await chaosWorld({ plan: RAMP });
  try {
    await world.startService({
      env: { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' },
    });
    for (const [index, step] of steps.entries()) {
      writeFileSync(file, '+0\n');
      const started = await world.release(`v${index + 1}`, GOOD);
      await world.untilPhase(started.body.id, ['watching']);
      const beganMs = performance.now();
      await sleep(1_000);
      writeFileSync(file, `${step}\n`);
      if ((await get(`${world.api}/healthz`)).status !== 200) broken.push(`${step}: unhealthy`);
      const end = await world.untilPhase(started.body.id, ['settling', 'promoted', 'rolledBack'], 60_000);
      const tookMs = performance.now() - beganMs;
      if (end.rollback) broken.push(`${step}: taken back: ${end.sentence}`);
      // Three steps of three seconds, the first of which had begun.
      if (tookMs < 8_500) broken.push(`${step}: went through in ${Math.round(tookMs)} ms`);
      if (tookMs > 30_000) broken.push(`${step}: took ${Math.round(tookMs)} ms`);
      await world.untilPhase(started.body.id, ['promoted'], 30_000);
    }
  } finally {
    await world.close();
    remove();
  }
  return broken;
}
