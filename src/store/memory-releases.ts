/** The list of releases of the store in memory: filtered, newest first, page by page. */
import type { Page, Store, StoredRelease } from '../ports/store.ts';
import { cursorOf, parseCursor } from '../lib/cursor.ts';
import { isWanted } from './wanted.ts';

type Query = Parameters<Store['releases']>[0];

export function listed(all: readonly StoredRelease[], query: Query): Page<StoredRelease> {
  const { limit } = query;
  const key = parseCursor(query.cursor);
  const rows = all
    .filter(({ release }) => isWanted(release, query))
    .toSorted((a, b) => b.release.createdAt - a.release.createdAt || (a.release.id < b.release.id ? 1 : -1))
    .filter(({ release }) => key === null || release.createdAt < key.ms || (release.createdAt === key.ms && release.id < key.id));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1)?.release;
  return { rows: shown, next: rows.length > limit && last ? cursorOf({ ms: last.createdAt, id: last.id }) : null };
}
