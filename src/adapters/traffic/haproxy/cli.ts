/**
 * One exchange with a stats socket: a line of commands, everything it answers, and the end. A connection of its own per
 * exchange, half-closed after writing, because the master's socket keeps it open otherwise. There is no status code:
 * success is an empty answer, so what comes back is read by whoever sent it.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';

/** `unix:/path` or `tcp:host:port`. */
export type Ask = (node: string, commands: readonly string[], signal: AbortSignal) => Promise<Result<string, string>>;

/** The largest answer is `show stat` of thousands of servers. */
const MOST_BYTES = 16 << 20;

export const askBy =
  (timeoutMs: number): Ask =>
  (node, commands, signal) =>
    new Promise((resolve) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      if (limited.aborted) return resolve(err('the call was cancelled before it began'));
      const socket = open(node);
      const parts: Buffer[] = [];
      let bytes = 0;
      const finish = (answer: Result<string, string>): void => {
        limited.removeEventListener('abort', late);
        socket.destroy();
        resolve(answer);
      };
      const late = (): void => finish(err(signal.aborted ? 'no answer in time' : `no answer within ${timeoutMs} ms`));
      limited.addEventListener('abort', late, { once: true });
      socket.on('data', (part: Buffer) => {
        parts.push(part);
        bytes += part.length;
        if (MOST_BYTES < bytes) finish(err('an answer without end'));
      });
      socket.on('error', (error: NodeJS.ErrnoException) => finish(err(error.code ?? error.message)));
      socket.on('end', () => finish(bytes === 0 ? err('the connection was closed without an answer') : ok(textOf(parts))));
      socket.end(`${commands.join(';')}\n`);
    });

const textOf = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString('utf8');

function open(node: string): Socket {
  if (node.startsWith('unix:')) return connect({ path: node.slice('unix:'.length), allowHalfOpen: true });
  const [host = '', port = ''] = node.slice('tcp:'.length).split(':');
  return connect({ host, port: Number(port), allowHalfOpen: true });
}

/** The process behind the socket, by `show info`: another one after every restart and every reload. */
export function bootOf(answer: string): string | null {
  const pid = /^Pid: (\d+)$/m.exec(answer)?.[1];
  const since = /^Start_time_sec: (\d+)$/m.exec(answer)?.[1];
  return pid === undefined ? null : `${pid}@${since ?? '?'}`;
}

/** One line of `show stat`. */
export type Stat = Readonly<Record<string, string>>;

/** The table in an answer to `show stat`: a header that begins with `# pxname`, then one line each. */
export function statsOf(answer: string): readonly Stat[] {
  const lines = answer.split('\n');
  const head = lines.findIndex((line) => line.startsWith('# pxname,'));
  if (head === -1) return [];
  const columns = (lines[head] ?? '').slice(2).split(',');
  const end = lines.indexOf('', head);
  return lines
    .slice(head + 1, end === -1 ? undefined : end)
    .map((line) => Object.fromEntries(line.split(',').map((value, index) => [columns[index] ?? '', value])));
}
