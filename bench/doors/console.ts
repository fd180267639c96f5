/**
 * `npm run bench:console`: 2,000 readers of events at one event a second (how long from the commit to the reader, and what it
 * costs the service), a list of 10,000 releases, and what the overview weighs until it is painted.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { get, post } from '../../test/e2e/harness.ts';
import { load, percentiles, row, standing } from './harness.ts';
import { paint } from './paint.ts';

const READERS = Number(process.env['BENCH_READERS'] ?? 2_000);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 30);
const RELEASES = Number(process.env['BENCH_RELEASES'] ?? 10_000);

const bench = await standing(RELEASES);
process.once('exit', () => bench.child.kill('SIGKILL'));
const { hostname, port } = new URL(bench.api);
const latencies: number[] = [];
const counts = Array.from({ length: READERS }, () => 0);
const sockets: Socket[] = [];

function reader(index: number): Promise<void> {
  return new Promise((open, fail) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('error', fail);
    socket.on('data', (part: Buffer) => {
      const nowMs = Date.now();
      text += part.toString('latin1');
      open();
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const at = /^data: .*"at":(\d+)/m.exec(text.slice(0, end))?.[1];
        text = text.slice(end + 2);
        if (at === undefined) continue;
        latencies.push(nowMs - Number(at));
        counts[index] = (counts[index] ?? 0) + 1;
      }
    });
    socket.write(`GET /v1/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`);
    sockets.push(socket);
  });
}
const used = async (): Promise<{ cpu: number; mb: number }> => {
  const text = await (await fetch(`${bench.api}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
  return { cpu: value('process_cpu_seconds_total'), mb: value('process_resident_memory_bytes') / 1e6 };
};

const idle = await used();
await sleep(5_000);
const rested = await used();
for (let index = 0; index < READERS; index += 100)
  await Promise.all(Array.from({ length: Math.min(100, READERS - index) }, (_, each) => reader(index + each)));
const before = await used();
const startMs = performance.now();
for (let turn = 0; turn < SECONDS; turn++) {
  const path = `${bench.api}/v1/releases/${bench.ids[0]}/commands/${turn % 2 === 0 ? 'pause' : 'resume'}`;
  const { status } = await post(path, {});
  if (status !== 200) throw new Error(`a command was answered ${status}`);
  await sleep(Math.max(0, startMs + (turn + 1) * 1_000 - performance.now()));
}
await sleep(1_000);
const after = await used();
const seconds = (performance.now() - startMs) / 1000;
if (latencies.length === 0) throw new Error('no reader got an event');
const { p50, p99 } = percentiles(latencies);
const missed = counts.filter((count) => count !== counts[0]).length;
process.stdout.write(
  `${READERS} readers, one event a second for ${SECONDS} s: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms from commit to reader; ` +
    `${counts[0]} events each, ${missed} readers got another number\n` +
    `service: ${((100 * (after.cpu - before.cpu)) / seconds).toFixed(0)} % of a core (${((100 * (rested.cpu - idle.cpu)) / 5).toFixed(0)} % without readers), ` +
    `${after.mb.toFixed(0)} MB (${idle.mb.toFixed(0)} MB without)\n`,
);
for (const socket of sockets) socket.destroy();
await sleep(500);

for (const query of [
  'limit=50',
  'limit=50&q=1.77',
  'limit=50&q=nothing-like-it',
  'limit=50&phase=rolledBack',
  'limit=50&version=1.5000',
]) {
  const timed = await load(1, 3_000, () => get(`${bench.api}/v1/releases?${query}`));
  row(`${RELEASES} releases, ${query}`, timed);
}
await paint(bench);
await bench.close();
