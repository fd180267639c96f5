/** Starts the real store on what a power cut left, and compares it with what had been acknowledged until then. */
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import { replay } from '../../src/domain/evolve.ts';
import { Instant, ReleaseId } from '../../src/domain/ids.ts';
import type { Store, StoredRelease } from '../../src/ports/store.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { FIRST_VERSION, NOTIFIERS } from './workload.ts';
import type { Acknowledged } from './workload.ts';

/** `lost`: less than was acknowledged. `corrupt`: what is there is damaged, or is no state that the store was ever in. */
export type Findings = { readonly lost: readonly string[]; readonly corrupt: readonly string[] };

const FAR = 1_000_000;
const now = (): Instant => Instant(Date.UTC(2027, 0, 1));
const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export async function checkImage(file: string, acknowledged: readonly Acknowledged[]): Promise<Findings> {
  const lost: string[] = [];
  const corrupt: string[] = [];
  let store: Store | null = null;
  try {
    store = await openSqlite({ file, now });
    corrupt.push(...(await lockFaults(file)), ...integrityFaults(file));
    const found = await read(store);
    for (const last of newest(acknowledged)) lost.push(...missing(found, last));
    for (const release of found.releases) corrupt.push(...(await releaseFaults(store, release, found)));
    corrupt.push(...storeFaults(found, acknowledged));
  } catch (error) {
    corrupt.push(`it cannot be read: ${said(error)}`);
  } finally {
    await store?.close();
  }
  return { lost, corrupt };
}

type Found = {
  readonly releases: readonly StoredRelease[];
  readonly notices: ReadonlyMap<string, number>;
  readonly intents: number;
  readonly stableVersion: string | null;
};

async function read(store: Store): Promise<Found> {
  const releases = await store.releases({ service: null, phases: null, limit: FAR, cursor: null });
  const notices = new Map<string, number>();
  for (const { subject } of (await store.deliveries({ limit: FAR, before: null })).rows)
    notices.set(subject, (notices.get(subject) ?? 0) + 1);
  const [target] = await store.targets(null);
  const service = await store.service('checkout');
  return { releases: releases.rows, notices, intents: target?.seq ?? 0, stableVersion: service?.stableVersion ?? null };
}

/** What was said last of each release. */
const newest = (acknowledged: readonly Acknowledged[]): Iterable<Acknowledged> =>
  new Map(acknowledged.map((each) => [each.release, each])).values();

function missing({ releases, notices, intents }: Found, told: Acknowledged): readonly string[] {
  const there = releases.find(({ release }) => release.id === told.release);
  if (!there) return [`release ${told.release} is gone`];
  const counts = [
    ['revision', told.revision, there.revision],
    ['events', told.events, there.release.seq],
    ['notices', told.notices, notices.get(told.release) ?? 0],
    ['intents', told.intents, intents],
  ] as const;
  return counts.flatMap(([what, asked, has]) => (has < asked ? [`${told.release} had ${what} ${asked} and has ${has}`] : []));
}

async function releaseFaults(store: Store, { release }: StoredRelease, { notices }: Found): Promise<readonly string[]> {
  const faults: string[] = [];
  const { rows } = await store.releaseEvents(ReleaseId(release.id), { afterSeq: 0, limit: FAR });
  if (!isDeepStrictEqual(replay(rows), release)) faults.push(`the log of ${release.id} replays to another state`);
  if (notices.get(release.id) !== rows.length * NOTIFIERS.length)
    faults.push(`${release.id} has ${rows.length} events and ${notices.get(release.id)} notices`);
  return faults;
}

/** A commit that nobody heard of may be there, whole; there is one writer, so it is one at most. */
function storeFaults({ releases, stableVersion }: Found, acknowledged: readonly Acknowledged[]): readonly string[] {
  const faults: string[] = [];
  const commits = releases.reduce((sum, { revision }) => sum + revision, 0);
  if (commits > acknowledged.length + 1) faults.push(`${acknowledged.length} commits were acknowledged and ${commits} are there`);
  const promoted = releases.find(({ release }) => release.phase.kind === 'promoted')?.release.version;
  if (stableVersion !== (promoted ?? FIRST_VERSION) && commits > 0)
    faults.push(`the stable version is ${stableVersion} and the last one promoted ${promoted}`);
  return faults;
}

async function lockFaults(file: string): Promise<readonly string[]> {
  try {
    await (await openSqlite({ file, now })).close();
    return ['a second process could open it'];
  } catch (error) {
    return /is in use by process/.test(said(error)) ? [] : [`the lock says ${said(error)}`];
  }
}

function integrityFaults(file: string): readonly string[] {
  const raw = new Database(file, { readonly: true });
  const answer: unknown = raw.pragma('integrity_check', { simple: true });
  raw.close();
  return answer === 'ok' ? [] : [`integrity_check says ${String(answer)}`];
}
