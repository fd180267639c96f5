/** Starts and ends programs for tests: on free ports, in a directory of their own, ended by their process id. */
import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

export function scratch(name: string): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), `headgate-${name}-`));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }) };
}

export type Program = {
  readonly child: ChildProcess;
  /** The last of what it said. */
  said(): string;
  kill(signal?: NodeJS.Signals): Promise<void>;
};

export function start(command: string, args: readonly string[], options: SpawnOptions = {}): Program {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let text = '';
  const hear = (part: Buffer): void => void (text = (text + part.toString()).slice(-4_000));
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.on('error', (error) => void (text += String(error)));
  return {
    child,
    said: () => text,
    async kill(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}

/** Stopped in the middle, all of its threads: on a busy machine the signal alone takes a while. */
export async function freeze(child: ChildProcess): Promise<void> {
  child.kill('SIGSTOP');
  await until('the process to stand still', () => /^State:\tT/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8')));
}

/** Waits until it is so; what does not come within the time is an error that says what was waited for. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (deadline < performance.now()) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(20);
  }
}

/** The first code block of that language in a page of the documentation. */
export function codeBlock(page: string, language: string): string {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(text)?.[1];
  if (found === undefined) throw new Error(`${page} has no block of ${language}`);
  return found;
}
