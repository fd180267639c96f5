/**
 * Opens the database file so that what is acknowledged is on disk: WAL with `synchronous=FULL`, set and read back, because
 * the driver's own default in WAL is NORMAL, which loses acknowledged commits on a power cut.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { assert } from '../../lib/assert.ts';
import { StoreUnavailable } from '../../ports/store.ts';
import { lockFile } from './lock.ts';
import * as tables from './tables.ts';

export const MIGRATIONS = fileURLToPath(new URL('../../../migrations/sqlite', import.meta.url));

export type OpenOptions = { readonly file: string; readonly busyTimeoutMs: number };

export type Opened = ReturnType<typeof openDatabase>;
export type Db = Opened['db'];

const FULL = 2;

export function openDatabase({ file, busyTimeoutMs }: OpenOptions) {
  const lock = file === ':memory:' ? null : lockFile(file);
  try {
    const raw = connect(file, busyTimeoutMs);
    const db = drizzle({ client: raw, schema: tables });
    applyMigrations(raw, db);
    return {
      raw,
      db,
      close() {
        raw.close();
        lock?.release();
      },
    };
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function connect(file: string, busyTimeoutMs: number): Database.Database {
  const raw = new Database(file);
  raw.pragma(`busy_timeout = ${busyTimeoutMs}`);
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  const synchronous = raw.pragma('synchronous', { simple: true });
  if (synchronous !== FULL)
    throw new StoreUnavailable(
      `${file}: SQLite answers synchronous=${String(synchronous)} where FULL was asked for, so commits could be lost`,
    );
  return raw;
}

/** Foreign keys are off meanwhile: a migration that rebuilds a table would delete the rows that point to it. */
function applyMigrations(raw: Database.Database, db: Parameters<typeof migrate>[0]): void {
  assert(existsSync(MIGRATIONS), `the migrations are beside the sources, at ${MIGRATIONS}`);
  raw.pragma('foreign_keys = OFF');
  migrate(db, { migrationsFolder: MIGRATIONS });
  const orphans = raw.pragma('foreign_key_check');
  assert(Array.isArray(orphans) && orphans.length === 0, 'no row points to one that is gone');
  raw.pragma('foreign_keys = ON');
}
