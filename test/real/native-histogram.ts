/** An exporter of a native histogram, which only the binary form of the exposition can carry. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Exporter } from './prometheus.ts';

export type Native = {
  readonly name: string;
  readonly version: string;
  /** Eight buckets to a doubling; the first of these has the upper bound 2^(first/8). */
  readonly first: number;
  readonly counts: readonly number[];
};

/** Its `text` is not used: what it exports is `seen`, asked at every scrape. */
export async function nativeExporter(seen: () => Native): Promise<Exporter> {
  const type = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
  const server = createServer((_, answer) => void answer.setHeader('content-type', type).end(exposition(seen())));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    target: `127.0.0.1:${port}`,
    text: '',
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close').catch(() => {});
    },
  };
}

const SCHEMA = 3;
const HISTOGRAM = 4;

function exposition({ name, version, first, counts }: Native): Buffer {
  const count = counts.reduce((sum, one) => sum + one, 0);
  const deltas = counts.map((one, index) => one - (counts[index - 1] ?? 0));
  const span = Buffer.concat([integer(1, zigzag(first)), integer(2, counts.length)]);
  const histogram = Buffer.concat([
    integer(1, count),
    double(2, count),
    integer(5, zigzag(SCHEMA)),
    double(6, 1e-9),
    integer(7, 0),
    bytes(12, span),
    ...deltas.map((delta) => integer(13, zigzag(delta))),
  ]);
  const label = Buffer.concat([bytes(1, 'version'), bytes(2, version)]);
  const metric = Buffer.concat([bytes(1, label), bytes(7, histogram)]);
  const family = Buffer.concat([bytes(1, name), integer(3, HISTOGRAM), bytes(4, metric)]);
  return Buffer.concat([varint(family.length), family]);
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function varint(value: number): Buffer {
  const parts: number[] = [];
  let rest = value;
  for (; 127 < rest; rest = Math.floor(rest / 128)) parts.push((rest % 128) + 128);
  return Buffer.from([...parts, rest]);
}

const integer = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);

function double(field: number, value: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + 1), number]);
}

function bytes(field: number, value: Buffer | string): Buffer {
  const data = Buffer.from(value);
  return Buffer.concat([varint(field * 8 + 2), varint(data.length), data]);
}
