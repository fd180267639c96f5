/** A whole service in this process, with an edge before slots that nobody asks: for tests of the API alone. */
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import type { Log } from '../src/ports/log.ts';
import { configOf, openSlot, QUICK, routersText, servicesText, slotsText } from './edge.ts';

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
  const slot = await openSlot('here');
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: "${file}" }
${QUICK}
providers: { edge: { type: edge } }
${routersText(names, slotsText(slot.url))}${servicesText(names)}`;
  const app = await createApp(configOf(text), log);
  return {
    app,
    async closing() {
      await app.close(1_000);
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
