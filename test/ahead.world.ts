/** A Prometheus that answers range queries of two counters: a hundred requests a second, one in a hundred bad, of version 2 one in ten. */
import { createServer } from 'node:http';

export type FakeProm = { readonly url: string; close(): Promise<void> };

const RATES = [
  { version: '1', perSecond: 90, bad: 0.01 },
  { version: '2', perSecond: 10, bad: 0.1 },
];

export async function startProm(): Promise<FakeProm> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const query = new URLSearchParams(
        request.method === 'POST' ? Buffer.concat(chunks).toString() : (request.url ?? '').split('?')[1],
      );
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ status: 'success', data: rangeOf(query) }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    close: () => new Promise((done) => server.close(() => done())),
  };
}

function rangeOf(query: URLSearchParams) {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number.parseFloat(query.get(name) ?? '0'));
  const times = Array.from({ length: Math.floor((end! - start!) / step! + 1e-6) + 1 }, (_, index) => start! + index * step!);
  const result = RATES.flatMap(({ version, perSecond, bad }) => {
    const counted = (at: number): number => Math.round((at - EPOCH_S) * perSecond);
    const parts: Record<string, (at: number) => number> = {
      total: counted,
      bad: (at) => Math.round(counted(at) * bad),
      at: (at) => at,
    };
    return Object.entries(parts).map(([headgate_part, value]) => ({
      metric: { version, instance: `${version}-a`, headgate_part },
      values: times.map((at) => [at, String(value(at))]),
    }));
  });
  return { resultType: 'matrix', result };
}

const EPOCH_S = 1_700_000_000;
