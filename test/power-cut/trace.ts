/**
 * What a process did to the files in one folder, in the order in which it was done, read from what `strace` writes down.
 * What is not understood here is an error: an operation that was overlooked would make the images milder than a power cut.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { assert } from '../../src/lib/assert.ts';
import type { Acknowledged } from './workload.ts';

const run = promisify(execFile);

/** `file` is one incarnation of a name: a name that was removed and made again is another file. */
export type Operation =
  | { readonly kind: 'made'; readonly name: string; readonly file: number }
  | { readonly kind: 'removed'; readonly name: string }
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'resize'; readonly file: number; readonly length: number }
  | { readonly kind: 'sync'; readonly file: number }
  | { readonly kind: 'syncFolder' }
  | { readonly kind: 'acknowledged'; readonly what: Acknowledged };

export type Recording = { readonly synchronous: 'FULL' | 'NORMAL'; readonly seed: number };

const CALLS =
  'openat,close,write,writev,pwrite64,pwritev,ftruncate,truncate,fallocate,mmap,fsync,fdatasync,unlink,unlinkat,rename,renameat,renameat2,link,linkat';
const NEVER_IN_THE_FOLDER = /^(truncate|unlinkat|rename|link)/;

/** Why no process can be watched here, or null when it can. */
export async function whyNoTrace(): Promise<string | null> {
  try {
    await run('strace', ['-f', '-o', '/dev/null', '-e', 'trace=fsync', process.execPath, '--version']);
    return null;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ENOENT') return 'strace is not installed';
    const forbidden = /^strace: .*(?:ptrace|attach).*$/im.exec(error.message);
    if (!forbidden) throw error;
    return `no process may be watched here (${forbidden[0]})`;
  }
}

/** Runs the workload on a fresh store; the name of its database file is `DATABASE`. */
export async function recordWorkload({ synchronous, seed }: Recording): Promise<readonly Operation[]> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-power-'));
  const notes = mkdtempSync(join(tmpdir(), 'headgate-trace-'));
  try {
    const trace = join(notes, 'trace');
    const workload = join(import.meta.dirname, 'workload.ts');
    const asked = [join(folder, DATABASE), '--seed', String(seed), '--synchronous', synchronous];
    const strace = ['-f', '--seccomp-bpf', '-xx', '-s', '100000000', '-o', trace, '-e', `trace=${CALLS}`];
    await run('strace', [...strace, process.execPath, workload, ...asked], { maxBuffer: 64 * 1024 * 1024 });
    return parseTrace(readFileSync(trace, 'latin1'), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(notes, { recursive: true, force: true });
  }
}

export const DATABASE = 'headgate.db';

type Call = { readonly name: string; readonly args: readonly string[]; readonly result: number };

const RESUMED = /^<\.\.\. (\w+) resumed>/;
const CALL = /^(\w+)\((.*)\)\s+= (-?\d+|0x[0-9a-f]+|\?)/s;

/** Calls in the order in which they came back, so that a sync counts only once it is done. */
function* callsOf(text: string): Generator<Call> {
  const begun = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const split = line.indexOf(' ');
    const process = line.slice(0, split);
    let said = line.slice(split).trimStart();
    if (said.startsWith('+++') || said.startsWith('---')) continue;
    // A descriptor is free for others from the beginning of its closing.
    if (said.startsWith('close(')) {
      yield { name: 'close', args: [String(parseInt(said.slice('close('.length), 10))], result: 0 };
      continue;
    }
    if (said.endsWith('<unfinished ...>')) {
      begun.set(process, said.slice(0, -'<unfinished ...>'.length));
      continue;
    }
    const resumed = RESUMED.exec(said);
    if (resumed?.[1] === 'close') continue;
    if (resumed) {
      said = `${begun.get(process) ?? ''}${said.slice(resumed[0].length)}`;
      begun.delete(process);
    }
    const [, name, args, result] = CALL.exec(said) ?? [];
    assert(name !== undefined && args !== undefined, `a line of the trace is understood: ${said.slice(0, 200)}`);
    yield { name, args: args.trim().split(', '), result: Number(result) };
  }
}

/** `-xx` writes every byte of a string as `\x..`, so that no comma, quote or line break is inside of one. */
const bytesOf = (quoted: string | undefined): Buffer => {
  assert(quoted !== undefined && /^"(\\x[^"]*)?"$/.test(quoted), `a whole string in hex: ${quoted?.slice(0, 80)}`);
  return Buffer.from(quoted.slice(1, -1).replaceAll('\\x', ''), 'hex');
};

/** An open descriptor: a file, the folder itself, or the shared memory, which is made anew after every start. */
type Descriptor = number | 'folder' | 'shared memory';

export function parseTrace(text: string, folder: string): readonly Operation[] {
  const operations: Operation[] = [];
  const names = new Map<string, number>();
  const open = new Map<number, Descriptor>();
  let files = 0;
  const inFolder = (quoted: string | undefined): string | null => {
    const path = bytesOf(quoted).toString();
    return dirname(path) === folder ? basename(path) : path === folder ? '' : null;
  };
  const opened = ({ args, result }: Call): void => {
    const name = inFolder(args[1]);
    if (name === null) return;
    if (name === '') return void open.set(result, 'folder');
    if (name.endsWith('-shm')) return void open.set(result, 'shared memory');
    assert(!args[2]?.includes('O_TRUNC'), `${name} is not emptied by opening it`);
    const known = names.get(name);
    const file = known ?? ++files;
    if (known === undefined) {
      names.set(name, file);
      operations.push({ kind: 'made', name, file });
    }
    open.set(result, file);
  };
  const removed = ({ args }: Call): void => {
    const name = inFolder(args[0]);
    if (name === null || name.endsWith('-shm')) return;
    names.delete(name);
    operations.push({ kind: 'removed', name });
  };
  for (const call of callsOf(text)) {
    const { name, args, result } = call;
    const descriptor = Number(args[0]);
    const where = open.get(descriptor);
    if (Number.isNaN(result) || result < 0) {
      assert(where === undefined || !name.includes('sync'), `${name} on a file of the store comes back well`);
      continue;
    }
    if (name === 'openat') opened(call);
    else if (name === 'close') open.delete(descriptor);
    else if (name === 'unlink') removed(call);
    else if (name === 'write' && descriptor === 1)
      operations.push({ kind: 'acknowledged', what: JSON.parse(bytesOf(args[1]).toString()) as Acknowledged });
    else if (name === 'mmap')
      assert(typeof open.get(Number(args[4])) !== 'number', 'no file of the store is written through memory');
    else if (NEVER_IN_THE_FOLDER.test(name))
      assert(!args.some((arg) => arg.startsWith('"') && inFolder(arg) !== null), `${name} is not used on the store`);
    else if (where === 'folder' && name.endsWith('sync')) operations.push({ kind: 'syncFolder' });
    else if (typeof where === 'number') operations.push(change(call, where));
    else assert(name !== 'pwrite64' || where !== undefined, 'only files of the store are written at an offset');
  }
  return operations;
}

function change({ name, args, result }: Call, file: number): Operation {
  switch (name) {
    case 'pwrite64':
      return { kind: 'write', file, at: Number(args[3]), bytes: bytesOf(args[1]).subarray(0, result) };
    case 'ftruncate':
      return { kind: 'resize', file, length: Number(args[1]) };
    case 'fsync':
    case 'fdatasync':
      return { kind: 'sync', file };
    default:
      throw new Error(`${name} on a file of the store is not understood`);
  }
}

/** How often a WAL was begun anew from its head because a checkpoint had taken over what it held. */
export function walRestarts(operations: readonly Operation[]): number {
  const wals = operations.flatMap((each) => (each.kind === 'made' && each.name.endsWith('-wal') ? [each.file] : []));
  const heads = operations.filter((each) => each.kind === 'write' && each.at === 0 && wals.includes(each.file));
  return heads.length - wals.length;
}

export function syncsOf(operations: readonly Operation[], name: string): ReadonlySet<Operation> {
  const files = operations.flatMap((each) => (each.kind === 'made' && each.name === name ? [each.file] : []));
  return new Set(operations.filter((each) => each.kind === 'sync' && files.includes(each.file)));
}
