/** A real HAProxy, started with the configuration of `docs/routers/haproxy.md` as it stands there, addresses replaced. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeBlock, freePort, scratch, start, until } from './programs.ts';
import type { Program } from './programs.ts';

export type HaproxyForm = 'map' | 'sticky' | 'weights';

export type RealHaproxy = {
  /** Where users ask. */
  readonly url: string;
  readonly port: number;
  /** As `nodes` in the configuration names it. */
  readonly socket: string;
  readonly map: string;
  readonly dir: string;
  /** What it answers to a command. */
  ask(command: string): Promise<string>;
  /** A new worker takes over, and the old one ends. */
  reload(): Promise<void>;
  /** Killed hard, and started anew from its files. */
  restart(): Promise<void>;
  kill(): Promise<void>;
  startAgain(): Promise<void>;
  close(): Promise<void>;
};

export type Slots = { readonly blue: number; readonly green: number };

/** Nodes that serve as one have the map's file under one name. */
export async function realHaproxy(slots: Slots, form: HaproxyForm = 'map', sharedMap?: string): Promise<RealHaproxy> {
  const { dir, remove } = scratch('haproxy');
  const port = await freePort();
  const socketFile = join(dir, 'ctl.sock');
  const map = sharedMap ?? join(dir, 'headgate.map');
  const configuration = join(dir, 'haproxy.cfg');
  writeFileSync(map, 'app 0\n');
  writeFileSync(configuration, configurationOf(form, { port, socketFile, map, slots }));
  await promisify(execFile)('haproxy', ['-c', '-f', configuration]);

  const ask = (command: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = '';
      const socket = connect({ path: socketFile, allowHalfOpen: true });
      socket.on('data', (part: Buffer) => (text += part.toString()));
      socket.on('end', () => (socket.destroy(), resolve(text)));
      socket.on('error', reject);
      socket.end(`${command}\n`);
    });
  const worker = async (): Promise<string> => /^Pid: (\d+)$/m.exec(await ask('show info').catch(() => ''))?.[1] ?? '';
  let program: Program;
  const startAgain = async (): Promise<void> => {
    program = start('haproxy', ['-W', '-db', '-f', configuration]);
    await until('HAProxy', async () => {
      if (program.child.exitCode !== null) throw new Error(`haproxy ended: ${program.said()}`);
      return existsSync(socketFile) && (await worker()) !== '';
    });
  };
  const kill = async (): Promise<void> => {
    // A master that is killed leaves its workers behind, who would go on with the port.
    const pids = [await worker(), ...childrenOf(program.child.pid)].filter((pid) => pid !== '');
    await program.kill('SIGKILL');
    for (const pid of new Set(pids)) killHard(Number(pid));
    await until('the end of HAProxy', async () => (await worker()) === '');
  };
  await startAgain();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    socket: `unix:${socketFile}`,
    map,
    dir,
    ask,
    async reload() {
      const before = await worker();
      const isNew = async (): Promise<boolean> => ![before, ''].includes(await worker());
      // A master that has just started may not hear its first signal.
      for (let tries = 0; tries < 3 && !(await isNew()); tries++) {
        program.child.kill('SIGUSR2');
        await until('the new worker', isNew, 5_000).catch(() => {});
      }
      await until('the new worker', isNew, 1);
    },
    async restart() {
      await kill();
      await startAgain();
    },
    kill,
    startAgain,
    async close() {
      await kill();
      remove();
    },
  };
}

function childrenOf(pid: number | undefined): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  } catch {
    return [];
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

type Addresses = { readonly port: number; readonly socketFile: string; readonly map: string; readonly slots: Slots };

function configurationOf(form: HaproxyForm, { port, socketFile, map, slots }: Addresses): string {
  const whole = codeBlock('routers/haproxy.md', 'haproxy');
  const draw = codeBlock('routers/haproxy.md', 'haproxy-sticky');
  const backend = codeBlock('routers/haproxy.md', 'haproxy-weights');
  const page =
    form === 'sticky'
      ? whole.replace(/^.*rand\(10000\).*\n/m, (line) => `${line}${draw.replace('req.cook(uid)', 'req.hdr(x-user)')}`)
      : form === 'weights'
        ? `${whole.slice(0, whole.indexOf('    # The value holds'))}    default_backend app\n\n${backend}`
        : whole;
  return page
    .replace('/run/haproxy/headgate.sock', socketFile)
    .replaceAll('/etc/haproxy/headgate.map', map)
    .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:3001', `127.0.0.1:${slots.blue}`)
    .replaceAll('127.0.0.1:3002', `127.0.0.1:${slots.green}`);
}
