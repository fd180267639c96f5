/** A web application to release, as users have them: it exports metrics by version, has a health check, and can be fenced. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Behaviour = { readonly errorShare: number; readonly ms: number };

export type ChaosApp = {
  readonly port: number;
  /** Another version in the same place, counting from zero like a process that was started anew. */
  deploy(version: string, behaviour: Behaviour): void;
  /** Another behaviour of the same version: trouble that begins in the middle. */
  behave(behaviour: Behaviour): void;
  isFenced(): boolean;
  close(): Promise<void>;
};

const BOUNDS = [0.005, 0.025, 0.1, 0.5, 2];

export async function chaosApp(version: string, behaviour: Behaviour, random: () => number): Promise<ChaosApp> {
  const now = { version, behaviour, fenced: false, well: 0, failed: 0, buckets: BOUNDS.map(() => 0), seconds: 0 };
  const count = (isError: boolean, seconds: number): void => {
    if (isError) now.failed++;
    else now.well++;
    now.seconds += seconds;
    BOUNDS.forEach((bound, index) => void (seconds <= bound && (now.buckets[index] = (now.buckets[index] ?? 0) + 1)));
  };
  const metrics = (): string => {
    const of = (more: string): string => `{service="shop",version="${now.version}"${more}}`;
    const total = now.well + now.failed;
    return [
      `http_requests_total${of(',code="200"')} ${now.well}`,
      ...(now.failed > 0 ? [`http_requests_total${of(',code="500"')} ${now.failed}`] : []),
      ...BOUNDS.map((bound, index) => `http_request_duration_seconds_bucket${of(`,le="${bound}"`)} ${now.buckets[index]}`),
      `http_request_duration_seconds_bucket${of(',le="+Inf"')} ${total}`,
      `http_request_duration_seconds_sum${of('')} ${now.seconds}`,
      `http_request_duration_seconds_count${of('')} ${total}`,
      '',
    ].join('\n');
  };
  const server = createServer((request, answer) => {
    if (request.url === '/metrics') return void answer.setHeader('content-type', 'text/plain; version=0.0.4').end(metrics());
    if (request.url === '/healthz') return void answer.writeHead(now.fenced ? 503 : 200).end();
    if (request.url === '/fence') return fence(request, answer, (fenced) => void (now.fenced = fenced));
    answer.setHeader('x-version', now.version);
    const beganMs = performance.now();
    const isError = random() < now.behaviour.errorShare;
    setTimeout(() => {
      count(isError, (performance.now() - beganMs) / 1000);
      answer.writeHead(isError ? 500 : 200).end('hello');
    }, now.behaviour.ms);
  });
  // Longer than HAProxy keeps its side of a connection, so that it is never the application that hangs up.
  server.keepAliveTimeout = 120_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    deploy(next, changed) {
      Object.assign(now, { version: next, behaviour: changed, fenced: false });
      Object.assign(now, { well: 0, failed: 0, buckets: BOUNDS.map(() => 0), seconds: 0 });
    },
    behave: (changed) => void (now.behaviour = changed),
    isFenced: () => now.fenced,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close').catch(() => {});
    },
  };
}

function fence(request: IncomingMessage, answer: ServerResponse, set: (fenced: boolean) => void): void {
  let body = '';
  request.on('data', (part: Buffer) => (body += part.toString()));
  request.on('end', () => {
    set(body.includes('true'));
    answer.end();
  });
}
