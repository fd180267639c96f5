/** A real InfluxDB with users: `admin` may do everything, `headgate` (password `secret`) may read the database `telegraf`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, scratch, start, until } from './programs.ts';
import type { Program } from './programs.ts';

export type RealInfluxdb = {
  readonly url: string;
  /** Lines of its line protocol, times in ms. */
  write(lines: readonly string[]): Promise<void>;
  program(): Program;
  startAgain(): Promise<void>;
  close(): Promise<void>;
};

const ADMIN = `Basic ${Buffer.from('admin:admin').toString('base64')}`;

export async function realInfluxdb(): Promise<RealInfluxdb> {
  const { dir, remove } = scratch('influxdb');
  const [port, rpc] = [await freePort(), await freePort()];
  const configuration = join(dir, 'influxdb.conf');
  writeFileSync(
    configuration,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${join(dir, 'meta')}"
[data]
  dir = "${join(dir, 'data')}"
  wal-dir = "${join(dir, 'wal')}"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  auth-enabled = true
  log-enabled = false
`,
  );
  const url = `http://127.0.0.1:${port}`;
  let program: Program;
  const startAgain = async (): Promise<void> => {
    program = start('influxd', ['-config', configuration]);
    await until('InfluxDB', async () => {
      if (program.child.exitCode !== null) throw new Error(`influxd ended: ${program.said()}`);
      return (await fetch(`${url}/ping`).catch(() => null))?.ok ?? false;
    });
  };
  await startAgain();
  const run = async (q: string): Promise<void> => {
    const answer = await fetch(`${url}/query`, {
      method: 'POST',
      body: new URLSearchParams({ q }),
      headers: { authorization: ADMIN },
    });
    const text = await answer.text();
    if (!answer.ok || text.includes('"error"')) throw new Error(`${q}: ${text}`);
  };
  await run(`CREATE USER "admin" WITH PASSWORD 'admin' WITH ALL PRIVILEGES`);
  await run('CREATE DATABASE "telegraf"');
  await run(`CREATE USER "headgate" WITH PASSWORD 'secret'`);
  await run('GRANT READ ON "telegraf" TO "headgate"');
  return {
    url,
    async write(lines) {
      const answer = await fetch(`${url}/write?db=telegraf&precision=ms`, {
        method: 'POST',
        body: lines.join('\n'),
        headers: { authorization: ADMIN },
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    program: () => program,
    startAgain,
    async close() {
      await program.kill();
      remove();
    },
  };
}
