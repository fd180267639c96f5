/** The audit log: pages of it, and the whole: its head, which is an anchor against a log that is cut short, and every row as it was hashed. */
import { z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import { auditLine, NO_HASH } from '../contract/audit-chain.ts';
import { auditHeadView, auditView, listOf } from '../contract/wire.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { cursorOf, limit, numberCursor } from '../contract/paging.ts';
import { permit, route } from './permission.ts';

const list = route({
  method: 'get',
  path: '/v1/audit',
  permission: 'audit',
  request: {
    query: z
      .object({
        q: z.string().max(200).optional().describe('a part of the actor, the action, the subject or the reason'),
        limit,
        cursor: numberCursor,
      })
      .strict(),
  },
  responses: { 200: jsonOf(listOf(auditView), 'Newest first'), ...problems },
});
const head = route({
  method: 'get',
  path: '/v1/audit:head',
  permission: 'audit',
  responses: { 200: jsonOf(auditHeadView, 'The newest row; seq 0 when there is none'), ...problems },
});

const BATCH = 500;

export function auditRoutes({ context, closing }: HttpDeps) {
  const { store, log } = context;
  const app = routes();
  app.openapi(list, async (c) => {
    const { q: text = null, limit: size, cursor: before = null } = c.req.valid('query');
    const found = await store.audit({ text, limit: size, before });
    return c.json({ items: found.rows.map((row) => ({ ...row })), nextCursor: cursorOf(found.next) }, 200);
  });
  app.openapi(head, async (c) => c.json((await store.auditHead()) ?? { seq: 0, hash: NO_HASH, at: null }, 200));
  app.get('/v1/audit:export', permit('audit'), (c) => {
    c.header('content-type', 'application/x-ndjson');
    c.header('cache-control', 'no-store');
    return stream(
      c,
      async (out) => {
        for (let after = 0; !out.aborted && !closing.aborted;) {
          const rows = await store.auditFrom({ after, limit: BATCH });
          if (rows.length === 0) break;
          await out.write(rows.map((row) => `${auditLine(row)}\n`).join(''));
          after = rows.at(-1)?.seq ?? after;
        }
      },
      async (error) => log.warn({ error: String(error) }, 'an export of the audit log ended before its end'),
    );
  });
  return app;
}
