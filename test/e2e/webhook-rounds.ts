/**
 * The real process, killed without warning while it tells seven receivers, of which six are in trouble: slow, down, full of
 * errors, overloaded, losing connections after reading, gone. In the end each of them has heard every event of every
 * release, in order, or what it has not was parked where everybody sees it, and is heard when it is replayed.
 *
 * `webhookRounds` does the work for the tests (a few rounds) and for `npm run chaos:webhooks` (many).
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openShop } from '../../src/demo/shop.ts';
import { Instant } from '../../src/domain/ids.ts';
import { prng } from '../../src/lib/prng.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { configText, freePort, get, post, put, ready, spawnServer } from './harness.ts';
import { openReceiver } from './receiver.ts';
import type { Behaviour, Receiver } from './receiver.ts';

export type WebhookReport = {
  readonly kills: number;
  readonly releases: number;
  readonly events: number;
  /** Requests that receivers read, and how many of them told what they had heard before. */
  readonly heard: number;
  readonly again: number;
  /** At the kills, added up: committed and not delivered, and being answered just then. */
  readonly waitingAtKills: number;
  readonly heldAtKills: number;
  readonly parked: number;
  /** Empty when all is well: each line says what was broken. */
  readonly broken: readonly string[];
};

const PLAN = { name: 'told', service: 'shop', hold: '1h', steps: ['5%', '50%'] };
const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const DRAIN_MS = 90_000;

export const RECEIVERS = ['well', 'slow', 'down', 'failing', 'busy', 'losing', 'gone'] as const;
type Name = (typeof RECEIVERS)[number];
type World = {
  readonly api: string;
  readonly config: string;
  readonly file: string;
  readonly receivers: Readonly<Record<Name, Receiver>>;
  /** Every process that was begun: none outlives the world. */
  readonly children: ChildProcess[];
  close(): Promise<void>;
};

/** A service with an edge, and with receivers by these names. */
export async function toldWorld(names: readonly Name[] = RECEIVERS): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-told-'));
  const [apiPort, edgePort] = [await freePort(), await freePort()];
  const shop = await openShop('v0', { errorShare: 0, medianMs: 1 }, prng(1));
  const opened = await Promise.all(names.map(async (name) => [name, await openReceiver(SECRET)] as const));
  const file = join(folder, 'headgate.db');
  const config = join(folder, 'headgate.yaml');
  const settings = ', applyTimeout: 300ms, readTimeout: 300ms';
  const base = configText({ apiPort, edgePort, file, blue: shop.url, green: shop.url, settings }).replace(
    'settleMin: 2s',
    'settleMin: 1s',
  );
  const notify = opened.map(([name, { url }]) => `  ${name}: { type: webhook, url: "${url}", secret: ${SECRET} }\n`).join('');
  writeFileSync(config, `${base}    notify: [${names.join(', ')}]\nnotify:\n${notify}`);
  const children: ChildProcess[] = [];
  return {
    api: `http://127.0.0.1:${apiPort}`,
    children,
    config,
    file,
    receivers: Object.fromEntries(opened) as Record<Name, Receiver>,
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(opened.map(([, receiver]) => receiver.close()));
      await shop.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function begun({ api, config, children }: Pick<World, 'api' | 'config' | 'children'>): Promise<ChildProcess> {
  const child = spawnServer(config);
  children.push(child);
  await ready(api, child);
  return child;
}

export async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGKILL');
  await gone;
}

export async function webhookRounds({
  rounds,
  seed,
  say = () => {},
}: {
  readonly rounds: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}): Promise<WebhookReport> {
  const random = prng(seed);
  const world = await toldWorld();
  const { api, receivers } = world;
  const counts = { kills: 0, waitingAtKills: 0, heldAtKills: 0 };
  try {
    misbehave(receivers, random);
    for (let round = 1; round <= rounds; round++) {
      const child = await begun(world);
      if (round === 1) await put(`${api}/v1/services/shop/stable`, { version: 'v0' });
      else counts.waitingAtKills += (await listOf(api, 'state=pending')).length;
      if (random() < 0.5) await receivers.down.down();
      else await receivers.down.up();
      for (const name of RECEIVERS) if (name !== 'gone' || round % 2 === 0) await toldAgain(api, name);
      await busyFor(api, round, 1_000 + random() * 2_000, random);
      counts.heldAtKills += Object.values(receivers).reduce((sum, { held }) => sum + held(), 0);
      await killed(child);
      counts.kills += 1;
      say(
        `round ${round}: ${Object.entries(receivers)
          .map(([name, { heard }]) => `${name} ${heard.length}`)
          .join(', ')}`,
      );
    }
    for (const receiver of Object.values(receivers)) receiver.behave(() => ({ status: 204 }));
    await receivers.down.up();
    const child = await begun(world);
    const broken = await drained(api);
    const replaced = await listOf(api, 'state=replaced');
    await killed(child);
    const missed = new Set(replaced.map(({ notifier, eventId }) => `${notifier} ${eventId}`));
    const { ids, ...found } = await eventsIn(world.file);
    return {
      ...counts,
      ...found,
      ...heardBy(receivers),
      parked: replaced.length,
      broken: [...broken, ...compared(receivers, ids, missed)],
    };
  } finally {
    await world.close();
  }
}

function misbehave(receivers: World['receivers'], random: () => number): void {
  const well: Behaviour = { status: 204 };
  receivers.slow.behave(() => ({ status: 204, afterMs: random() * 2_500 }));
  receivers.failing.behave(() => (random() < 0.4 ? { status: 500 } : well));
  receivers.busy.behave(() => (random() < 0.5 ? { status: 429, headers: { 'retry-after': '1' } } : well));
  receivers.losing.behave(() => (random() < 0.4 ? { status: 'lost' } : well));
  receivers.gone.behave(() => (random() < 0.15 ? { status: 410 } : well));
}

/** As a person would: enabled, where it says it is gone, and told what it missed. */
async function toldAgain(api: string, name: string): Promise<void> {
  await post(`${api}/v1/webhooks/endpoints/${name}/enable`, { reason: 'a round' });
  await post(`${api}/v1/webhooks/endpoints/${name}/replay`, {});
}

/** Releases come and go, and people press buttons: each makes events. */
async function busyFor(api: string, round: number, ms: number, random: () => number): Promise<void> {
  const endMs = performance.now() + ms;
  for (let n = 1; performance.now() < endMs; n++) {
    const newest = (await get(`${api}/v1/releases?limit=1`)).body.items?.[0];
    if (!newest || newest.phase.kind === 'rolledBack')
      await post(`${api}/v1/releases`, { plan: PLAN, version: `v${round}.${n}` });
    else {
      const dice = random();
      const verb = dice < 0.08 ? 'rollback' : newest.phase.kind === 'paused' ? 'resume' : 'pause';
      await post(`${api}/v1/releases/${newest.id}/commands/${verb}`, { reason: 'a round' });
    }
    await sleep(20 + random() * 60);
  }
}

type Row = { readonly notifier: string; readonly eventId: string };

async function listOf(api: string, query: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { items: Row[]; nextCursor: string | null } = (
      await get(`${api}/v1/webhooks/deliveries?limit=200&${query}${cursor === '' ? '' : `&cursor=${cursor}`}`)
    ).body;
    rows.push(...page.items);
    cursor = page.nextCursor;
  }
  return rows;
}

/** Everything is well again: what waits and what was parked is heard within so long. */
async function drained(api: string): Promise<readonly string[]> {
  const newest = (await get(`${api}/v1/releases?limit=1`)).body.items?.[0];
  if (newest && newest.phase.kind !== 'rolledBack')
    await post(`${api}/v1/releases/${newest.id}/commands/rollback`, { reason: 'the end' });
  let left: readonly any[] = [];
  for (const endMs = performance.now() + DRAIN_MS; performance.now() < endMs; await sleep(1_000)) {
    left = (await get(`${api}/v1/webhooks/endpoints`)).body.items.filter(
      ({ pending, parked, state }: any) => pending + parked > 0 || state !== 'enabled',
    );
    const { phase } = (await get(`${api}/v1/releases?limit=1`)).body.items[0];
    if (left.length === 0 && phase.kind === 'rolledBack') return [];
    for (const { name } of left) await toldAgain(api, name);
  }
  return [`not everything was delivered ${DRAIN_MS} ms after the end of all trouble: ${JSON.stringify(left)}`];
}

async function eventsIn(
  file: string,
): Promise<{ readonly releases: number; readonly events: number; readonly ids: readonly string[] }> {
  const store = await openSqlite({ file, now: () => Instant(Date.now()) });
  const events = await store.events({ afterPosition: 0, limit: 1_000_000 });
  await store.close();
  const created = events.filter(({ event }) => event.type === 'release.created');
  return { releases: created.length, events: events.length, ids: events.map(({ event }) => event.id) };
}

function heardBy(receivers: World['receivers']): { readonly heard: number; readonly again: number } {
  const heard = Object.values(receivers).flatMap((receiver) => receiver.heard);
  const first = Object.values(receivers).reduce((sum, receiver) => sum + new Set(receiver.heard.map(({ id }) => id)).size, 0);
  return { heard: heard.length, again: heard.length - first };
}

/** What each receiver heard against what was committed. */
function compared(receivers: World['receivers'], ids: readonly string[], missed: ReadonlySet<string>): readonly string[] {
  return Object.entries(receivers).flatMap(([name, { heard, wrong }]) => {
    const broken = wrong.map((what) => `${name}: ${what}`);
    const bodies = new Map<string, string>();
    const newest = new Map<string, number>();
    for (const { id, body, subject, seq, answered } of heard) {
      const before = bodies.get(id);
      if (before !== undefined && before !== body) broken.push(`${name}: ${id} told another story the second time`);
      bodies.set(id, body);
      // One that was refused is told again, and nothing may come in between.
      const isTaken = answered === 204 || answered === 'lost';
      if (!isTaken || before !== undefined) continue;
      if (seq < (newest.get(subject) ?? 0) && !missed.has(`${name} ${id}`)) broken.push(`${name}: ${id} came after a later one`);
      newest.set(subject, Math.max(seq, newest.get(subject) ?? 0));
    }
    const taken = new Set(heard.filter(({ answered }) => answered === 204).map(({ id }) => id));
    return [...broken, ...ids.filter((id) => !taken.has(id)).map((id) => `${name}: never took ${id}`)];
  });
}
