/** Whether a list of releases shows this one, as SQLite says it in SQL. */
import type { Release } from '../domain/release.ts';
import type { Store } from '../ports/store.ts';

type Query = Omit<Parameters<Store['releases']>[0], 'limit' | 'cursor'>;

export function isWanted({ id, service, version, phase, createdAt, createdBy }: Release, query: Query): boolean {
  const words = `${service} ${version} ${id} ${createdBy.name}`.toLowerCase();
  return (
    (query.service === null || query.service === service) &&
    (query.within?.includes(service) ?? true) &&
    (query.phases === null || query.phases.includes(phase.kind)) &&
    is(query.version, version) &&
    is(query.createdBy, createdBy.name) &&
    (query.since ?? 0) <= createdAt &&
    words.includes((query.search ?? '').toLowerCase())
  );
}

const is = (wanted: string | null | undefined, found: string): boolean => (wanted ?? found) === found;
