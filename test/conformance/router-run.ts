/** How routers are put before the suite: slots that answer, users that ask, and a case per test. */
import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, describe, it } from 'vitest';
import { routerCases } from './router.suite.ts';
import type { RouterCase, RouterSubject, Sent } from './router.suite.ts';

const skipped: string[] = [];
const closing: (() => Promise<void> | void)[] = [];
/** Done when the file is over, the last one first. */
export const closeAtEnd = (close: () => Promise<void> | void): void => void closing.push(close);

afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  console.log(`router cases that were skipped:\n${skipped.map((line) => `  ${line}`).join('\n') || '  none'}`);
});

function has({ send, edit, restart, router }: RouterSubject, need: RouterCase['needs']): string | null {
  if (need === 'send' && !send) return 'it has no data plane';
  if (need === 'edit' && !edit) return 'nobody else can reach its table: it lives in this process';
  if (need === 'restart' && !restart)
    return router.capabilities.persistence === 'crash-safe'
      ? 'its platform keeps the share over restarts, and shows none'
      : 'it restarts with the whole process, which the kill rounds show';
  if (need === 'sticky' && (!send || router.capabilities.sticky === 'none')) return 'it has no sticky clients';
  if (need === 'header' && (!send || !router.capabilities.headerOverride)) return 'it has no header override';
  return null;
}

export function suite(name: string, open: () => Promise<RouterSubject>): void {
  describe(`router ${name}`, () => {
    for (const each of routerCases)
      it(each.name, async (context) => {
        const subject = await open();
        const reason = has(subject, each.needs);
        if (reason === null) return each.run(subject);
        skipped.push(`${name}: ${each.name}: ${reason}`);
        return context.skip(reason);
      });
  });
}

export async function backend(handler: (name: string) => Parameters<typeof createServer>[1], name: string): Promise<Server> {
  const server = createServer(handler(name));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closeAtEnd(() => void (server.closeAllConnections(), server.close()));
  return server;
}
export const urlOf = (server: Server): string => {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
};
export const agent = new Agent({ keepAlive: true, maxSockets: 40 });
closeAtEnd(() => agent.destroy());
export const visit = (
  url: string,
  headers: Record<string, string> = {},
  more: { method?: string; body?: Buffer; close?: boolean } = {},
): Promise<{ status: number; body: string; slot: string }> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { method: more.method ?? 'GET', headers, ...(more.close ? {} : { agent }) }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body, slot: String(answer.headers['x-headgate-slot']) }));
    });
    asked.on('error', reject);
    asked.end(more.body);
  });

export const sender =
  (url: string) =>
  async (count: number, headers: Record<string, string> = {}): Promise<Sent> => {
    const bySlot: Record<string, number> = {};
    let failed = 0;
    for (let done = 0; done < count;) {
      const batch = Math.min(40, count - done);
      for (const { status, body } of await Promise.all(Array.from({ length: batch }, () => visit(url, headers)))) {
        if (status === 200) bySlot[body] = (bySlot[body] ?? 0) + 1;
        else failed += 1;
      }
      done += batch;
    }
    return { bySlot, failed };
  };
