/**
 * Work on the console: the demo world behind it, its pages with reload before it. The page has a corner that starts
 * releases and makes a canary bad; it is in no build, and what it calls is served here and nowhere else.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createVite } from 'vite';
import { BAD, GOOD, openWorld } from '../src/demo/world.ts';

const PORT = 5173;

const plan = (service: string): string => `service: ${service}
interval: 1s
hold: 20s
steps: [1%, 5%, 25%, { approve: { by: 1, within: 30m } }, 50%]
bake: { for: 20s, holdBack: 10% }
checks:
  errors: { kind: ratio, minRequests: 20, hardMax: 50% }
  latency: { kind: latency, minRequests: 20, tolerance: 100% }
`;

const folder = mkdtempSync(join(tmpdir(), 'headgate-dev-'));
const world = await openWorld({ folder, perSecond: 80 });
let minor = 0;

async function act(path: string, service: string): Promise<string> {
  if (!world.services.includes(service)) return `no service ${service}`;
  if (path === '/demo/bad' || path === '/demo/good') {
    await world.behave(service, path === '/demo/bad' ? BAD : GOOD);
    return `the idle slot of ${service} is ${path.slice(6)} now`;
  }
  minor += 1;
  const version = `1.${minor}.0`;
  await world.deploy(service, version);
  const answer = await fetch(`${world.url}/v1/releases`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-headgate-actor': 'ci:dev', 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify({ plan: plan(service), version }),
  });
  return answer.ok ? `${service} ${version} is on its way` : await answer.text();
}

const control = createServer((request: IncomingMessage, response) => {
  const url = new URL(request.url ?? '/', 'http://demo');
  void act(url.pathname, url.searchParams.get('service') ?? '').then((text) => response.end(text));
});
await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
const address = control.address();
const demo = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
await act('/demo/release', 'shop');

const vite = await createVite({
  configFile: join(import.meta.dirname, '../web/vite.config.ts'),
  server: {
    host: '127.0.0.1',
    port: PORT,
    proxy: { '/v1': world.url, '/healthz': world.url, '/openapi.json': world.url, '/demo': demo },
  },
});
await vite.listen();
vite.printUrls();
process.stdout.write(`  the service itself, with the built console: ${world.url}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    control.close();
    void Promise.all([vite.close(), world.close()]).then(() => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(0);
    });
  });
