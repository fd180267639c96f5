/** Every store there is, held against the same suite; and what only SQLite can get wrong. */
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { Instant } from '../../src/domain/ids.ts';
import { memoryStore } from '../../src/store/memory.ts';
import { openDatabase } from '../../src/store/sqlite/open.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { answersSuite } from './answers.suite.ts';
import { outboxSuite } from './outbox.suite.ts';
import { storeSuite } from './store.suite.ts';
import { tokensSuite } from './tokens.suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `${++files}.db`);

for (const suite of [storeSuite, answersSuite, outboxSuite, tokensSuite]) {
  suite('in memory', async (now) => memoryStore({ now }));
  suite('on SQLite', (now) => openSqlite({ file: ':memory:', now }));
  suite('on a SQLite file', (now) => openSqlite({ file: fresh(), now }));
}

describe('SQLite', () => {
  const now = (): Instant => Instant(Date.now());

  it('syncs every commit to the disk, checks foreign keys, and has read both back', () => {
    const { raw, close } = openDatabase({ file: fresh(), busyTimeoutMs: 10 });
    expect([
      raw.pragma('synchronous', { simple: true }),
      raw.pragma('journal_mode', { simple: true }),
      raw.pragma('foreign_keys', { simple: true }),
    ]).toEqual([2, 'wal', 1]);
    close();
  });

  it('tells a second process who has the file, and is free again when that one was killed', async () => {
    const file = fresh();
    const script = join(folder, 'hold.ts');
    writeFileSync(
      script,
      `import { openSqlite } from ${JSON.stringify(join(process.cwd(), 'src/store/sqlite/store.ts'))};\nawait openSqlite({ file: ${JSON.stringify(file)}, now: () => Date.now() as never });\nprocess.send?.('open');\nsetInterval(() => {}, 1000);\n`,
    );
    const holder = fork(script, { stdio: 'ignore', execPath: join(process.cwd(), 'node_modules/.bin/node') });
    await new Promise<void>((resolve, reject) => {
      holder.once('message', () => resolve());
      holder.once('exit', (code) => reject(new Error(`the holder ended with ${code}`)));
    });
    await expect(openSqlite({ file, now })).rejects.toThrow(
      new RegExp(`is in use by process ${holder.pid} on .*: stop that one first, or give this one another store`),
    );
    holder.kill('SIGKILL');
    await new Promise<void>((resolve) => holder.once('exit', () => resolve()));
    const store = await openSqlite({ file, now });
    await store.ping();
    await store.close();
  });

  it('keeps everything over a restart, and voids the leases of the process that is gone', async () => {
    const file = fresh();
    const before = await openSqlite({ file, now });
    await before.configure([{ name: 'checkout', slots: ['blue', 'green'] }], []);
    await before.setStable(
      'checkout',
      { slot: 'green', version: '5' },
      { actor: 'a', action: 'b', subject: 'c', reason: null, data: null },
    );
    await before.close();
    const again = await openSqlite({ file, now });
    expect(await again.service('checkout')).toMatchObject({ stableSlot: 'green', stableVersion: '5' });
    await again.close();
  });

  it('refuses a file that is no database, in words', async () => {
    const file = fresh();
    writeFileSync(file, 'this is no database, but long enough to be looked at '.repeat(50));
    await expect(openSqlite({ file, now })).rejects.toThrow(/file is not a database/);
  });

  it('leaves the database of another program as it is', async () => {
    const file = fresh();
    const theirs = new Database(file);
    theirs.exec('create table users (name text)');
    theirs.close();
    const before = readFileSync(file);
    await expect(openSqlite({ file, now })).rejects.toThrow(/is the database of another program \(it has the table users\)/);
    expect(readFileSync(file)).toEqual(before);
  });

  it('says which file could not be opened', async () => {
    await expect(openSqlite({ file: join(dirname(fresh()), 'nowhere', 'x.db'), now })).rejects.toThrow(/nowhere\/x\.db/);
  });

  it('is for its owner alone', async () => {
    const file = fresh();
    const store = await openSqlite({ file, now });
    for (const name of [file, `${file}-wal`]) expect(statSync(name).mode & 0o777, name).toBe(0o600);
    await store.close();
  });

  it('refuses a file whose pages are damaged, in words, and takes it back as it was', async () => {
    const file = fresh();
    await (await openSqlite({ file, now })).close();
    const sound = readFileSync(file);
    const damaged = Buffer.from(sound);
    // A page at the end is data, which SQLite itself would not look at before it is asked for; all pages are the schema, too.
    for (const from of [sound.length - 4_096, 4_096]) {
      damaged.fill(0xa5, from);
      writeFileSync(file, damaged);
      await expect(openSqlite({ file, now })).rejects.toThrow(/is damaged .*: restore the last backup/);
    }
    writeFileSync(file, sound);
    const store = await openSqlite({ file, now });
    await store.ping();
    await store.close();
  });

  it('makes all of a migration or nothing of it', async () => {
    const file = fresh();
    const before = new Database(file);
    before.exec('create table targets (id text)');
    before.close();
    await expect(openSqlite({ file, now })).rejects.toThrow();
    const after = new Database(file);
    expect(
      after.prepare("select name from sqlite_master where type = 'table' and name in ('releases', 'targets')").all(),
    ).toEqual([{ name: 'targets' }]);
    after.exec('drop table targets');
    after.close();
    const store = await openSqlite({ file, now });
    await store.ping();
    await store.close();
  });

  it('refuses a file that a newer Headgate has written', async () => {
    const file = fresh();
    await (await openSqlite({ file, now })).close();
    const raw = new Database(file);
    raw
      .prepare('insert into __drizzle_migrations (hash, created_at) values (?, ?)')
      .run('of the future', Date.now() + 86_400_000_000);
    raw.close();
    await expect(openSqlite({ file, now })).rejects.toThrow(/was written by a newer Headgate: start that one/);
  });

  it('finds every page and every due row by an index', () => {
    const { raw, close } = openDatabase({ file: fresh(), busyTimeoutMs: 10 });
    const plan = (sql: string): string =>
      (raw.prepare(`explain query plan ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail).join('; ');
    const queries = [
      `select * from releases where ended = 0 and due_at_ms <= 5 and lease_until_ms <= 5 order by due_at_ms limit 5`,
      `select * from releases order by created_at_ms desc, id desc limit 5`,
      `select * from releases where service = 'a' order by created_at_ms desc, id desc limit 5`,
      `select * from releases where service = 'a' and ended = 0 and phase <> 'queued'`,
      `select * from targets where managed = 1 and due_at_ms <= 5 order by due_at_ms limit 5`,
      `select * from events where subject = 'a' and seq > 1 order by seq limit 5`,
      `select * from events where position > 5 order by position limit 5`,
      `select * from measurements where release = 'a' and id < 5 order by id desc limit 5`,
      `select * from measurements where release = 'a' and "check" = 'x' and id < 5 order by id desc limit 5`,
      `select * from audit where seq < 5 order by seq desc limit 5`,
      `select * from outbox where seq < 5 order by seq desc limit 5`,
      `select notifier, count(*), min(seq) from outbox where state = 'pending' group by notifier`,
      `select * from outbox where notifier = 'a' and seq < 5 order by seq desc limit 5`,
      `select * from outbox where subject = 'a' and seq < 5 order by seq desc limit 5`,
      `select * from outbox where notifier = 'a' and state = 'parked' order by seq limit 5`,
      `select count(*), min(seq) from outbox where notifier = 'a' and state = 'pending'`,
      `select settled_at_ms from outbox where notifier = 'a' and state = 'delivered' order by seq desc limit 1`,
      `select position from events where subject = 'a' and seq = 5`,
    ];
    for (const query of queries) expect(`${query}: ${plan(query)}`).not.toMatch(/TEMP B-TREE|SCAN (?!.*USING (COVERING )?INDEX)/);
    close();
  });

  it('is a plain file that any SQLite can read', async () => {
    const file = fresh();
    await (await openSqlite({ file, now })).close();
    const raw = new Database(file, { readonly: true });
    expect(raw.prepare("select count(*) n from sqlite_master where type = 'table' and name = 'releases'").get()).toEqual({
      n: 1,
    });
    raw.close();
  });
});
