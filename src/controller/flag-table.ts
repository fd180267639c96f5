/** What is known of the flags that this process serves: their place in the store, their share in the router, and both together. */
import { lesserCanary } from '../domain/flag-standing.ts';
import type { FlagStanding } from '../domain/flag-standing.ts';
import { canaryWeight } from '../domain/target.ts';
import type { Service, Target } from '../domain/target.ts';
import { isActive } from '../domain/release.ts';
import type { Release } from '../domain/release.ts';
import type { FlagEntry, FlagServer } from '../ports/flag-server.ts';
import type { Commit, Store } from '../ports/store.ts';

export type ServedFlag = FlagStanding & { readonly values: FlagEntry['values'] };

/** What the store says of a flag; its share is in the router. */
type Known = {
  readonly server: FlagServer;
  readonly target: Target;
  readonly service: Service;
  readonly release: Release | null;
};

export type FlagTable = {
  all(): readonly ServedFlag[];
  get(key: string): ServedFlag | null;
  has(service: string): boolean;
  /** Reads what the store knows of one service, or of all that have a flag. */
  load(service: string): Promise<void>;
  loadAll(): Promise<void>;
  /** What was committed counts at once, downwards; upwards it counts once the router was told. */
  adopt(commit: Commit, target: Target): void;
};

export function flagTable(store: Pick<Store, 'targets' | 'service' | 'active'>, servers: readonly FlagServer[]): FlagTable {
  const byKey = new Map<string, Known>();
  const named = new Map(servers.map((server) => [server.name, server]));
  const load = async (service: string): Promise<void> => {
    const targets = await store.targets(service);
    const [found, active] = await Promise.all([store.service(service), store.active(service)]);
    for (const [key, known] of byKey) if (known.service.name === service) byKey.delete(key);
    if (!found) return;
    for (const target of targets) {
      const server = named.get(target.router);
      const entry = server?.entry(target.route);
      if (server && entry) byKey.set(entry.key, { server, target, service: found, release: active?.release ?? null });
    }
  };

  return {
    all: () => [...byKey.values()].flatMap((known) => standing(known) ?? []),
    get(key) {
      const known = byKey.get(key);
      return known ? standing(known) : null;
    },
    has: (name) => [...byKey.values()].some(({ service }) => service.name === name),
    load,
    async loadAll() {
      const targets = await store.targets(null);
      for (const service of new Set(targets.filter(({ router }) => named.has(router)).map((target) => target.service)))
        await load(service);
    },
    adopt({ next, service: promoted }, target) {
      const server = named.get(target.router);
      const entry = server?.entry(target.route);
      const known = entry ? byKey.get(entry.key) : undefined;
      if (!server || !entry || !known) return;
      const service = promoted ? { ...known.service, ...promoted } : known.service;
      const release = isActive(next) ? next : known.release?.id === next.id ? null : known.release;
      byKey.set(entry.key, { server, target, service, release });
      const canary = (share: Target['desiredSecond']) => canaryWeight(target.slots, service.stableSlot, share);
      if (canary(target.desiredSecond) < canary(entry.secondShare))
        server.put({ route: target.route, slots: target.slots, secondShare: target.desiredSecond, seq: target.seq });
    },
  };
}

function standing({ server, target, service, release }: Known): ServedFlag | null {
  const entry = server.entry(target.route);
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
