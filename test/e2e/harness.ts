/** What end-to-end tests and benches share: a real service process with an edge before two shops, and a client for its API. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Far more than it takes on a machine that does nothing else. */
const READY_MS = 60_000;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

export function spawnServer(config: string): ChildProcess {
  return spawn(process.execPath, ['src/main.ts', 'serve', '--dev', '--config', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

export async function ready(api: string, child: ChildProcess): Promise<void> {
  let last = 'nothing';
  for (const endMs = performance.now() + READY_MS; performance.now() < endMs; await sleep(25)) {
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null) throw new Error(`the service ended with ${ended} before it was ready`);
    try {
      const answer = await fetch(`${api}/readyz`, { signal: AbortSignal.timeout(5_000) });
      if (answer.ok) return;
      last = await answer.text();
    } catch (error) {
      last = String(error instanceof Error ? (error.cause ?? error) : error); // not listening yet
    }
  }
  throw new Error(`the service was not ready within ${READY_MS / 1000} s; it said ${last}`);
}

// The wire is what is tested here, so its bodies are read as they come.
export type Answer = { status: number; body: any };

export const get = async (url: string): Promise<Answer> => answer(await fetch(url));
export const post = async (url: string, body: unknown): Promise<Answer> => answer(await fetch(url, json('POST', body)));
export const put = async (url: string, body: unknown): Promise<Answer> => answer(await fetch(url, json('PUT', body)));
const json = (method: string, body: unknown) => ({
  method,
  // Whatever it is by now: what is tested here is not who saw what.
  headers: { 'content-type': 'application/json', 'if-match': '*' },
  body: JSON.stringify(body),
});
const answer = async (response: Response): Promise<Answer> => ({
  status: response.status,
  body: await response.json().catch(() => ({})),
});

export type World = {
  readonly apiPort: number;
  readonly edgePort: number;
  readonly file: string;
  readonly blue: string;
  readonly green: string;
  /** YAML of the plans, indented by two. */
  readonly settings?: string;
};

export const configText = ({
  apiPort,
  edgePort,
  file,
  blue,
  green,
  settings = '',
}: World): string => `server: { listen: 127.0.0.1:${apiPort} }
store: { sqlite: ${file} }
settings: { settleMin: 2s, reconcileEvery: 1s${settings} }
routers:
  front:
    type: edge
    listen: 127.0.0.1:${edgePort}
    routes:
      app: { slots: { blue: { url: ${blue} }, green: { url: ${green} } } }
providers:
  edge: { type: edge, router: front }
services:
  shop:
    provider: edge
    targets: [{ router: front, route: app, cell: local, slots: [blue, green] }]
`;
