/**
 * `kill -9` on the service in the middle of real releases on HAProxy, at random moments and at named points of its code.
 * Afterwards: what it had acknowledged is there, every node serves what is wanted within 13 s, nobody saw more of the
 * canary than was approved, every log replays, and every event reached the receiver at least once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import { prng } from '../../src/lib/prng.ts';
import { get, post } from '../e2e/harness.ts';
import { POINTS } from './kill-points.ts';
import { overexposed, readLedger } from './ledger.ts';
import { counted } from './users.ts';
import type { Outcome } from './users.ts';
import { chaosWorld, GOOD } from './world.ts';
import type { ChaosWorld } from './world.ts';

export type ChaosKillReport = {
  readonly rounds: number;
  /** Rounds that died where they were told to, by the point's name. */
  readonly atPoint: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  readonly releases: number;
  readonly seen: Readonly<Record<Outcome, number>>;
  readonly repairMs: readonly number[];
  readonly bootMs: readonly number[];
  readonly heard: number;
  readonly broken: readonly string[];
};

const PLAN = `name: chaos
service: shop
interval: 1s
hold: 2s
minMeasurements: 1
steps: [5%, 25%, 60%]
bake: { for: 2s, holdBack: 10% }
deadline: { after: 5m }
checks: { errors: { kind: ratio, offered: errors, minRequests: 10 } }
`;

const REPAIR_WITHIN_MS = 13_000;
/** A point that is not reached by then is not on this round's way. */
const POINT_WITHIN_MS = 5_000;

type Campaign = { readonly rounds: number; readonly seed: number; readonly say?: (line: string) => void };

export async function chaosKill({ rounds, seed, say = () => {} }: Campaign): Promise<ChaosKillReport> {
  const random = prng(seed);
  const world = await chaosWorld({ plan: PLAN, seed });
  const broken: string[] = [];
  const acknowledged = new Map<string, number>();
  const atPoint: Record<string, number> = {};
  const [repairMs, bootMs]: [number[], number[]] = [[], []];
  const points = Object.keys(POINTS);
  let serial = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      // Every second round dies at a named point, each in its turn.
      const point = round % 2 === 0 ? points[(round / 2 - 1) % points.length] : undefined;
      const env = point === undefined ? {} : { HEADGATE_KILL_AT: point, HEADGATE_KILL_PASS: String(Math.floor(random() * 2)) };
      const preload = point === undefined ? [] : ['--import', new URL('kill-points.ts', import.meta.url).pathname];
      try {
        bootMs.push(await world.startService({ env, args: preload }));
        await lookAtAcknowledged(world, acknowledged, round, broken);
        repairMs.push(await untilAsWanted(world, round, broken));
        // A node that starts anew with its boot state is drift.
        if (point?.includes('drift')) setTimeout(() => void world.nodes[1]?.reload().catch(() => {}), 2_500);
        await stir(world, {
          random,
          acknowledged,
          next: () => `v${++serial}`,
          forMs: point ? POINT_WITHIN_MS : random() * 4_000,
        });
      } catch (error) {
        // At a named point it dies when it likes: under any of these calls.
        if (!(await isDead(world))) throw error;
      }
      if (point !== undefined && world.service().signalCode === 'SIGKILL') atPoint[point] = (atPoint[point] ?? 0) + 1;
      await world.killService();
      say(`round ${round}: ${point ?? 'at random'}; ${acknowledged.size} releases, ${broken.length} broken`);
    }
    await world.startService();
    repairMs.push(await untilAsWanted(world, rounds + 1, broken));
    await drained(world);
    await world.killService('SIGTERM');
    const ledger = await readLedger(world.database);
    broken.push(...ledger.broken, ...overexposed(ledger.events, world.observer.sightings));
    const heard = new Set(world.heard);
    const waiting = new Set(ledger.pending);
    for (const { id } of ledger.events) if (!heard.has(id) && !waiting.has(id)) broken.push(`${id} never reached the receiver`);
    const seen = counted(world.users.take());
    if (seen.gateway + seen.nobody > 0) broken.push(`${seen.gateway + seen.nobody} requests were answered by nobody`);
    const sum = { rounds, atPoint, acknowledged: acknowledged.size, releases: ledger.releases };
    return { ...sum, seen, repairMs, bootMs, heard: world.heard.length, broken };
  } finally {
    await world.close();
  }
}

/** A connection can be gone a moment before its process is. */
async function isDead(world: ChaosWorld): Promise<boolean> {
  for (let waits = 0; waits < 50 && world.service().signalCode === null; waits++) await sleep(20);
  return world.service().signalCode === 'SIGKILL';
}

async function lookAtAcknowledged(
  { api }: ChaosWorld,
  acknowledged: ReadonlyMap<string, number>,
  round: number,
  broken: string[],
): Promise<void> {
  for (const [id, stateVersion] of [...acknowledged].slice(-10)) {
    const found = await get(`${api}/v1/releases/${id}`);
    if (found.status !== 200) broken.push(`round ${round}: release ${id} was acknowledged and is gone`);
    else if (found.body.stateVersion < stateVersion)
      broken.push(`round ${round}: release ${id} went back from version ${stateVersion} to ${found.body.stateVersion}`);
  }
}

/** Milliseconds until every node serves what is wanted, by the observer's word. */
async function untilAsWanted({ api, nodes, observer }: ChaosWorld, round: number, broken: string[]): Promise<number> {
  const startedMs = performance.now();
  let last = '';
  while (performance.now() - startedMs < REPAIR_WITHIN_MS) {
    const { body } = await get(`${api}/v1/services/shop/targets`);
    const wanted = body.items?.[0]?.desiredSecondSlotBp;
    const served = nodes.map((_, node) => observer.now(node));
    if (served.every((share) => share === wanted)) return performance.now() - startedMs;
    last = `wanted ${wanted}, served ${served.join(' and ')}`;
    await sleep(50);
  }
  broken.push(`round ${round}: not as wanted after ${REPAIR_WITHIN_MS} ms: ${last}`);
  return REPAIR_WITHIN_MS;
}

type Stir = {
  readonly random: () => number;
  readonly acknowledged: Map<string, number>;
  next(): string;
  readonly forMs: number;
};

/** A release is on its way, and people send commands, until the time is over or the service is dead. */
async function stir(world: ChaosWorld, { random, acknowledged, next, forMs }: Stir): Promise<void> {
  const { api } = world;
  const untilMs = performance.now() + forMs;
  const dead = once(world.service(), 'exit');
  while (performance.now() < untilMs && world.service().signalCode === null) {
    const newest = (await get(`${api}/v1/releases?limit=1`)).body.items?.[0];
    if (!newest || ['promoted', 'rolledBack', 'superseded'].includes(newest.phase.kind)) {
      const made = await world.release(next(), random() < 0.3 ? { errorShare: 0.3, ms: 3 } : GOOD);
      if (made.status === 201) acknowledged.set(made.body.id, made.body.stateVersion);
    } else if (random() < 0.3) {
      const dice = random();
      const verb = dice < 0.15 ? 'rollback' : dice < 0.5 ? 'pause' : dice < 0.9 ? 'resume' : 'promote';
      const sent = await post(`${api}/v1/releases/${newest.id}/commands/${verb}`, { reason: 'a kill round' });
      if (sent.status < 300) acknowledged.set(newest.id, Math.max(acknowledged.get(newest.id) ?? 0, sent.body.stateVersion));
      if (verb === 'pause' && sent.status < 300)
        await post(`${api}/v1/releases/${newest.id}/commands/resume`, { reason: 'a kill round' });
    }
    await Promise.race([sleep(Math.min(400, Math.max(1, untilMs - performance.now()))), dead]);
  }
}

/** The outbox is empty, or nothing has changed in it for a while. */
async function drained({ api }: ChaosWorld): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const { body } = await get(`${api}/v1/webhooks/deliveries?limit=50`);
    if (!(body.items ?? []).some((row: { state: string }) => row.state === 'pending')) return;
    await sleep(250);
  }
}
