/**
 * The flags that are served by this process, as they stand. Evaluating one reads memory only. What is in memory follows the
 * log of events, looked at several times a second; a lowering is taken over in the moment in which it is on disk, before
 * any router was asked. While the store cannot be read, nobody is told anything: clients then go by their own default.
 */
import { assignmentOf } from '../domain/flag-standing.ts';
import type { Assignment } from '../domain/flag-standing.ts';
import type { Instant } from '../domain/ids.ts';
import { hash32 } from '../lib/prng.ts';
import type { FlagServer, JsonValue } from '../ports/flag-server.ts';
import type { Commit, Committed } from '../ports/store.ts';
import type { Context } from './context.ts';
import { flagTable } from './flag-table.ts';
import type { FlagTable, ServedFlag } from './flag-table.ts';

/** How often the log is looked at. */
const LOOK_MS = 100;
/** Without a good look for so long nothing is known any more. */
const BLIND_AFTER_MS = 1_000;
const BATCH = 500;

export type FlagAnswer = Assignment & { readonly flag: ServedFlag; readonly value: JsonValue };

export type Flags = {
  all(): readonly ServedFlag[];
  get(key: string): ServedFlag | null;
  /** Whether what is known may be told: it is recent, or was found to be still so just now. */
  isKnown(): Promise<boolean>;
  evaluate(flag: ServedFlag, targetingKey: string): FlagAnswer;
  /** Changes whenever any flag does. */
  version(): FlagVersion;
  /** Called at every change; the answer ends that. */
  onChange(listener: () => void): () => void;
  committed(commit: Commit, committed: Committed): void;
  stableSet(service: string): Promise<void>;
  /** Takes in what has happened since the last look. */
  look(): Promise<void>;
  /** Looks again and again, until it is stopped. */
  follow(signal: AbortSignal): Promise<void>;
};

export type FlagVersion = { readonly id: string; readonly since: Instant };

type Needs = Pick<Context, 'store' | 'clock' | 'log'>;

export function servedFlags({ store, clock, log }: Needs, servers: readonly FlagServer[]): Flags {
  const table = flagTable(store, servers);
  const news = newsOf(table, clock);
  const catchUp = follower(store, table);
  let goodMs = Number.NEGATIVE_INFINITY;
  const isRecent = (): boolean => servers.length === 0 || clock.monotonicMs() - goodMs <= BLIND_AFTER_MS;
  const look = async (): Promise<void> => {
    if (servers.length === 0) return;
    await catchUp();
    goodMs = clock.monotonicMs();
    news.note();
  };

  return {
    all: () => table.all(),
    get: (key) => table.get(key),
    async isKnown() {
      // A process that was stopped, or too busy to look, looks now.
      if (!isRecent() && goodMs !== Number.NEGATIVE_INFINITY) await look().catch(() => {});
      return isRecent();
    },
    evaluate(flag, targetingKey) {
      const assigned = assignmentOf(flag, targetingKey);
      const value = Object.hasOwn(flag.values, assigned.slot) ? flag.values[assigned.slot] : undefined;
      return { ...assigned, flag, value: value === undefined ? assigned.variant : value };
    },
    version: news.version,
    onChange: news.onChange,
    committed(commit, { targets }) {
      for (const target of targets) table.adopt(commit, target);
      news.note();
    },
    async stableSet(service) {
      if (!table.has(service)) return;
      await table.load(service);
      news.note();
    },
    look,
    async follow(signal) {
      while (!signal.aborted && servers.length > 0) {
        await look().catch((error: unknown) => {
          if (goodMs !== Number.NEGATIVE_INFINITY)
            log.warn({ error: String(error) }, 'flags are not answered: what they stand at cannot be read');
          goodMs = Number.NEGATIVE_INFINITY;
        });
        await clock.sleep(LOOK_MS, signal);
      }
    },
  };
}

/** Everything at first, then only the services that something happened to. */
function follower(store: Context['store'], table: FlagTable): () => Promise<void> {
  let position: number | null = null;
  return async () => {
    if (position === null) {
      const from = await store.lastPosition();
      await table.loadAll();
      position = from;
    }
    const events = await store.events({ afterPosition: position, limit: BATCH });
    for (const service of new Set(events.map(({ event }) => event.service))) if (table.has(service)) await table.load(service);
    position = events.at(-1)?.position ?? position;
  };
}

function newsOf(table: FlagTable, clock: Context['clock']) {
  const listeners = new Set<() => void>();
  let version: FlagVersion = { id: fingerprint(table.all()), since: clock.now() };
  return {
    version: () => version,
    onChange(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    /** Tells everybody, when anything is another than before. */
    note(): void {
      const id = fingerprint(table.all());
      if (id === version.id) return;
      version = { id, since: clock.now() };
      for (const listener of listeners) listener();
    },
  };
}

/** Two hashes of what every flag stands at: equal ones mean that nobody would get another answer. */
function fingerprint(flags: readonly ServedFlag[]): string {
  const text = JSON.stringify(flags.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
  return `${hash32(text).toString(36)}-${hash32(`${text}\u0000`).toString(36)}`;
}
