/** A receiver of webhooks on a real socket: verifies each by the library of the standard, keeps what it heard, and misbehaves. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';

/** What becomes of a request that was read: a status, after a while or at once, or nothing and the connection is lost. */
export type Behaviour = {
  readonly status: number | 'lost';
  readonly afterMs?: number;
  readonly headers?: Record<string, string>;
};

export type Heard = {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly seq: number;
  /** The payload as text: the same for every try. */
  readonly body: string;
  readonly answered: number | 'lost';
};

export type Receiver = {
  readonly url: string;
  readonly heard: readonly Heard[];
  /** What no signature vouched for, or did not name itself as its header does. */
  readonly wrong: readonly string[];
  /** Read, and not answered yet. */
  readonly held: () => number;
  behave(how: (heard: Omit<Heard, 'answered'>) => Behaviour): void;
  /** Nobody listens any more; `up` takes the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
};

const WELL = (): Behaviour => ({ status: 204 });

export async function openReceiver(secret: string): Promise<Receiver> {
  const heard: Heard[] = [];
  const wrong: string[] = [];
  let how: (heard: Omit<Heard, 'answered'>) => Behaviour = WELL;
  let held = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const told = read(body, request, secret);
    if (typeof told === 'string') return void wrong.push(told);
    const { status, afterMs = 0, headers = {} } = how(told);
    heard.push({ ...told, answered: status });
    held += 1;
    if (afterMs > 0) await new Promise((done) => setTimeout(done, afterMs).unref());
    held -= 1;
    if (status === 'lost') request.socket.destroy();
    else response.writeHead(status, headers).end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy()); // whoever asked is dead
  });
  const port = await listening(server, 0);
  const down = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise<void>((done) => server.close(() => done()));
  };
  return {
    url: `http://127.0.0.1:${port}/hook`,
    heard,
    wrong,
    held: () => held,
    behave(next) {
      how = next;
    },
    down,
    async up() {
      if (!server.listening) await listening(server, port);
    },
    close: down,
  };
}

async function listening(server: Server, port: number): Promise<number> {
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', done);
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** What a webhook says, or what is wrong with it. */
function read(body: string, { headers }: IncomingMessage, secret: string): Omit<Heard, 'answered'> | string {
  try {
    // The library gives back what it verified, or throws.
    const told = new Webhook(secret).verify(body, headers as Record<string, string>) as any;
    const { id, seq, release, target } = told.data;
    if (Buffer.byteLength(body) >= 20_000) return `${id} is ${Buffer.byteLength(body)} bytes long`;
    if (headers['webhook-id'] !== id || !Number.isFinite(Date.parse(told.timestamp))) return `${id} is not what its header says`;
    return { id, type: told.type, subject: release ?? target ?? '', seq: seq ?? 0, body };
  } catch (error) {
    return String(error);
  }
}
