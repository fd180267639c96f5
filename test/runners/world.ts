/** A service in this process, whose metrics know one bad version, for pipelines to release with. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from '../../src/app.ts';
import { configOf, QUICK, routersText, servicesText, slotsText } from '../edge.ts';
import { get, put } from '../e2e/harness.ts';
import { QUIET } from '../service.ts';

export type PipelineWorld = {
  readonly server: string;
  /** Of a service, the releases there are. */
  releases(name: string): Promise<readonly Found[]>;
  close(): Promise<void>;
};
export type Found = {
  readonly phase: { readonly kind: string };
  readonly rollback: object | null;
  readonly createdBy: string;
};

export const planText = (name: string, hold: string): string => `service: ${name}
steps: [50%]
hold: ${hold}
interval: 1s
minMeasurements: 1
checks: { sick: { kind: threshold, max: 1, hardMax: 5 } }
`;

export async function pipelineWorld(names: readonly string[]): Promise<PipelineWorld> {
  const slot = createServer((request, answer) => {
    const isBad = new URL(request.url ?? '/', 'http://here').searchParams.get('version') === 'bad';
    answer.setHeader('content-type', 'application/json').end(JSON.stringify({ value: isBad ? 10 : 0 }));
  });
  await new Promise<void>((done) => slot.listen(0, '127.0.0.1', done));
  const here = `http://127.0.0.1:${(slot.address() as AddressInfo).port}`;
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ":memory:" }
${QUICK}
providers:
  stats:
    type: web
    checks: { sick: { kind: threshold, url: '${here}/?version={{canary}}', at: now, value: /value } }
${routersText(names, slotsText(here))}${servicesText(names, 'provider: stats')}`;
  const app = await createApp(configOf(text), QUIET);
  const server = await app.listen();
  for (const name of names) await put(`${server}/v1/services/${name}/stable`, { version: '1' });
  return {
    server,
    releases: async (name) => (await get(`${server}/v1/releases?service=${name}`)).body.items,
    async close() {
      await app.close(1_000);
      slot.closeAllConnections();
      slot.close();
    },
  };
}
