/** The audit log as a whole: its head, which is an anchor against a log that is cut short, and every row as it was hashed. */
import { stream } from 'hono/streaming';
import { auditLine, NO_HASH } from '../contract/audit-chain.ts';
import { auditHeadView } from '../contract/wire.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { permit, route } from './permission.ts';

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
