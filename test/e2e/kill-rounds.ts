/**
 * The real process, killed without warning at random moments while real requests run through its edge. What it had
 * acknowledged must be there afterwards; what is served must never be more than what was approved; the log must replay.
 *
 * `killRounds({ rounds, seed })` does the work for the tests (five rounds) and for `npm run chaos:kill` (a hundred).
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { openShop } from '../../src/demo/shop.ts';
import { sendShoppers } from '../../src/demo/shoppers.ts';
import { replay } from '../../src/domain/evolve.ts';
import { Instant, ReleaseId } from '../../src/domain/ids.ts';
import { canaryWeight } from '../../src/domain/target.ts';
import { prng } from '../../src/lib/prng.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { configText, freePort, get, post, put, ready, spawnServer } from './harness.ts';

export type KillReport = {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly releases: number;
  readonly requests: number;
  readonly refusedWhileDown: number;
  readonly repairMs: readonly number[];
  readonly bootMs: readonly number[];
  /** Empty when all is well: each line says what was broken, and where. */
  readonly broken: readonly string[];
};

const PLAN = `name: kill
service: shop
interval: 1s
hold: 3s
steps: [5%, 25%, 60%]
bake: { for: 3s, holdBack: 10% }
checks: [errors]
`;

const REPAIR_WITHIN_MS = 13_000;

export async function killRounds({
  rounds,
  seed,
  say = () => {},
}: {
  rounds: number;
  seed: number;
  say?: (line: string) => void;
}): Promise<KillReport> {
  const random = prng(seed);
  const folder = mkdtempSync(join(tmpdir(), 'headgate-kill-'));
  const [apiPort, edgePort] = [await freePort(), await freePort()];
  const api = `http://127.0.0.1:${apiPort}`;
  const blue = await openShop('v0', { errorShare: 0.002, medianMs: 4 }, random);
  const green = await openShop('v1', { errorShare: 0.002, medianMs: 4 }, random);
  const file = join(folder, 'headgate.db');
  const config = join(folder, 'headgate.yaml');
  writeFileSync(config, configText({ apiPort, edgePort, file, blue: blue.url, green: green.url }));
  const shoppers = sendShoppers(`http://127.0.0.1:${edgePort}/`, 150);
  const broken: string[] = [];
  const acknowledged: { id: string; stateVersion: number }[] = [];
  const repairMs: number[] = [];
  const bootMs: number[] = [];
  let serial = 1;
  let process_: ChildProcess | null = null;
  try {
    for (let round = 1; round <= rounds; round++) {
      const startedMs = performance.now();
      process_ = spawnServer(config);
      await ready(api, process_);
      bootMs.push(performance.now() - startedMs);
      if (round === 1) {
        await put(`${api}/v1/services/shop/stable`, { version: 'v0' });
        await post(`${api}/v1/plans`, { document: PLAN });
      }
      // Everything that was acknowledged before the kill is there, at least as far as it was.
      for (const { id, stateVersion } of acknowledged.slice(-20)) {
        const found = await get(`${api}/v1/releases/${id}`);
        if (found.status !== 200) broken.push(`round ${round}: release ${id} was acknowledged and is gone`);
        else if (found.body.stateVersion < stateVersion)
          broken.push(`round ${round}: release ${id} went back from version ${stateVersion} to ${found.body.stateVersion}`);
      }
      repairMs.push(await untilServedAsWanted(api, round, broken));
      const busy = await get(`${api}/v1/releases?limit=1`);
      const newest = busy.body.items?.[0];
      const ended = !newest || ['promoted', 'rolledBack', 'superseded'].includes(newest.phase.kind);
      if (ended) {
        const stable = (await get(`${api}/v1/services/shop`)).body;
        const version = `v${++serial}`;
        (stable.stableSlot === 'blue' ? green : blue).deploy(version, {
          errorShare: random() < 0.3 ? 0.3 : 0.002,
          medianMs: 4,
        });
        const made = await post(`${api}/v1/releases`, { plan: 'kill', version });
        if (made.status === 201) acknowledged.push({ id: made.body.id, stateVersion: made.body.stateVersion });
        else broken.push(`round ${round}: starting ${version} was refused: ${made.status} ${JSON.stringify(made.body)}`);
      }
      const until = performance.now() + random() * 4_000;
      while (performance.now() < until) {
        await sleep(Math.min(700, Math.max(1, until - performance.now())));
        const id = acknowledged.at(-1)?.id;
        const dice = random();
        if (!id || dice > 0.25) continue;
        const verb = dice < 0.05 ? 'rollback' : dice < 0.15 ? 'pause' : 'resume';
        const sent = await post(`${api}/v1/releases/${id}/commands/${verb}`, { reason: 'a kill round' });
        if (sent.status < 300) acknowledged.push({ id, stateVersion: sent.body.stateVersion });
      }
      process_.kill('SIGKILL');
      await new Promise<void>((resolve) => process_?.once('exit', () => resolve()));
      say(
        `round ${round}: ${acknowledged.length} acknowledged, repaired in ${Math.round(repairMs.at(-1) ?? 0)} ms, ${broken.length} broken`,
      );
    }
    const log = await readLog(file);
    broken.push(...log.broken);
    const seen = shoppers.seen();
    const requests = [...seen.values()].reduce((sum, { requests: n }) => sum + n, 0);
    const refusedWhileDown = seen.get('nobody')?.requests ?? 0;
    return {
      rounds,
      acknowledged: acknowledged.length,
      releases: log.releases,
      requests,
      refusedWhileDown,
      repairMs,
      bootMs,
      broken,
    };
  } finally {
    process_?.kill('SIGKILL');
    shoppers.stop();
    await blue.close();
    await green.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Milliseconds until every target serves what is wanted of it, and never more of the canary than was approved meanwhile. */
async function untilServedAsWanted(api: string, round: number, broken: string[]): Promise<number> {
  const startedMs = performance.now();
  let last = '';
  while (performance.now() - startedMs < REPAIR_WITHIN_MS) {
    const { body: service } = await get(`${api}/v1/services/shop`);
    const { body: targets } = await get(`${api}/v1/services/shop/targets`);
    const { body: releases } = await get(`${api}/v1/releases?limit=1`);
    const approved = releases.items?.[0]?.approvedBp ?? 0;
    const odd = targets.items.filter((target: any) => target.servedSecondSlotBp !== target.desiredSecondSlotBp);
    for (const target of targets.items) {
      if (target.servedSecondSlotBp === null) continue;
      const served = canaryWeight(target.slots, service.stableSlot, target.servedSecondSlotBp);
      const promoted = releases.items?.[0]?.phase.kind === 'promoted';
      if (served > approved && !promoted)
        broken.push(`round ${round}: ${target.id} serves ${served} bp of the canary, approved ${approved}`);
    }
    if (odd.length === 0) return performance.now() - startedMs;
    last = JSON.stringify(odd);
    await sleep(100);
  }
  broken.push(`round ${round}: not what is wanted after ${REPAIR_WITHIN_MS} ms: ${last}`);
  return REPAIR_WITHIN_MS;
}

async function readLog(file: string): Promise<{ releases: number; broken: string[] }> {
  const broken: string[] = [];
  const store = await openSqlite({ file, now: () => Instant(Date.now()) });
  let releases = 0;
  for (let cursor: string | null = null; ;) {
    const page = await store.releases({ service: null, phases: null, limit: 100, cursor });
    for (const { release } of page.rows) {
      releases++;
      const events = await store.releaseEvents(ReleaseId(release.id), { afterSeq: 0, limit: 10_000 });
      if (events.rows.some((event, index) => event.seq !== index + 1)) broken.push(`release ${release.id} has a gap in its log`);
      if (!isDeepStrictEqual(replay(events.rows), release))
        broken.push(`the log of release ${release.id} replays to another state`);
    }
    if (page.next === null) break;
    cursor = page.next;
  }
  await store.close();
  return { releases, broken };
}
