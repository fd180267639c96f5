/** The list of releases of the store in memory: filtered, newest first, page by page. */
import type { Release } from '../domain/release.ts';
import type { Page, Store, StoredRelease } from '../ports/store.ts';
import { cursorOf, parseCursor } from './cursor.ts';

type Query = Parameters<Store['releases']>[0];

export function listed(all: readonly StoredRelease[], query: Query): Page<StoredRelease> {
  const { limit } = query;
  const key = parseCursor(query.cursor);
  const rows = all
    .filter(({ release }) => isMeant(release, query))
    .toSorted((a, b) => b.release.createdAt - a.release.createdAt || (a.release.id < b.release.id ? 1 : -1))
    .filter(({ release }) => key === null || release.createdAt < key.ms || (release.createdAt === key.ms && release.id < key.id));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1)?.release;
  return { rows: shown, next: rows.length > limit && last ? cursorOf({ ms: last.createdAt, id: last.id }) : null };
}

const isMeant = (release: Release, { service, within = null, phases, text = null }: Query): boolean =>
  (service === null || release.service === service) &&
  (within === null || within.includes(release.service)) &&
  (phases === null || phases.includes(release.phase.kind)) &&
  (text === null || hasText(release, text));

const hasText = ({ service, version, id }: Release, text: string): boolean =>
  `${service}\n${version}\n${id}`.toLowerCase().includes(text.toLowerCase());
