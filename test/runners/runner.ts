/** What is asked of a runner of pipelines, and what is seen of it; and the cases that all of them go through. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../src/cli/exit-codes.ts';

export type Inputs = Readonly<Record<string, string>>;

/** How a job ended: null where the runner would not begin it, or was stopped. */
export type Seen = { readonly code: number | null; readonly text: string; readonly wrong: readonly string[] };

export type Job = {
  /** A directory of its own. */
  readonly dir: string;
  readonly plan: string;
  readonly inputs: Inputs;
  /** Resolves when the job is to be cancelled. */
  readonly cancelled: Promise<void> | null;
};

export type Runner = { readonly name: string; run(job: Job): Promise<Seen> };

export type Case = {
  readonly service: string;
  readonly says: string;
  readonly hold: string;
  readonly inputs: Inputs;
  readonly isCancelled?: true;
  /** Null where runners differ: one refuses the pipeline, another starts the job. */
  readonly code: number | null;
  readonly phase: 'promoted' | 'rolledBack' | 'watching' | 'none';
};

export const CASES: readonly Case[] = [
  { service: 'good', says: 'a good release ends well', hold: '1s', inputs: { version: '2' }, code: EXIT.ok, phase: 'promoted' },
  {
    service: 'bad',
    says: 'a bad one is taken back, and fails the job',
    hold: '1h',
    inputs: { version: 'bad' },
    code: EXIT.rolledBack,
    phase: 'rolledBack',
  },
  {
    service: 'long',
    says: 'a wait that is over leaves the release alone',
    hold: '1h',
    inputs: { version: '2', timeout: '4s' },
    code: EXIT.timedOut,
    phase: 'watching',
  },
  {
    service: 'cancelled',
    says: 'a job that is cancelled leaves the release alone',
    hold: '1h',
    inputs: { version: '2' },
    isCancelled: true,
    code: null,
    phase: 'watching',
  },
  {
    service: 'until',
    says: 'a slip of the pen in an input starts nothing',
    hold: '1s',
    inputs: { version: '2', until: 'promotde' },
    code: EXIT.usage,
    phase: 'none',
  },
  {
    service: 'file',
    says: 'a plan that is not there starts nothing',
    hold: '1s',
    inputs: { version: '2', file: 'gone.yaml' },
    code: EXIT.usage,
    phase: 'none',
  },
  { service: 'unsaid', says: 'an input that is missing starts nothing', hold: '1s', inputs: {}, code: null, phase: 'none' },
];

/** A repository with these files, as a runner finds it checked out. */
export function repository(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  git(dir, 'init', '--quiet', '--initial-branch', 'main');
  git(dir, 'add', '--all');
  git(dir, '-c', 'user.name=ann', '-c', 'user.email=ann@acme.example', 'commit', '--quiet', '--message', 'all of it');
}

export const git = (cwd: string, ...args: readonly string[]): void => void execFileSync('git', args, { cwd });

/** Runs a program to its end, or to where it is stopped, and gives all that it said. */
export async function said(
  argv: readonly [string, ...string[]],
  options: SpawnOptions,
  stopped: { readonly when: Promise<void> | null; readonly by: (child: ChildProcess) => void },
): Promise<string> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (text += part.toString()));
  const ended = new Promise<void>((done, fail) => child.once('error', fail).once('close', () => done()));
  void stopped.when?.then(() => stopped.by(child));
  await ended;
  return text;
}
