/** A service that asks who calls, in this process: tokens are made as the first person on a machine would make them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/app.ts';
import type { App } from '../../src/app.ts';
import type { Log } from '../../src/ports/log.ts';
import { configOf, openSlot, QUICK, routersText, servicesText, slotsText } from '../edge.ts';

export type Body = Record<string, any>;
export type Answer = { readonly status: number; readonly body: Body; readonly text: string; readonly headers: Headers };
export type Call = {
  readonly method?: string;
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Guarded = {
  readonly app: App;
  /** Over a real socket. */
  readonly url: string;
  readonly folder: string;
  readonly database: string;
  readonly admin: string;
  /** Every line of the log. */
  readonly logged: readonly string[];
  call(path: string, call?: Call): Promise<Answer>;
  /** Makes a token as the admin; the answer is its secret. */
  token(body: Body): Promise<string>;
  close(): Promise<void>;
};

export const SERVICES = ['mine', 'other'] as const;

const NOBODY = 'http://127.0.0.1:1';
export type Settings = {
  readonly more?: string;
  readonly server?: string;
  readonly slot?: string;
  /** Beside those that are there, each on a line of its own. */
  readonly providers?: string;
  readonly routers?: string;
};

export const guardedConfig = (
  folder: string,
  { more = '', server = '{ listen: 127.0.0.1:0 }', slot = NOBODY, providers = '', routers = '' }: Settings = {},
): string => `server: ${server}
store: { sqlite: ${join(folder, 'guarded.db')}, reserveMb: 0 }
${QUICK}
${routersText(SERVICES, slotsText(slot))}${routers}providers:
  edge: { type: edge }
  own: { type: push }
${providers}${servicesText(SERVICES)}${more}`;

export async function guarded(
  more = '',
  server?: string,
  { traces = null, ...others }: Pick<Settings, 'providers' | 'routers'> & { readonly traces?: string | null } = {},
): Promise<Guarded> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-rights-'));
  const shop = await openSlot('hello');
  const text = guardedConfig(folder, { more, slot: shop.url, ...others, ...(server === undefined ? {} : { server }) });
  const config = configOf(text, { dev: false, env: (name) => `planted-${name}` });
  const logged: string[] = [];
  const note = (fields: object, message: string): void => void logged.push(JSON.stringify({ ...fields, message }));
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const app = await createApp(config, log, traces);
  const url = await app.listen();
  const database = join(folder, 'guarded.db');
  const admin = readFileSync(`${database}.admin-token`, 'utf8').trim();
  const call = async (path: string, { method = 'GET', token = admin, body, headers = {} }: Call = {}): Promise<Answer> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(method === 'GET' ? {} : { 'if-match': '*' }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const content = await answer.text();
    let parsedBody: Body = {};
    try {
      parsedBody = JSON.parse(content) as Body;
    } catch {
      // a page, or lines
    }
    return { status: answer.status, body: parsedBody, text: content, headers: answer.headers };
  };
  return {
    app,
    url,
    folder,
    database,
    admin,
    logged,
    call,
    async token(body) {
      const made = await call('/v1/tokens', { method: 'POST', body });
      if (made.status !== 201) throw new Error(made.text);
      return made.body['secret'] as string;
    },
    async close() {
      await app.close(500);
      shop.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const planOf = (service: string, steps: readonly unknown[] = ['5%', '50%']): Body => ({
  service,
  interval: '1s',
  steps,
  hold: '1h',
  deadline: { after: '12h' },
});
