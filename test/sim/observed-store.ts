/** The store as the workers see it: the oracle hears of each commit in the moment that it is made, then things go wrong. */
import { err } from '../../src/lib/result.ts';
import { StoreUnavailable } from '../../src/ports/store.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Chance } from './chance.ts';
import type { Faults } from './faults.ts';
import type { Oracle } from './oracle.ts';
import type { VirtualClock } from './virtual-clock.ts';

export function observedStore(store: Store, oracle: Oracle, onClaimed: (worker: string, ids: readonly string[]) => void): Store {
  return {
    ...store,
    async create(made) {
      const created = await store.create(made);
      if (created.ok) oracle.created(made);
      return created;
    },
    async commit(commit) {
      const committed = await store.commit(commit);
      if (committed.ok) oracle.committed(commit, committed.value);
      else oracle.refused(commit);
      return committed;
    },
    async updateTarget(update) {
      const updated = await store.updateTarget(update);
      if (updated.ok) oracle.targetUpdated(update, updated.value);
      return updated;
    },
    async claimDue(claim) {
      const claimed = await store.claimDue(claim);
      onClaimed(
        claim.worker,
        claimed.map(({ release }) => release.id),
      );
      return claimed;
    },
  };
}

export type StoreWorld = {
  readonly clock: VirtualClock;
  readonly draw: Chance;
  readonly faults: Faults;
  /** How often a call takes some time on its way there, and on its way back. */
  readonly hops: number;
  readonly sometimes: (name: string) => void;
  onDisturbed(): void;
};

const BUSY: ReadonlySet<keyof Store> = new Set(['commit', 'create', 'updateTarget']);

/** A store across a network that is not always there. */
export function faultyStore(store: Store, world: StoreWorld): Store {
  const { clock, draw, faults, hops } = world;
  const hop = (): Promise<void> | undefined =>
    hops > 0 && draw.hits(hops) ? new Promise((resolve) => clock.after(draw.int(1, 25), resolve)) : undefined;
  const through = (method: keyof Store, original: (...args: unknown[]) => Promise<unknown>) =>
    async function call(...args: unknown[]): Promise<unknown> {
      await hop();
      if (faults.hits('store_unavailable', 0.1)) {
        world.onDisturbed();
        throw new StoreUnavailable('the database could not be used');
      }
      if (BUSY.has(method) && faults.hits('store_busy', 0.5)) {
        world.onDisturbed();
        world.sometimes('busy commit refused');
        return err({ kind: 'busy', detail: 'the database is locked' });
      }
      const answer = await original(...args);
      if (BUSY.has(method) && faults.hits('store_unknown', 0.2)) {
        world.onDisturbed();
        throw new StoreUnavailable('the connection was lost before the answer');
      }
      await hop();
      return answer;
    };
  // A port is a plain object of asynchronous functions; each keeps the type that it had before.
  const wrapped = {} as Record<string, unknown>;
  for (const [method, original] of Object.entries(store) as [keyof Store, (...args: unknown[]) => Promise<unknown>][])
    if (method !== 'now') wrapped[method] = through(method, original);
  return { ...store, ...(wrapped as Partial<Store>) };
}
