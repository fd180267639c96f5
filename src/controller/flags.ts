/**
 * The flags that are served by this process, as they stand. Evaluating one reads memory only. What is in memory follows the
 * log of events, looked at several times a second; a lowering is taken over in the moment in which it is on disk, before
 * any router was asked. While the store cannot be read, nobody is told anything: clients then go by their own default.
 */
import { assignmentOf, lesserCanary } from '../domain/flag.ts';
import type { Assignment, FlagStanding } from '../domain/flag.ts';
import type { Instant } from '../domain/ids.ts';
import { canaryWeight } from '../domain/target.ts';
import type { Service, Target } from '../domain/target.ts';
import { isActive } from '../domain/release.ts';
import type { Release } from '../domain/release.ts';
import { hash32 } from '../lib/prng.ts';
import type { FlagEntry, FlagSource, JsonValue } from '../ports/flag-source.ts';
import type { Commit, Committed } from '../ports/store.ts';
import type { Context } from './context.ts';

/** How often the log is looked at. */
const LOOK_MS = 100;
/** Without a good look for so long nothing is known any more. */
const BLIND_AFTER_MS = 1_000;
const BATCH = 500;

export type ServedFlag = FlagStanding & { readonly values: FlagEntry['values'] };

export type FlagAnswer = Assignment & { readonly flag: ServedFlag; readonly value: JsonValue };

export type Flags = {
  /** All of them by their keys, or null while the store cannot be read. */
  all(): readonly ServedFlag[] | null;
  get(key: string): ServedFlag | null;
  /** Is what is known recent enough to be told? */
  isBlind(): boolean;
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

/** What the store says of a flag; its share is in the router. */
type Known = {
  readonly source: FlagSource;
  readonly target: Target;
  readonly service: Service;
  readonly release: Release | null;
};

export function servedFlags(ctx: Pick<Context, 'store' | 'clock' | 'log'>, sources: readonly FlagSource[]): Flags {
  const byKey = new Map<string, Known>();
  const listeners = new Set<() => void>();
  const names = new Map(sources.map((source) => [source.name, source]));
  let goodMs = Number.NEGATIVE_INFINITY;
  let version: FlagVersion = { id: '', since: ctx.clock.now() };

  const all = (): readonly ServedFlag[] => [...byKey.values()].flatMap((known) => standing(known) ?? []);
  const note = (): void => {
    const id = fingerprint(all());
    if (id === version.id) return;
    version = { id, since: ctx.clock.now() };
    for (const listener of listeners) listener();
  };
  const load = async (service: string): Promise<void> => {
    const targets = await ctx.store.targets(service);
    const [found, active] = await Promise.all([ctx.store.service(service), ctx.store.active(service)]);
    for (const [key, known] of byKey) if (known.service.name === service) byKey.delete(key);
    if (!found) return;
    for (const target of targets) {
      const source = names.get(target.router);
      const entry = source?.entry(target.route);
      if (source && entry) byKey.set(entry.key, { source, target, service: found, release: active?.release ?? null });
    }
  };
  const services = async (): Promise<readonly string[]> => [
    ...new Set((await ctx.store.targets(null)).filter(({ router }) => names.has(router)).map(({ service }) => service)),
  ];
  let position: number | null = null;
  const look = async (): Promise<void> => {
    if (position === null) {
      const from = await ctx.store.lastPosition();
      for (const service of await services()) await load(service);
      position = from;
    }
    const events = await ctx.store.events({ afterPosition: position, limit: BATCH });
    const mine = new Set([...byKey.values()].map(({ service }) => service.name));
    for (const service of new Set(events.map(({ event }) => event.service))) if (mine.has(service)) await load(service);
    position = events.at(-1)?.position ?? position;
    goodMs = ctx.clock.monotonicMs();
    note();
  };

  return {
    all: () => (isBlind() ? null : all()),
    get(key) {
      const known = byKey.get(key);
      return known ? standing(known) : null;
    },
    isBlind,
    evaluate(flag, targetingKey) {
      const assigned = assignmentOf(flag, targetingKey);
      const value = Object.hasOwn(flag.values, assigned.slot) ? flag.values[assigned.slot] : undefined;
      return { ...assigned, flag, value: value === undefined ? assigned.variant : value };
    },
    version: () => version,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    committed(commit, { targets }) {
      for (const target of targets) adopt(commit, target);
      note();
    },
    stableSet: async (service) => {
      if (![...byKey.values()].some((known) => known.service.name === service)) return;
      await load(service);
      note();
    },
    look,
    async follow(signal) {
      while (!signal.aborted) {
        await look().catch((error: unknown) => {
          if (goodMs !== Number.NEGATIVE_INFINITY)
            ctx.log.warn({ error: String(error) }, 'flags are not answered: what they stand at cannot be read');
          goodMs = Number.NEGATIVE_INFINITY;
        });
        await ctx.clock.sleep(LOOK_MS, signal);
      }
    },
  };

  function isBlind(): boolean {
    return sources.length > 0 && BLIND_AFTER_MS < ctx.clock.monotonicMs() - goodMs;
  }

  /** What was committed counts at once, downwards; upwards it counts once the router was told. */
  function adopt({ next, service: promoted }: Commit, target: Target): void {
    const source = names.get(target.router);
    const entry = source?.entry(target.route);
    const known = entry ? byKey.get(entry.key) : undefined;
    if (!source || !entry || !known) return;
    const service = promoted ? { ...known.service, ...promoted } : known.service;
    const release = isActive(next) ? next : known.release?.id === next.id ? null : known.release;
    byKey.set(entry.key, { source, target, service, release });
    const canary = (share: Target['desiredSecond']) => canaryWeight(target.slots, service.stableSlot, share);
    if (canary(target.desiredSecond) < canary(entry.secondShare))
      source.put({ route: target.route, slots: target.slots, secondShare: target.desiredSecond, seq: target.seq });
  }
}

function standing({ source, target, service, release }: Known): ServedFlag | null {
  const entry = source.entry(target.route);
  if (!entry) return null;
  const { slots, route } = target;
  return {
    key: entry.key,
    service: service.name,
    route,
    slots,
    stableSlot: service.stableSlot,
    stableVersion: service.stableVersion,
    canary: lesserCanary(slots, service.stableSlot, entry.secondShare, target.desiredSecond),
    release: release && { id: release.id, version: release.version, step: release.step },
    values: entry.values,
  };
}

/** Two hashes of what every flag stands at: equal ones mean that nobody would get another answer. */
function fingerprint(flags: readonly ServedFlag[]): string {
  const text = JSON.stringify(flags.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
  return `${hash32(text).toString(36)}-${hash32(`${text}\u0000`).toString(36)}`;
}
