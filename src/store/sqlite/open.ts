/**
 * Opens the database file so that what is acknowledged is on disk: WAL with `synchronous=FULL`, set and read back, because
 * the driver's own default in WAL is NORMAL, which loses acknowledged commits on a power cut.
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { assert } from '../../lib/assert.ts';
import { StoreUnavailable } from '../../ports/store.ts';
import { lockFile, unusable } from './lock.ts';
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
    refuseDamaged(raw, file);
    refuseNewer(raw, file);
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
    if (!(error instanceof Database.SqliteError)) throw error;
    if (error.code.startsWith('SQLITE_CORRUPT')) throw damaged(file, error.message);
    throw unusable(file, error);
  }
}

function connect(file: string, busyTimeoutMs: number): Database.Database {
  // For its owner alone: it holds who did what, and digests of tokens. SQLite gives its other files the mode of this one.
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
  const raw = new Database(file);
  refuseForeign(raw, file);
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

/** SQLite opens a damaged file without a word, and finds out when it comes to the place; by then something rests on it. */
function refuseDamaged(raw: Database.Database, file: string): void {
  const found = raw.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw damaged(file, String(found).replaceAll('\n', ' '));
}

const damaged = (file: string, found: string): StoreUnavailable =>
  new StoreUnavailable(`${file} is damaged (${found}): restore the last backup, and keep this file aside`);

/** Whoever mistypes the name of another program's database would find our tables in it. */
function refuseForeign(raw: Database.Database, file: string): void {
  const names = raw.prepare("select name from sqlite_master where type = 'table' order by name").pluck().all();
  if (names.length === 0 || names.includes('__drizzle_migrations')) return;
  throw new StoreUnavailable(
    `${file} is the database of another program (it has the table ${String(names[0])}): name another file under store.sqlite`,
  );
}

/** What a newer version has written, this one could read wrongly, and would write without what it does not know of. */
function refuseNewer(raw: Database.Database, file: string): void {
  if (raw.prepare("select 1 from sqlite_master where name = '__drizzle_migrations'").get() === undefined) return;
  const applied = Number(raw.prepare('select max(created_at) from __drizzle_migrations').pluck().get() ?? 0);
  const known = Math.max(...readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ folderMillis }) => folderMillis));
  if (known < applied)
    throw new StoreUnavailable(
      `${file} was written by a newer Headgate: start that one, or restore the backup from before the upgrade`,
    );
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
