/** What tests of a whole service are made of: slots that answer, and a configuration with the edge before them. */
import { createServer } from 'node:http';
import { parseConfig } from '../src/config.ts';
import type { Config } from '../src/config.ts';

export type Slot = { readonly url: string; close(): void };

export async function openSlot(says: string): Promise<Slot> {
  const server = createServer((_request, response) => void response.end(says));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Settings under which a test does not have to wait. */
export const QUICK = 'settings: { settleMin: 1s, applyTimeout: 500ms, reconcileEvery: 1s }';

export const slotsText = (blue: string, green = blue): string => `slots: { blue: { url: ${blue} }, green: { url: ${green} } }`;

/** An edge with one route for each name, which other routers may follow. */
export const routersText = (names: readonly string[], slots: string): string => `routers:
  front:
    type: edge
    listen: 127.0.0.1:0
    routes:
${names.map((name) => `      ${name}: { match: { path: /${name} }, ${slots} }`).join('\n')}
`;

/** One service for each name behind that edge, which other services may follow. */
export const servicesText = (names: readonly string[], what = 'provider: edge'): string => `services:
${names.map((name) => `  ${name}: { ${what}, targets: [{ router: front, route: ${name} }] }`).join('\n')}
`;

type Reading = { readonly dev?: boolean; readonly env?: (name: string) => string | undefined };

export function configOf(text: string, { dev = true, env = () => undefined }: Reading = {}): Config {
  const config = parseConfig({ text, secrets: { env, file: () => undefined }, dev });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  return config.value;
}
