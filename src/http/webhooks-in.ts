/** Webhooks that come in: taken by their signature alone, and to be looked at afterwards. */
import { z } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { cursorOf, limit, numberCursor } from '../contract/paging.ts';
import { inboxView, takenView } from '../contract/wire-flags.ts';
import type { InboxEntryView } from '../contract/wire-flags.ts';
import { listOf } from '../contract/wire.ts';
import type { InboxView } from '../ports/inbox.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { keyHeader, once } from './once.ts';
import { actorOf, originOf, route } from './permission.ts';
import { problem } from './problem.ts';

/** No sender of a flag has more to say; entries of an audit log with much in them come near to a tenth of it. */
const MOST_BYTES = 256 * 1024;
const FULL_FOR_S = 30;
const SHOWN_OF_A_BODY = 1_000;

const source = z.object({ source: z.string().min(1).max(100) });
const receive = route({
  method: 'post',
  path: '/v1/webhooks/in/{source}',
  permission: 'anyone',
  request: { params: source },
  responses: { 202: jsonOf(takenView, 'It is kept, on disk'), 200: jsonOf(takenView, 'It was kept before'), ...problems },
});
const list = route({
  method: 'get',
  path: '/v1/webhooks/inbox',
  permission: 'read',
  request: {
    query: z
      .object({
        source: z.string().max(100).optional(),
        state: z.enum(['pending', 'done', 'parked'], 'pending, done or parked').optional(),
        limit,
        cursor: numberCursor,
      })
      .strict(),
  },
  responses: { 200: jsonOf(listOf(inboxView), 'Newest first'), ...problems },
});
const again = route({
  method: 'post',
  path: '/v1/webhooks/inbox/{seq}/retry',
  permission: 'raise',
  request: {
    params: z.object({ seq: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
    headers: z.object(keyHeader),
  },
  responses: { 202: jsonOf(z.object({ state: z.literal('pending') }), 'It is worked on again'), ...problems },
});

export function inboxRoutes({ context, webhooks, nudgeInbox }: HttpDeps) {
  const { store } = context;
  const app = routes();
  app.use(
    '/v1/webhooks/in/*',
    bodyLimit({ maxSize: MOST_BYTES, onError: (c) => problem(c, 'too_large', `a webhook has ${MOST_BYTES / 1024} kB at most`) }),
  );
  app.openapi(receive, async (c) => {
    const name = c.req.valid('param').source;
    const body = new Uint8Array(await c.req.arrayBuffer());
    const taken = await webhooks.receive(name, { header: (header) => c.req.header(header), body });
    switch (taken) {
      case 'kept':
        return c.json({ state: taken }, 202);
      case 'known':
        return c.json({ state: taken }, 200);
      case 'full': {
        const busy = problem(c, 'unavailable', 'too many webhooks of this source wait to be worked on: send it again later');
        busy.headers.set('retry-after', String(FULL_FOR_S));
        return busy;
      }
      case 'refused':
        return problem(c, 'unproven', 'what was sent does not show that it comes from who it should');
      default:
        return problem(c, 'not_found', 'no such source of webhooks');
    }
  });
  app.openapi(list, async (c) => {
    const { source: from = null, state = null, limit: size, cursor = null } = c.req.valid('query');
    const page = await store.inbox({ source: from, state, limit: size, before: cursor });
    return c.json({ items: page.rows.map(viewEntry), nextCursor: cursorOf(page.next) }, 200);
  });
  app.openapi(again, (c) =>
    once(c, { store }, async (keep) => {
      const { seq } = c.req.valid('param');
      const subject = `inbox/${seq}`;
      const audit = { actor: actorOf(c).name, action: 'webhook.retry', subject, reason: null, data: null, origin: originOf(c) };
      const kept = keep<boolean>(() => ({ status: 202, body: { state: 'pending' } }));
      if (!(await store.retryInbox(seq, audit, kept))) return problem(c, 'not_found', `no webhook ${seq} that is parked`);
      nudgeInbox();
      return c.json({ state: 'pending' as const }, 202);
    }),
  );
  return app;
}

/** What was understood is in the detail; only of what was not the body is shown. */
const viewEntry = ({ payload, ...row }: InboxView): InboxEntryView => ({
  seq: row.seq,
  source: row.source,
  key: row.key,
  kind: payload.kind,
  state: row.state,
  attempts: row.attempts,
  detail: row.detail,
  body: row.state === 'parked' && payload.kind === 'webhook' ? payload.body.slice(0, SHOWN_OF_A_BODY) : null,
  receivedAt: row.receivedAt,
  dueAt: row.dueAt,
  settledAt: row.settledAt,
});
