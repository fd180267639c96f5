/** A flag platform over HTTP that answers what it is told to, and keeps what it was asked. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

export type Asked = { readonly path: string; readonly headers: IncomingHttpHeaders };

export type Platform = {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** By path without its query: what is answered with 200, or a status of its own; anything else is 404. */
  readonly answers: Map<string, unknown>;
  /** Answers everything with this status instead; `hangs` answers nothing at all. */
  mode: 'up' | 'hangs' | number;
  close(): Promise<void>;
};

export async function openPlatform(): Promise<Platform> {
  const asked: Asked[] = [];
  const answers = new Map<string, unknown>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push({ path, headers: request.headers });
    if (platform.mode === 'hangs') return;
    const found = answers.get(path.split('?')[0] ?? '');
    const status = platform.mode === 'up' ? (found === undefined ? 404 : 200) : platform.mode;
    response.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' });
    response.end(typeof found === 'string' ? found : JSON.stringify(found ?? { message: 'no' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const platform: Platform = {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    asked,
    answers,
    mode: 'up',
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
  return platform;
}

/** A flag of LaunchDarkly with its default rule on `percent` of everybody, in one environment. */
export const darklyFlag = (percent: number, { on = true, version = 7, rules = [] as unknown[] } = {}) => ({
  name: 'Checkout v2',
  kind: 'boolean',
  key: 'checkout-v2',
  _version: version,
  archived: false,
  variations: [
    { _id: 'a', value: true, name: 'new' },
    { _id: 'b', value: false, name: 'old' },
  ],
  environments: {
    production: {
      on,
      archived: false,
      version,
      lastModified: 1_755_770_000_000 + version,
      fallthrough: {
        rollout: {
          variations: [
            { variation: 0, weight: percent * 1_000 },
            { variation: 1, weight: 100_000 - percent * 1_000 },
          ],
        },
      },
      offVariation: 1,
      rules,
      targets: [],
      contextTargets: [],
      prerequisites: [],
    },
  },
});
export const DARKLY_PATH = '/api/v2/flags/default/checkout-v2';
