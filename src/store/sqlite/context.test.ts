import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, expect, it } from 'vitest';
import { Instant } from '../../domain/ids.ts';
import { err, ok } from '../../lib/result.ts';
import { StoreUnavailable } from '../../ports/store.ts';
import { attempt, sqliteContext } from './context.ts';
import { openDatabase } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-context-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function opened() {
  const file = join(folder, `${++files}.db`);
  const database = openDatabase({ file, busyTimeoutMs: 10 });
  const ctx = sqliteContext(database, () => Instant(0));
  const { raw } = database;
  raw.exec('create table notes (text text)');
  const write = (text: string): void => void ctx.write(() => raw.prepare('insert into notes values (?)').run(text));
  const count = (): unknown => ctx.read(() => raw.prepare('select count(*) from notes').pluck().get());
  return { ...database, file, ctx, write, count };
}

it('says that somebody else writes the file, reads on meanwhile, and writes again afterwards', () => {
  const { file, ctx, write, count, close } = opened();
  const other = new Database(file);
  other.exec('begin immediate');
  expect(() => write('now')).toThrow(StoreUnavailable);
  expect(() => write('now')).toThrow(/the database could not be used \(SQLITE_BUSY\)/);
  expect(attempt(() => ok(ctx.write(() => null)))).toMatchObject({ ok: false, error: { kind: 'busy' } });
  expect(count()).toBe(0);
  other.exec('commit');
  write('later');
  expect(count()).toBe(1);
  other.close();
  close();
});

it('writes nothing of what does not fit on a full disk, reads on, and goes on when there is room again', () => {
  const { raw, ctx, write, count, close } = opened();
  const pages = Number(raw.pragma('page_count', { simple: true }));
  raw.pragma(`max_page_count = ${pages + 8}`);
  let written = 0;
  const full = (): void => {
    for (; written < 1_000; written++) write('x'.repeat(2_000));
  };
  expect(full).toThrow(/SQLITE_FULL.*database or disk is full/);
  const half = (): void =>
    ctx.write(() => {
      raw.prepare('insert into notes values (?)').run('small');
      raw.prepare('insert into notes values (?)').run('x'.repeat(100_000));
    });
  expect(half).toThrow(StoreUnavailable);
  expect(count()).toBe(written);
  raw.pragma(`max_page_count = ${pages + 1_000}`);
  half();
  expect(count()).toBe(written + 2);
  expect(raw.pragma('integrity_check', { simple: true })).toBe('ok');
  close();
});

it('touches nothing any more after a sync that failed, since a later yes would mean nothing', () => {
  const { ctx, write, count, close } = opened();
  write('before');
  const failing = (): void =>
    ctx.write(() => {
      throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' });
    });
  expect(failing).toThrow(/the database could not be used \(SQLITE_IOERR_FSYNC\)/);
  expect(() => write('after')).toThrow('the store is closed after SQLITE_IOERR_FSYNC: restart Headgate, and look at the disk');
  expect(count).toThrow(StoreUnavailable);
  close();
});

it('does not take a mistake of ours for a store that is away', () => {
  const { ctx, close } = opened();
  const bug = (): never => {
    throw new TypeError('a bug');
  };
  expect(() => ctx.write(bug)).toThrow(TypeError);
  expect(() => attempt(() => (ctx.read(bug), err({ kind: 'busy', detail: '' })))).toThrow(TypeError);
  close();
});
