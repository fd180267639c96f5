/** Every command of the page on rights is run, as it stands there, against a service that asks who calls. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stringify } from 'yaml';
import { expect, it } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { ROLES } from '../../src/domain/rights.ts';
import { ok } from '../../src/lib/result.ts';
import { guarded, planOf } from './guarded.ts';

const page = readFileSync(new URL('../../docs/rights-and-audit.md', import.meta.url), 'utf8');

it('the commands of the page do what it says', async () => {
  const world = await guarded();
  await world.call('/v1/services/mine/stable', { method: 'PUT', body: { version: '1' } });
  writeFileSync(join(world.folder, 'checkout.yaml'), stringify(planOf('mine')));
  const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
    block.split('\n').filter((line) => line.startsWith('headgate ')),
  );
  expect(commands.length).toBeGreaterThanOrEqual(8);
  for (const command of commands) {
    const head = (await world.call('/v1/audit:head')).body as { seq: number; hash: string };
    const [, ...argv] = command
      .replace(/"\$GITHUB_SHA"/, 'c0ffee')
      .replace('--server https://headgate.example', '')
      .replace('--service checkout', '--service mine')
      .replace(/ (\w+\.(yaml|jsonl))/, ` ${world.folder}/$1`)
      .split(/\s+/);
    const into = argv.indexOf('>');
    const anchor = argv.indexOf('--anchor');
    if (anchor > 0) argv[anchor + 1] = `${head.seq}:${head.hash}`;
    let out = '';
    let err = '';
    const code = await runCli(['--server', world.url, ...(into > 0 ? argv.slice(0, into) : argv)], {
      out: new PassThrough().on('data', (part: Buffer) => void (out += part.toString())),
      err: new PassThrough().on('data', (part: Buffer) => void (err += part.toString())),
      env: { HEADGATE_TOKEN_FILE: `${world.database}.admin-token` },
      fetch,
      serve: async () => 0,
      version: '1.2.3',
      worldOf: () => ok({ services: new Map(), providers: new Map(), notifiers: new Set() }),
    });
    expect(code, `${command}\n${err}`).toBe(0);
    if (into > 0) writeFileSync(argv[into + 1] ?? '', out);
  }
  await world.close();
});

it('the roles of the page are the ones there are', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` +\|[^|]*\| ([\w, ]+?) *\|$/gm)].map(([, role, rights]) => [role, rights]);
  const expected = Object.entries(ROLES).map(([role, scopes]) => [
    role,
    role === 'admin' ? 'all of them, and admin' : scopes.join(', '),
  ]);
  expect(rows).toEqual(expected);
});
