/** Any store, with somebody who hears of what moves weights and roles as soon as it is on disk, before whoever wrote it. */
import type { Commit, Committed, Store } from '../ports/store.ts';

export type StoreWatcher = {
  committed(commit: Commit, committed: Committed): void;
  /** Another version or slot of this service is stable now. */
  stableSet(service: string): Promise<void>;
};

export const watchedStore = (store: Store, watcher: StoreWatcher): Store => ({
  ...store,
  async commit(commit) {
    const answer = await store.commit(commit);
    if (answer.ok) watcher.committed(commit, answer.value);
    return answer;
  },
  async setStable(...given) {
    const answer = await store.setStable(...given);
    if (answer) await watcher.stableSet(answer.name);
    return answer;
  },
});
