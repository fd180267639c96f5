/** Published programs that the project itself does not depend on: installed once for all runs, into folders outside of it. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

type Published = { readonly name: string; readonly version: string };

function folderFor(name: string, version: string): string {
  const dir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headgate', `${name}-${version}`);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** A file of an npm package, which Node runs. */
export async function fromNpm({ name, version, file }: Published & { readonly file: string }): Promise<string> {
  const dir = folderFor(name, version);
  const main = join(dir, 'node_modules', name, file);
  if (existsSync(main)) return main;
  console.log(`installing ${name} ${version} into ${dir} ...`);
  writeFileSync(join(dir, 'package.json'), `{ "name": "headgate-${name}", "private": true }\n`);
  const args = ['install', '--save-exact', `${name}@${version}`, '--no-audit', '--no-fund', '--ignore-scripts'];
  await run('npm', args, { cwd: dir, maxBuffer: 64 << 20 });
  return main;
}

/** A program that Go builds; null where there is no Go. */
export async function fromGo({ name, version, module }: Published & { readonly module: string }): Promise<string | null> {
  const dir = folderFor(name, version);
  const program = join(dir, name);
  if (existsSync(program)) return program;
  const hasGo = await run('go', ['version']).then(
    () => true,
    () => false,
  );
  if (!hasGo) return null;
  console.log(`building ${name} ${version} into ${dir} (two minutes, once) ...`);
  await run('go', ['install', `${module}@v${version}`], { env: { ...process.env, GOBIN: dir }, maxBuffer: 64 << 20 });
  return program;
}
