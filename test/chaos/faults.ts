/**
 * Eight faults on three links in three strengths, in the middle of a release each: the service stays well, the weight is
 * never above the approved one, a rollback is taken at once and lowers every node that can be reached within two seconds,
 * nobody is lost, and when the link heals all of it comes to rest.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { get, post } from '../e2e/harness.ts';
import { until } from '../real/programs.ts';
import type { Fault } from './fault-proxy.ts';
import { overexposed, readLedger } from './ledger.ts';
import { counted } from './users.ts';
import { chaosWorld, GOOD } from './world.ts';
import type { ChaosWorld } from './world.ts';

export type Link = 'haproxy' | 'metrics' | 'webhook';
export const LINKS: readonly Link[] = ['haproxy', 'metrics', 'webhook'];

/** From bad to worse. */
export const FAULTS: Readonly<Record<string, readonly [Fault, Fault, Fault]>> = {
  latency: [
    { kind: 'latency', ms: 50 },
    { kind: 'latency', ms: 600 },
    { kind: 'latency', ms: 3_000 },
  ],
  down: [{ kind: 'reset', ms: 200 }, { kind: 'reset', ms: 0 }, { kind: 'down' }],
  bandwidth: [
    { kind: 'bandwidth', bytesPerSecond: 50_000 },
    { kind: 'bandwidth', bytesPerSecond: 2_000 },
    { kind: 'bandwidth', bytesPerSecond: 100 },
  ],
  slow_close: [
    { kind: 'slow_close', ms: 100 },
    { kind: 'slow_close', ms: 1_000 },
    { kind: 'slow_close', ms: 10_000 },
  ],
  timeout: [
    { kind: 'timeout', ms: 300 },
    { kind: 'timeout', ms: 5_000 },
    { kind: 'timeout', ms: 0 },
  ],
  reset: [
    { kind: 'reset', ms: 500 },
    { kind: 'reset', ms: 20 },
    { kind: 'reset', ms: 1 },
  ],
  slicer: [
    { kind: 'slicer', bytes: 64, ms: 1 },
    { kind: 'slicer', bytes: 8, ms: 5 },
    { kind: 'slicer', bytes: 1, ms: 20 },
  ],
  limit: [
    { kind: 'limit', bytes: 1_500 },
    { kind: 'limit', bytes: 200 },
    { kind: 'limit', bytes: 10 },
  ],
};

const PLAN = `name: chaos
service: shop
interval: 1s
minMeasurements: 1
hold: 1s
deadline: { after: 10m }
steps: [5%, { weight: 25%, hold: 5m }]
checks: { errors: { kind: ratio, offered: errors, minRequests: 5 } }
`;

const FAULTY_MS = 3_000;
const SAFE_WITHIN_MS = 2_000;
const REST_WITHIN_MS = 13_000;

export type Cell = { readonly fault: string; readonly link: Link; readonly strength: 0 | 1 | 2 };
export type FaultReport = { readonly cells: number; readonly safeMs: readonly number[]; readonly broken: readonly string[] };

export async function chaosFaults(cells: readonly Cell[], say: (line: string) => void = () => {}): Promise<FaultReport> {
  const world = await chaosWorld({ plan: PLAN });
  const broken: string[] = [];
  const safeMs: number[] = [];
  try {
    await world.startService();
    for (const [index, cell] of cells.entries()) {
      const name = `${cell.fault} ${cell.strength + 1} on ${cell.link}`;
      const before = broken.length;
      safeMs.push(await oneCell(world, cell, `v${index + 1}`, (line) => broken.push(`${name}: ${line}`)));
      say(
        `${name}: safe after ${Math.round(safeMs.at(-1) ?? 0)} ms${broken
          .slice(before)
          .map((line) => `\n  BROKEN ${line}`)
          .join('')}`,
      );
    }
    await world.killService('SIGTERM');
    const ledger = await readLedger(world.database);
    broken.push(...ledger.broken, ...overexposed(ledger.events, world.observer.sightings));
  } finally {
    await world.close();
  }
  return { cells: cells.length, safeMs, broken };
}

/** Milliseconds from the rollback command until every node that can be reached serves nobody the canary. */
async function oneCell(
  world: ChaosWorld,
  { fault, link, strength }: Cell,
  version: string,
  broken: (line: string) => void,
): Promise<number> {
  const { api } = world;
  world.users.take();
  const started = await world.release(version, GOOD);
  if (started.status !== 201) {
    broken(`the release was refused: ${JSON.stringify(started.body).slice(0, 300)}`);
    return Number.NaN;
  }
  const { id } = started.body;
  await world.untilPhase(id, ['watching', 'shifting']);
  await until('some canary', () => world.observer.now(1) !== 0, 10_000).catch((error: unknown) => broken(String(error)));
  world.links[link].set(FAULTS[fault]?.[strength] ?? { kind: 'none' });
  const untilMs = performance.now() + FAULTY_MS;
  while (performance.now() < untilMs) {
    const askedMs = performance.now();
    const health = await get(`${api}/healthz`);
    if (health.status !== 200) broken(`unhealthy: ${JSON.stringify(health.body)}`);
    if (performance.now() - askedMs > 1_000) broken(`the service answered after ${Math.round(performance.now() - askedMs)} ms`);
    await sleep(400);
  }
  const askedMs = performance.now();
  const sent = await post(`${api}/v1/releases/${id}/commands/rollback`, { reason: 'a fault' });
  if (sent.status >= 300) broken(`the rollback was refused: ${JSON.stringify(sent.body).slice(0, 300)}`);
  const reached = link === 'haproxy' ? [1] : [0, 1];
  await until('nobody on the canary', () => reached.every((node) => world.observer.now(node) === 0), 10_000).catch(
    (error: unknown) => broken(String(error)),
  );
  const safeMs = performance.now() - askedMs;
  if (safeMs > SAFE_WITHIN_MS) broken(`safe after ${Math.round(safeMs)} ms only`);
  world.links[link].set({ kind: 'none' });
  await until('rest', () => world.nodes.every((_, node) => world.observer.now(node) === 0), REST_WITHIN_MS).catch(
    (error: unknown) => broken(String(error)),
  );
  const end = await world.untilPhase(id, ['rolledBack'], 30_000).catch((error: unknown) => broken(String(error)));
  if (end && end.unverified) broken('ended unverified');
  const { gateway, nobody } = counted(world.users.take());
  if (gateway + nobody > 0) broken(`${gateway} answers of the load balancer and ${nobody} of nobody`);
  if (link === 'webhook')
    await until('the notices', async () => (await waiting(world)) === 0, 40_000).catch((error: unknown) => broken(String(error)));
  return safeMs;
}

const waiting = async ({ api }: ChaosWorld): Promise<number> => {
  const { body } = await get(`${api}/v1/webhooks/deliveries?limit=50`);
  return (body.items ?? []).filter((row: { state: string }) => row.state === 'pending').length;
};

export const everyCell: readonly Cell[] = Object.keys(FAULTS).flatMap((fault) =>
  LINKS.flatMap((link) => ([0, 1, 2] as const).map((strength) => ({ fault, link, strength }))),
);
