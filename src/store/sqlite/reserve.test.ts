import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Instant } from '../../domain/ids.ts';
import { StoreUnavailable } from '../../ports/store.ts';
import { sqliteContext } from './context.ts';
import { openDatabase } from './open.ts';
import { noReserve, reserve } from './reserve.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-reserve-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('keeps its room, gives it up once, and takes it back when it is asked for', () => {
  const file = join(folder, 'a.reserve');
  let times = 0;
  const room = reserve(file, 3_000_000, () => times++);
  expect(statSync(file).size).toBe(3_000_000);
  expect([room.giveUp(), room.giveUp(), times]).toEqual([true, false, 1]);
  expect(existsSync(file)).toBe(false);
  room.require();
  expect(statSync(file).size).toBe(3_000_000);
});

it('refuses what is new while its room cannot be had', () => {
  const room = reserve(join(folder, 'no', 'such', 'folder'), 1_000, () => {});
  expect(room.require).toThrow(StoreUnavailable);
  expect(room.giveUp()).toBe(false);
});

it('writes once more in the room that was kept, and says so when that is used up, too', () => {
  const opened = openDatabase({ file: join(folder, 'b.db'), busyTimeoutMs: 10 });
  const { raw } = opened;
  raw.exec('create table notes (text text)');
  const pages = Number(raw.pragma('page_count', { simple: true }));
  raw.pragma(`max_page_count = ${pages + 1}`);
  const room = reserve(join(folder, 'b.reserve'), 1_000, () => raw.pragma(`max_page_count = ${pages + 40}`));
  const ctx = sqliteContext(opened, () => Instant(0), room);
  const write = (): void => void ctx.write(() => raw.prepare('insert into notes values (?)').run('x'.repeat(20_000)));
  write();
  expect(ctx.read(() => raw.prepare('select count(*) from notes').pluck().get())).toBe(1);
  const many = (): void => {
    for (let n = 0; n < 100; n++) write();
  };
  expect(many).toThrow(/SQLITE_FULL/);
  expect(noReserve.giveUp()).toBe(false);
  opened.close();
});
