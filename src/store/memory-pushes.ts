/** What applications push, in memory. */
import type { Instant } from '../domain/ids.ts';
import type { Pushed, PushKey } from '../domain/push.ts';
import type { Store } from '../ports/store.ts';
import { accepted, SILENT_MS } from './pushes.ts';

export function memoryPushes(now: () => Instant): {
  readonly methods: Pick<Store, 'push' | 'pushed'>;
  retain(olderThan: Instant): number;
} {
  const rows = new Map<string, Pushed>();
  const keyOf = ({ service, version, instance }: PushKey): string => JSON.stringify([service, version, instance]);
  const drop = (isOld: (row: Pushed) => boolean): number => {
    const old = [...rows].filter(([, row]) => isOld(row));
    for (const [key] of old) rows.delete(key);
    return old.length;
  };
  return {
    methods: {
      async push(push) {
        drop((row) => row.service === push.service && row.receivedAt < now() - SILENT_MS);
        const others = [...rows.values()].filter(({ service }) => service === push.service).length;
        const outcome = accepted(rows.get(keyOf(push)) ?? null, others, push, now());
        if (outcome.ok && outcome.value.isCounted) rows.set(keyOf(push), outcome.value.pushed);
        return outcome;
      },
      pushed: async (service, versions) =>
        [...rows.values()].filter((row) => row.service === service && versions.includes(row.version)),
    },
    retain: (olderThan) => drop(({ receivedAt }) => receivedAt < olderThan),
  };
}
