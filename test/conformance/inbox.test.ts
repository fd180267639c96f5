/** The inbox and the flags of every store there is, held against the same suite; and what only a restart can get wrong. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, expect, it } from 'vitest';
import { memoryStore } from '../../src/store/memory.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { NOON } from '../story.ts';
import { inboxSuite } from './inbox.suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-inbox-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `${++files}.db`);

inboxSuite('in memory', async (now) => memoryStore({ now }));
inboxSuite('on SQLite', (now) => openSqlite({ file: ':memory:', now }));
inboxSuite('on a SQLite file', (now) => openSqlite({ file: fresh(), now }));

it('gives what a process that is gone was working on to the next one at once', async () => {
  const file = fresh();
  const now = () => NOON;
  const before = await openSqlite({ file, now });
  await before.keepWebhook({ source: 'ld', key: 'a', payload: { kind: 'webhook', body: '{}', encoding: 'utf8' }, limit: 9 });
  expect(await before.claimInbox({ leaseMs: 60_000, limit: 1 })).toHaveLength(1);
  await before.close();
  const again = await openSqlite({ file, now });
  expect(await again.claimInbox({ leaseMs: 60_000, limit: 1 })).toMatchObject([{ key: 'a', attempts: 0 }]);
  await again.close();
});

it('finds what is due, known and waiting by an index, however many are settled', async () => {
  const file = fresh();
  await (await openSqlite({ file, now: () => NOON })).close();
  const raw = new Database(file, { readonly: true });
  const plan = (sql: string): string =>
    (raw.prepare(`explain query plan ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail).join('; ');
  for (const query of [
    `select * from inbox where state = 'pending' and due_at_ms <= 5 and lease_until_ms <= 5 order by due_at_ms, seq limit 5`,
    `select seq from inbox where source = 'a' and "key" = 'b'`,
    `select at_ms from inbox_seen where source = 'a' and "key" = 'b'`,
    `select count(*) from inbox where state = 'pending' and source = 'a'`,
    `select * from inbox where seq < 5 order by seq desc limit 5`,
  ])
    expect(`${query}: ${plan(query)}`).not.toMatch(/SCAN (?!.*USING (COVERING )?INDEX)/);
  raw.close();
});
