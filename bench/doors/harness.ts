/** What the benches of the API share: a real service with a release that stands still, requests side by side, and percentiles. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '../../src/domain/create.ts';
import { Instant, ReleaseId } from '../../src/domain/ids.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { openSlot, routersText, servicesText, slotsText } from '../../test/edge.ts';
import { freePort, get, post, put, ready, spawnServer } from '../../test/e2e/harness.ts';
import { aCreation, aPlan } from '../../test/story.ts';

export type Bench = {
  readonly api: string;
  readonly folder: string;
  readonly child: ChildProcess;
  readonly ids: readonly string[];
  close(): Promise<void>;
};

export const SERVICES = 8;

/** `past`: so many releases are in the store already, ended or waiting behind something that never was. */
export async function standing(past: number): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  const slot = await openSlot('here');
  const names = Array.from({ length: SERVICES }, (_, index) => `shop-${index}`);
  const port = await freePort();
  const file = join(folder, 'headgate.db');
  const config = join(folder, 'headgate.yaml');
  writeFileSync(
    config,
    `server: { listen: 127.0.0.1:${port} }
store: { sqlite: ${file} }
providers: { edge: { type: edge } }
${routersText(names, slotsText(slot.url))}${servicesText(names)}`,
  );
  await fill(file, past);
  const child = spawnServer(config);
  const api = `http://127.0.0.1:${port}`;
  await ready(api, child);
  const ids: string[] = [];
  for (const name of names) {
    await put(`${api}/v1/services/${name}/stable`, { version: '1' });
    const plan = {
      service: name,
      steps: ['5%'],
      hold: '24h',
      deadline: { after: '72h', otherwise: 'rollback' },
      interval: '60s',
      checks: [],
    };
    const { body } = await post(`${api}/v1/releases`, { plan, version: '2' });
    await get(`${api}/v1/releases/${body.id}/wait?until=step:1&timeout=30s`);
    ids.push(body.id);
  }
  return {
    api,
    folder,
    child,
    ids,
    async close() {
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await gone;
      slot.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function fill(file: string, count: number): Promise<void> {
  if (count === 0) return;
  const now = (): Instant => Instant(Date.now() - 86_400_000);
  const store = await openSqlite({ file, now });
  await store.configure([{ name: 'old', slots: ['blue', 'green'] }], []);
  for (let index = 0; index < count; index++) {
    const at = Instant(now() - index);
    const { next } = create(
      aCreation({ id: ReleaseId(`old-${index}`), version: `1.${index}`, plan: aPlan({ service: 'old' }) }),
      at,
    );
    const ended = { ...next, phase: { kind: 'promoted', at } as const };
    const audit = { actor: 'bench', action: 'fill', subject: next.id, reason: null, data: null };
    await store.create({ release: ended, events: [], audit, notify: [], dueAt: at, expectActive: null });
  }
  await store.close();
}

export type Timed = { readonly perSecond: number; readonly p50: number; readonly p99: number };

/** So many at a time, for so long. */
export async function load(width: number, ms: number, ask: (turn: number, lane: number) => Promise<unknown>): Promise<Timed> {
  const took: number[] = [];
  const startMs = performance.now();
  const lane = async (index: number): Promise<void> => {
    for (let turn = 0; performance.now() - startMs < ms; turn++) {
      const beganMs = performance.now();
      await ask(turn, index);
      took.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: width }, (_, index) => lane(index)));
  return { perSecond: (took.length / (performance.now() - startMs)) * 1000, ...percentiles(took) };
}

export function percentiles(values: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

export const row = (name: string, { perSecond, p50, p99 }: Timed, besides = ''): void =>
  void process.stdout.write(
    `${name.padEnd(44)} ${perSecond.toFixed(0).padStart(7)}/s   p50 ${p50.toFixed(1).padStart(6)} ms   p99 ${p99.toFixed(1).padStart(6)} ms   ${besides}\n`,
  );
