/**
 * One process writes a database file. The lock is a transaction held on a file beside it: the operating system ends it with
 * the process, however that dies, so there is no stale lock to clean up by hand.
 */
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { StoreUnavailable } from '../../ports/store.ts';

export type FileLock = { release(): void };

export function lockFile(file: string): FileLock {
  const raw = opened(`${file}.lock`);
  try {
    raw.pragma('busy_timeout = 0');
    raw.exec('create table if not exists owner (pid integer, host text)');
    // Who holds it is written and committed first, so that the next one can be told; the lock itself is the open transaction.
    raw.exec('begin immediate');
    raw.exec('delete from owner');
    raw.prepare('insert into owner values (?, ?)').run(process.pid, hostname());
    raw.exec('commit');
    raw.exec('begin immediate');
  } catch (error) {
    const owner = readOwner(raw);
    raw.close();
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw unusable(`${file}.lock`, error);
    throw new StoreUnavailable(`${file} is in use by ${owner}: stop that one first, or give this one another store`, {
      cause: error,
    });
  }
  return {
    release() {
      if (raw.open) raw.close();
    },
  };
}

function opened(path: string): Database.Database {
  try {
    return new Database(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

export const unusable = (path: string, error: unknown): StoreUnavailable =>
  new StoreUnavailable(`${path} cannot be opened as a database: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });

function readOwner(raw: Database.Database): string {
  try {
    const row: unknown = raw.prepare('select pid, host from owner').get();
    if (typeof row === 'object' && row !== null && 'pid' in row && 'host' in row)
      return `process ${String(row.pid)} on ${String(row.host)}`;
  } catch {
    return 'another process';
  }
  return 'another process';
}
