/** The audit log as a chain: nothing in it is changed, left out, put in or moved without the first bad row being named. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { auditLine, headText, NO_HASH, parseHead, verifyAudit } from '../../src/contract/audit-chain.ts';
import { anchorAudit } from '../../src/controller/upkeep.ts';
import { Instant } from '../../src/domain/ids.ts';
import { prng } from '../../src/lib/prng.ts';
import { ok } from '../../src/lib/result.ts';
import { memoryStore } from '../../src/store/memory.ts';
import { openDatabase } from '../../src/store/sqlite/open.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { guarded } from './guarded.ts';
import type { Guarded } from './guarded.ts';

let world: Guarded;
beforeAll(async () => {
  world = await guarded();
  for (let n = 0; n < 30; n++)
    await world.call(`/v1/services/${n % 2 ? 'mine' : 'other'}/stable`, {
      method: 'PUT',
      body: { version: `${n}`, reason: `because of ${n} ü \u2028` },
    });
});
afterAll(() => world.close());

async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const into = (name: 'out' | 'err'): PassThrough =>
    new PassThrough().on('data', (part: Buffer) => void (said[name] += part.toString()));
  const code = await runCli(['--server', world.url, '--token', world.admin, 'audit', ...argv], {
    out: into('out'),
    err: into('err'),
    env: {},
    fetch,
    serve: async () => 0,
    version: '1.2.3',
    worldOf: () => ok({ services: new Map(), providers: new Map(), notifiers: new Set() }),
  });
  return { code, ...said };
}

describe('headgate audit', () => {
  it('verifies what the service has, and an export without it', async () => {
    const online = await cli('verify');
    expect(online, online.err).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+ rows, an unbroken chain; its head is \d+:[0-9a-f]{64}\n$/),
    });
    const file = join(world.folder, 'audit.jsonl');
    const { out, code } = await cli('export');
    expect(code).toBe(0);
    writeFileSync(file, out);
    expect(await cli('verify', file)).toMatchObject({ code: 0, out: online.out });
    const head = (await world.call('/v1/audit:head')).body as { seq: number; hash: string };
    expect(await cli('verify', file, '--anchor', headText(head))).toMatchObject({ code: 0 });
    const lines = out.trimEnd().split('\n');
    writeFileSync(file, `${lines.slice(0, -3).join('\n')}\n`);
    expect(await cli('verify', file)).toMatchObject({ code: 0 }); // its end was cut off, and nothing in it says so
    expect(await cli('verify', file, '--anchor', headText(head))).toMatchObject({
      code: 1,
      err: expect.stringContaining(`row ${head.seq - 2} of the audit log is not as it was written: the log ends before it`),
    });
    expect((await cli('verify', file, '--anchor', 'nonsense')).code).toBe(2);
    expect((await cli('verify', join(world.folder, 'none.jsonl'))).code).toBe(69);
  });

  it('has its head in the log every hour', async () => {
    await anchorAudit(world.app.context);
    const line = JSON.parse(world.logged.at(-1) ?? '') as { auditHead: string };
    expect(parseHead(line.auditHead)).toEqual(
      (({ seq, hash }) => ({ seq, hash }))((await world.call('/v1/audit:head')).body as any),
    );
  });
});

describe('tampering', () => {
  const other = (row: Record<string, any>, n: number): Record<string, any> => {
    const changes = [
      { actor: `${row['actor']}x` },
      { reason: row['reason'] === null ? 'x' : null },
      { at: row['at'] + 1 },
      { data: { ...row['data'], x: 1 } },
      { origin: undefined, actor: 'y' },
      { action: 'release.pause', subject: 'z' },
      { hash: `${row['hash'].slice(0, 63)}${row['hash'].endsWith('0') ? '1' : '0'}` },
      { hash: undefined },
      { seq: row['seq'] + 1 },
    ];
    return { ...row, ...changes[n % changes.length] };
  };

  it('is found a thousand times of a thousand, with the first bad row', async () => {
    const text = (await world.call('/v1/audit:export')).text.trimEnd();
    const lines = text.split('\n');
    const chance = prng(11);
    const int = (below: number): number => Math.floor(chance() * below);
    const head = parseHead(headText((await world.call('/v1/audit:head')).body as any))!;
    const missed: string[] = [];
    for (let round = 0; round < 1_000; round++) {
      const at = int(lines.length);
      const spoiled = [...lines];
      let first = at + 1;
      const kind = ['change', 'drop', 'add', 'swap', 'space', 'cut', 'twice', 'rewrite'][int(8)]!;
      const row = JSON.parse(lines[at]!) as Record<string, any>;
      if (kind === 'change') spoiled[at] = auditLine(other(row, int(9)) as any);
      if (kind === 'drop') spoiled.splice(at, 1);
      if (kind === 'add') spoiled.splice(at, 0, auditLine({ ...row, actor: 'mallory' } as any));
      if (kind === 'swap') {
        const to = (at + 1 + int(lines.length - 1)) % lines.length;
        [spoiled[at], spoiled[to]] = [lines[to]!, lines[at]!];
        first = Math.min(at, to) + 1;
      }
      if (kind === 'space') spoiled[at] = lines[at]!.replace(/[,:]/, (sign) => `${sign} `);
      if (kind === 'cut') spoiled.length = at;
      if (kind === 'twice') spoiled[at] = lines[at]!.replace('{', '{"actor":"mallory",');
      if (kind === 'rewrite') {
        // Somebody who knows how it is made makes the rest of it anew: only the anchor tells.
        spoiled.splice(0, spoiled.length, ...(await rewritten(lines, at)));
        first = lines.length;
      }
      const found = await verifyAudit(spoiled, [head]);
      if (found.ok || found.error.seq !== first) missed.push(`${kind} at ${at + 1}: ${JSON.stringify(found)}`);
    }
    expect(missed).toEqual([]);
  });

  async function rewritten(lines: readonly string[], at: number): Promise<readonly string[]> {
    const store = memoryStore({ now: () => Instant(0) });
    await store.configure([{ name: 'x', slots: ['a', 'b'] }], []);
    for (const [index, line] of lines.entries()) {
      const { seq: _seq, at: _at, hash: _hash, ...entry } = JSON.parse(line);
      await store.setStable('x', { slot: null, version: 'v' }, index === at ? { ...entry, actor: 'mallory' } : entry);
    }
    return (await store.auditFrom({ after: 0, limit: 1_000 })).map(auditLine);
  }

  it('is refused by the database itself', async () => {
    const raw = new Database(world.database);
    for (const statement of [
      "update audit set entry = '{}' where seq = 3",
      'update audit set at_ms = 0',
      'update audit set hash = null',
      'delete from audit',
      'delete from audit where seq = 1',
      "insert or replace into audit (seq, at_ms, entry, hash) values (3, 0, '{}', 'x')",
      "replace into audit (seq, at_ms, entry, hash) values (1, 0, '{}', 'x')",
    ])
      expect(() => raw.prepare(statement).run(), statement).toThrow(/never (changed|deleted|replaced)/);
    raw.close();
    expect(await cli('verify')).toMatchObject({ code: 0 });
  });
});

it('rows from before there was a chain get one when the file is opened, and a log that is cut off shows a gap', async () => {
  const file = join(world.folder, 'old.db');
  const { raw, close } = openDatabase({ file, busyTimeoutMs: 10 });
  const entry = (n: number) => JSON.stringify({ actor: 'ann', action: 'old', subject: `s${n}`, reason: null, data: {} });
  for (let n = 1; n <= 5; n++) raw.prepare('insert into audit (at_ms, entry) values (?, ?)').run(n, entry(n));
  close();
  const verify = async () => {
    const store = await openSqlite({ file, now: () => Instant(7) });
    await store.configure([{ name: 'x', slots: ['a', 'b'] }], []);
    await store.setStable('x', { slot: null, version: '1' }, JSON.parse(entry(6)));
    const rows = await store.auditFrom({ after: 0, limit: 100 });
    await store.close();
    return verifyAudit(rows.map(auditLine), []);
  };
  expect(await verify()).toMatchObject({ ok: true, value: { seq: 6 } });
  const cut = new Database(file);
  cut.exec('drop trigger audit_never_shrinks; delete from audit where seq > 4');
  cut.close();
  expect(await verify()).toMatchObject({ ok: false, error: { seq: 5, why: 'row 7 stands in its place' } });
});

it('an empty log is whole, and ends at nothing', async () => {
  expect(await verifyAudit([], [])).toEqual(ok({ seq: 0, hash: NO_HASH }));
});
