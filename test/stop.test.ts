/** The real process asked to end while a release moves: it ends in time, with its promise kept, and the next one goes on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openShop } from '../src/demo/shop.ts';
import { configText, freePort, get, post, put, ready, spawnServer } from './e2e/harness.ts';

test('SIGTERM in the middle of a release ends the process well, and the next one goes on with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-stop-'));
  const shops = [
    await openShop('1', { errorShare: 0, medianMs: 2 }, Math.random),
    await openShop('2', { errorShare: 0, medianMs: 2 }, Math.random),
  ];
  const [apiPort, edgePort] = [await freePort(), await freePort()];
  const api = `http://127.0.0.1:${apiPort}`;
  const config = join(folder, 'headgate.yaml');
  const [blue = '', green = ''] = shops.map(({ url }) => url);
  writeFileSync(config, configText({ apiPort, edgePort, file: join(folder, 'headgate.db'), blue, green }));
  const first = spawnServer(config);
  await ready(api, first);
  await put(`${api}/v1/services/shop/stable`, { version: '1' });
  const plan = { service: 'shop', interval: '1s', hold: '2s', minMeasurements: 1, steps: ['5%', '20%', '60%'], checks: [] };
  const started = await post(`${api}/v1/releases`, { plan, version: '2' });
  const stopped = new Promise<number | null>((done) => first.once('exit', (code) => done(code)));
  const startedMs = performance.now();
  first.kill('SIGTERM');
  expect(await stopped).toBe(0);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  const second = spawnServer(config);
  try {
    await ready(api, second);
    const ended = await get(`${api}/v1/releases/${started.body.id}/wait?timeout=60s`);
    expect(ended.body.release).toMatchObject({ phase: { kind: 'promoted' }, quarantined: null });
  } finally {
    second.kill('SIGKILL');
    for (const shop of shops) await shop.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
