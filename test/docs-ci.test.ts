/** Every command of the pages for pipelines and for the API, run as it stands there, against a real service. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { service } from './service.ts';
import type { Service } from './service.ts';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'headgate-docs-'));
let s: Service;
let server: string;
beforeAll(async () => {
  s = await service(['checkout', 'search']);
  server = await s.app.listen();
  for (const name of ['checkout', 'search'])
    await s.ask('PUT', `/v1/services/${name}/stable`, { body: { version: '1' }, headers: { 'if-match': '*' } });
  writeFileSync(join(folder, 'plan.yaml'), 'service: checkout\nsteps: [5%]\nhold: 1h\nchecks: [errors]\n');
});
afterAll(async () => {
  await s.closing();
  rmSync(folder, { recursive: true, force: true });
});

const blocks = (page: string, language: string): readonly string[] =>
  [...readFileSync(join(root, 'docs', page), 'utf8').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, block = '']) => block,
  );

const shell = (script: string): Promise<{ code: number | null; said: string }> =>
  new Promise((done) => {
    const command = `set -euo pipefail\nheadgate() { "${process.execPath}" "${root}/src/main.ts" "$@"; }\n${script}`;
    const env = { ...process.env, HEADGATE_SERVER: server, HEADGATE_ACTOR: 'ci:docs' };
    const child = spawn('bash', ['-c', command], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
    child.once('close', (code) => done({ code, said }));
  });

// One after the other, as somebody who reads the page would.
test.each(['ci.md', 'api.md'])('the commands of %s work', async (page) => {
  const commands = blocks(page, 'sh');
  expect(commands.length).toBeGreaterThan(1);
  const { code, said } = await shell(commands.join('\n'));
  expect(code, said).toBe(0);
  const [running] = (await s.ask('GET', '/v1/releases?service=checkout')).body.items;
  await s.ask('POST', `/v1/releases/${running.id}/commands/rollback`);
  await s.ask('GET', `/v1/releases/${running.id}/wait?timeout=60s`);
});

test('the workflow of the page gives the action inputs that it has', () => {
  const [workflow = ''] = blocks('ci.md', 'yaml');
  const { inputs } = parse(readFileSync(join(root, 'deploy/github-action/action.yml'), 'utf8'));
  const { steps, permissions } = parse(workflow).jobs.release;
  expect(permissions['id-token']).toBe('write');
  expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(steps[1].with)));
  for (const [name, { required }] of Object.entries<{ required?: boolean }>(inputs))
    if (required) expect(Object.keys(steps[1].with)).toContain(name);
});
