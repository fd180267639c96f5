/**
 * What must be true of releases on real HAProxy nodes and a real Prometheus, each scenario in a world of its own. The tests
 * run some of them, `npm run chaos:releases` all, with figures.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { get, post } from '../e2e/harness.ts';
import { until } from '../real/programs.ts';
import { overexposed, readLedger } from './ledger.ts';
import { counted } from './users.ts';
import type { Seen } from './users.ts';
import { chaosWorld, GOOD } from './world.ts';
import type { ChaosWish, ChaosWorld } from './world.ts';

export type Told = { readonly lines: readonly string[]; readonly broken: readonly string[] };

const plan = (more: string): string => `name: chaos
service: shop
interval: 1s
minMeasurements: 2
deadline: { after: 10m }
${more}
`;

const RAMP = plan('hold: 3s\nsteps: [5%, 25%, 60%]\nchecks: { errors: { kind: ratio, offered: errors, minRequests: 30 } }');
const STAY = plan('hold: 9m\nsteps: [20%]\nchecks: { errors: { kind: ratio, offered: errors, minRequests: 30 } }');

type Scenario = (world: ChaosWorld, tell: (line: string) => void, broken: (line: string) => void) => Promise<void>;

async function inWorld(wish: ChaosWish, scenario: Scenario): Promise<Told> {
  const [lines, broken]: [string[], string[]] = [[], []];
  const world = await chaosWorld(wish);
  try {
    await world.startService();
    await scenario(
      world,
      (line) => lines.push(line),
      (line) => broken.push(line),
    );
    await world.killService('SIGTERM');
    const ledger = await readLedger(world.database);
    broken.push(...ledger.broken, ...overexposed(ledger.events, world.observer.sightings));
  } finally {
    await world.close();
  }
  return { lines, broken };
}

/** Asked of the node itself: the observer may not have looked since. */
async function servedBy({ nodes }: ChaosWorld, node: number): Promise<number | null> {
  const real = nodes[node];
  const value = /value="(\d+)"/.exec((await real?.ask(`get map ${real.map} app`).catch(() => '')) ?? '')?.[1];
  return value === undefined ? null : Number(value) % 100_000;
}

/** Answers of nobody, and of the load balancer itself: what shifting may never cause. */
function expectNoneLost(seen: readonly Seen[], what: string, broken: (line: string) => void): void {
  const { gateway, nobody } = counted(seen);
  if (gateway + nobody > 0) broken(`${what}: ${gateway} answers of the load balancer and ${nobody} of nobody`);
}

/** A good version goes all the way, and bad ones are taken back, with nobody lost on the way. */
export const goodAndBad = (provider: 'prometheus' | 'haproxy', errorShares: readonly number[]): Promise<Told> =>
  inWorld({ plan: RAMP, provider }, async (world, tell, broken) => {
    const good = await world.release('v1', GOOD);
    const end = await world.untilPhase(good.body.id, ['promoted', 'rolledBack']);
    if (end.phase.kind !== 'promoted') broken(`the good version was taken back: ${end.sentence}`);
    for (const [index, errorShare] of errorShares.entries()) {
      const version = `bad${index}`;
      const bad = await world.release(version, { errorShare, ms: 3 });
      const ended = await world.untilPhase(bad.body.id, ['promoted', 'rolledBack'], 120_000);
      if (ended.phase.kind !== 'rolledBack') broken(`a version with ${errorShare * 100} % errors was promoted`);
      const harmMs = world.users.lastServedBy(version) - world.users.firstBadOf(version);
      tell(
        `${errorShare * 100} % errors: nobody served ${Math.max(0, Math.round(harmMs))} ms after the first bad answer; ${ended.sentence}`,
      );
    }
    const seen = world.users.take();
    expectNoneLost(seen, 'shifting', broken);
    tell(`${seen.length} requests, ${counted(seen).error} errors of the application`);
  });

/** A reload in the middle gives the boot state, which is the stable one, and the weight is put back. */
export const reloadInTheMiddle = (): Promise<Told> =>
  inWorld({ plan: STAY }, async (world, tell, broken) => {
    const started = await world.release('v1', GOOD);
    await world.untilPhase(started.body.id, ['watching']);
    world.users.take();
    const startedMs = performance.now();
    await world.nodes[1]?.reload();
    await until('the weight after the reload', async () => (await servedBy(world, 1)) === 2_000, 13_000).catch((error: unknown) =>
      broken(String(error)),
    );
    tell(`the reloaded node served 20 % again after ${Math.round(performance.now() - startedMs)} ms`);
    const shares = world.observer.sightings.filter(({ node }) => node === 1).map(({ secondShare }) => secondShare);
    if (!shares.every((share) => share === 0 || share === 2_000)) broken(`the reloaded node served ${shares.join(', ')}`);
    expectNoneLost(world.users.take(), 'the reload', broken);
    const events = (await get(`${world.api}/v1/releases/${started.body.id}`)).body;
    if (events.phase.kind !== 'watching') broken(`the release is ${events.phase.kind} after the reload`);
    await post(`${world.api}/v1/releases/${started.body.id}/commands/rollback`, {});
    await world.untilPhase(started.body.id, ['rolledBack']);
  });

/** Without metrics nothing goes up, and everything goes on when they are back. */
export const metricsAway = (forMs: number): Promise<Told> =>
  inWorld({ plan: RAMP }, async (world, tell, broken) => {
    const started = await world.release('v1', GOOD);
    await world.untilPhase(started.body.id, ['watching']);
    world.links.metrics.set({ kind: 'down' });
    // A step that was about to be left may be left by what was measured before.
    await sleep(3_000);
    const before = world.observer.now(0);
    await sleep(forMs);
    const held = (await get(`${world.api}/v1/releases/${started.body.id}`)).body;
    if (world.observer.now(0) !== before) broken(`the weight went from ${before} to ${world.observer.now(0)} without metrics`);
    if (held.hold === null) broken('the release is not held without metrics');
    tell(`held without metrics: ${held.hold?.detail ?? held.sentence}`);
    if ((await get(`${world.api}/healthz`)).status !== 200) broken('unhealthy because the metrics are away');
    world.links.metrics.set({ kind: 'none' });
    const end = await world.untilPhase(started.body.id, ['promoted', 'rolledBack']);
    if (end.phase.kind !== 'promoted') broken(`taken back after the metrics were back: ${end.sentence}`);
    expectNoneLost(world.users.take(), 'metrics away', broken);
  });

/** A node dies while a rollback runs: the other is at nothing at once, and this one serves nobody the canary when it returns. */
export const nodeDiesInRollback = (): Promise<Told> =>
  inWorld({ plan: STAY, nodes: 2 }, async (world, tell, broken) => {
    const started = await world.release('v1', GOOD);
    await world.untilPhase(started.body.id, ['watching']);
    await world.nodes[1]?.kill();
    const askedMs = performance.now();
    const sent = await post(`${world.api}/v1/releases/${started.body.id}/commands/rollback`, {});
    if (sent.status >= 300) broken(`the rollback was refused: ${JSON.stringify(sent.body)}`);
    await until('the other node at nothing', () => world.observer.now(0) === 0, 5_000).catch((error: unknown) =>
      broken(String(error)),
    );
    const tookMs = performance.now() - askedMs;
    if (tookMs > 2_000) broken(`the other node was at nothing after ${Math.round(tookMs)} ms only`);
    await sleep(1_500);
    const now = (await get(`${world.api}/v1/releases/${started.body.id}`)).body;
    const named = JSON.stringify(now).includes(world.nodes[1]?.socket ?? 'no node');
    if (!named) broken(`the dead node is not named: ${now.sentence} ${JSON.stringify(now.hold)}`);
    if (!world.green.isFenced()) broken('the canary was not told to fail its health checks');
    const backMs = performance.now();
    const sightings = world.observer.sightings.length;
    await world.nodes[1]?.startAgain();
    const end = await world.untilPhase(started.body.id, ['rolledBack'], 20_000).catch((error: unknown) => broken(String(error)));
    const verifiedMs = performance.now() - backMs;
    const after = world.observer.sightings.slice(sightings).filter(({ node }) => node === 1);
    if (after.some(({ secondShare }) => secondShare !== 0))
      broken(`the node came back with ${after.map((one) => one.secondShare).join(', ')}`);
    if (end && verifiedMs > 13_000) broken(`verified ${Math.round(verifiedMs)} ms after its return`);
    if (world.green.isFenced()) broken('the canary is still fenced after everything was lowered');
    tell(
      `the other node at 0 after ${Math.round(tookMs)} ms, the dead one named; ended ${Math.round(verifiedMs)} ms after its return`,
    );
  });

/** Nobody at the wheel: not one weight changes, and nobody is lost. */
export const controllerAway = (forMs: number): Promise<Told> =>
  inWorld({ plan: STAY }, async (world, tell, broken) => {
    const started = await world.release('v1', GOOD);
    await world.untilPhase(started.body.id, ['watching']);
    await world.killService();
    // The observer is as late as its period.
    await sleep(500);
    world.users.take();
    const before = world.observer.sightings.length;
    await sleep(forMs);
    if (world.observer.sightings.length > before) broken('a weight changed while the controller was away');
    const seen = world.users.take();
    expectNoneLost(seen, 'controller away', broken);
    tell(`${Math.round(forMs / 1000)} s without the controller: ${seen.length} requests, not one weight changed`);
    await world.startService();
    await post(`${world.api}/v1/releases/${started.body.id}/commands/rollback`, {});
    await world.untilPhase(started.body.id, ['rolledBack']);
  });

/** Reloads and kills of HAProxy nodes in turn while a release stands at 20 %. */
export const reloadsAndKills = (rounds: number, say: (line: string) => void): Promise<Told> =>
  inWorld({ plan: STAY }, async (world, tell, broken) => {
    let release = await world.release('v1', GOOD);
    await world.untilPhase(release.body.id, ['watching']);
    const repairMs: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const node = round % 2;
      const isKill = round % 4 < 2;
      world.users.take();
      const from = world.observer.sightings.length;
      const startedMs = performance.now();
      await (isKill ? world.nodes[node]?.restart() : world.nodes[node]?.reload());
      await until('20 % again', async () => (await servedBy(world, node)) === 2_000, 13_000).catch(() =>
        broken(`round ${round}: not repaired in 13 s`),
      );
      repairMs.push(performance.now() - startedMs);
      const shares = world.observer.sightings.slice(from).filter((one) => one.node === node);
      if (shares.some(({ secondShare }) => ![0, 2_000].includes(secondShare)))
        broken(`round ${round}: served ${shares.map((one) => one.secondShare).join(', ')}`);
      if (!isKill) expectNoneLost(world.users.take(), `round ${round}, a reload`, broken);
      say(`round ${round}: ${isKill ? 'kill' : 'reload'} of node ${node}, repaired after ${Math.round(repairMs.at(-1) ?? 0)} ms`);
      // Releases have a deadline; a long campaign goes on with another one.
      if (round % 60 !== 0 || round === rounds) continue;
      await post(`${world.api}/v1/releases/${release.body.id}/commands/rollback`, {});
      await world.untilPhase(release.body.id, ['rolledBack']);
      release = await world.release(`v${round}`, GOOD);
      await world.untilPhase(release.body.id, ['watching']);
    }
    const sorted = repairMs.toSorted((a, b) => a - b);
    tell(
      `${rounds} reloads and kills: repaired p50 ${Math.round(sorted[Math.floor(rounds / 2)] ?? 0)} ms, max ${Math.round(sorted.at(-1) ?? 0)} ms`,
    );
  });
