/** What the parts of the SQLite store share: the connection, store time, and one way to run a transaction. */
import { StoreUnavailable } from '../../ports/store.ts';
import type { CommitError } from '../../ports/store.ts';
import type { Instant } from '../../domain/ids.ts';
import { err } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { Db, Opened } from './open.ts';
import { queries } from './queries.ts';
import type { Queries } from './queries.ts';
import { noReserve } from './reserve.ts';
import type { Reserve } from './reserve.ts';

export type SqliteContext = {
  readonly db: Db;
  readonly queries: Queries;
  readonly now: () => Instant;
  readonly reserve: Reserve;
  /** Runs one whole write transaction; what it throws undoes it. */
  write<T>(work: () => T): T;
  read<T>(work: () => T): T;
};

/** Thrown inside a transaction to undo it and answer `stale`. */
export class Stale extends Error {
  override readonly name = 'Stale';
}

export function sqliteContext(
  { raw, db }: Pick<Opened, 'raw' | 'db'>,
  now: () => Instant,
  reserve: Reserve = noReserve,
): SqliteContext {
  let broken: string | null = null;
  const guarded = <T>(work: () => T): T => {
    if (broken !== null)
      throw new StoreUnavailable(`the store is closed after ${broken}: restart Headgate, and look at the disk`, {
        forGood: true,
      });
    try {
      return work();
    } catch (error) {
      const code = sqliteCode(error);
      if (code === null) throw error;
      // After a failed sync SQLite may say yes to commits that are not on disk: nothing is written with this handle again.
      if (code.startsWith('SQLITE_IOERR')) broken = code;
      throw new StoreUnavailable(`the database could not be used (${code}): ${error instanceof Error ? error.message : ''}`, {
        cause: error,
      });
    }
  };
  const transaction = raw.transaction((work: () => unknown) => work());
  return {
    db,
    queries: queries(db),
    now,
    reserve,
    // `work` is generic where better-sqlite3's wrapper is not: what goes in comes out.
    write: <T>(work: () => T): T => guarded(() => onFull(() => transaction.immediate(work) as T, reserve)),
    read: guarded,
  };
}

/** Once more in the room that was kept. The first try was undone as a whole. */
function onFull<T>(write: () => T, reserve: Reserve): T {
  try {
    return write();
  } catch (error) {
    if (sqliteCode(error) === 'SQLITE_FULL' && reserve.giveUp()) return write();
    throw error;
  }
}

/** The answer of a write whose port method has a Result: stale and busy are values, bugs are not. */
export function attempt<T>(work: () => Result<T, CommitError>): Result<T, CommitError> {
  try {
    return work();
  } catch (error) {
    if (error instanceof Stale) return err({ kind: 'stale', detail: error.message });
    if (!(error instanceof StoreUnavailable)) throw error;
    if (sqliteCode(error.cause) === 'SQLITE_CONSTRAINT_UNIQUE')
      return err({ kind: 'stale', detail: 'another release is active, or somebody else wrote this first' });
    return err({ kind: 'busy', detail: error.message });
  }
}

/** A write transaction that somebody else may have made needless: then nothing is written. */
export function writeUnlessStale<T>(ctx: SqliteContext, otherwise: T, work: () => T): T {
  try {
    return ctx.write(work);
  } catch (error) {
    if (error instanceof Stale) return otherwise;
    throw error;
  }
}

function sqliteCode(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : null;
}
