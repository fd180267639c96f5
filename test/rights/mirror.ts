/**
 * What Headgate shows its secrets to, at its worst: a server that answers whatever it is asked with all that it was sent, in
 * every form in which a metric store, a flag platform or a receiver says what is wrong; and a collector of spans.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Mirror = {
  readonly url: string;
  /** What it was shown, one text for each request. */
  readonly seen: readonly string[];
  /** The bodies that came to the collector. */
  readonly spans: readonly string[];
  close(): void;
};

export async function mirror(): Promise<Mirror> {
  const [seen, spans]: [string[], string[]] = [[], []];
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      if (request.url === '/v1/traces') {
        spans.push(body);
        return void answer.setHeader('content-type', 'application/json').end('{}');
      }
      const shown = `${request.method} ${request.url} ${JSON.stringify(request.headers)} ${body}`;
      seen.push(shown);
      return reflect(request, answer, shown);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    seen,
    spans,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The first part of the path is the status. */
function reflect({ url = '' }: IncomingMessage, answer: ServerResponse, shown: string): void {
  // The credentials first: who shortens what he was told keeps its beginning.
  const words = shown.replace(/^(.*?)(\{.*)$/s, '$2 $1');
  const wrong = {
    status: 'error',
    errorType: 'bad_data',
    error: words,
    message: words,
    details: [{ message: words }],
    name: words,
  };
  const results = [{ error: words, statement_id: 0 }];
  answer.writeHead(Number(/^\/(\d{3})/.exec(url)?.[1] ?? 401), {
    'content-type': 'application/json',
    'www-authenticate': 'Basic',
  });
  answer.end(JSON.stringify({ ...wrong, results, warnings: [words] }));
}
