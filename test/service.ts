/** A whole service in this process, with an edge before slots that nobody asks: for tests of the API alone. */
import { createServer } from 'node:http';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { parseConfig } from '../src/config.ts';
import type { Log } from '../src/ports/log.ts';

export const QUIET: Log = { debug() {}, info() {}, warn() {}, error() {} };

export type Service = {
  readonly app: App;
  readonly closing: () => Promise<void>;
  ask(method: string, path: string, asked?: Asked): Promise<Told>;
};
export type Asked = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };
// The wire is what is tested here, so its bodies are read as they come.
export type Told = { readonly status: number; readonly body: any; readonly headers: Headers };

export async function service(names: readonly string[], file = ':memory:', log = QUIET): Promise<Service> {
  const slot = createServer((_request, response) => void response.end('here'));
  await new Promise<void>((done) => slot.listen(0, '127.0.0.1', done));
  const address = slot.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: "${file}" }
settings: { settleMin: 1s, applyTimeout: 500ms, reconcileEvery: 1s }
routers:
  front:
    type: edge
    listen: 127.0.0.1:0
    routes:
${names.map((name) => `      ${name}: { match: { path: /${name} }, slots: { blue: { url: ${url} }, green: { url: ${url} } } }`).join('\n')}
providers: { edge: { type: edge } }
services:
${names.map((name) => `  ${name}: { provider: edge, targets: [{ router: front, route: ${name} }] }`).join('\n')}
`;
  const config = parseConfig({ text, secrets: { env: () => undefined, file: () => undefined }, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const app = await createApp(config.value, log);
  return {
    app,
    async closing() {
      await app.close(1_000);
      slot.closeAllConnections();
      slot.close();
    },
    async ask(method, path, { body, headers = {} } = {}) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const answer = await app.fetch(
        new Request(`http://headgate${path}`, { method, headers: { ...type, ...headers }, ...sent }),
      );
      return { status: answer.status, body: await answer.json(), headers: answer.headers };
    },
  };
}

export const planOf = (name: string, more: object = {}): object => ({
  service: name,
  interval: '1s',
  steps: ['5%', '50%'],
  hold: '1h',
  checks: ['errors'],
  ...more,
});
