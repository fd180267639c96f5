/** Receivers of notices and what is delivered to them: looked at, tested, enabled, and told again. */
import { z } from '@hono/zod-openapi';
import type { Context as Request } from 'hono';
import {
  deliveryQuery,
  deliveryView,
  endpointView,
  redeliveredView,
  replayBody,
  replayedView,
  testedView,
  whyBody,
} from '../contract/webhooks.ts';
import { cursorOf } from '../contract/paging.ts';
import type { EndpointView } from '../contract/webhooks.ts';
import { listOf } from '../contract/wire.ts';
import { enableEndpoint, endpointsOf, redeliver, replay, testEndpoint } from '../controller/webhooks.ts';
import type { Asked, Endpoint } from '../controller/webhooks.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { keyHeader, once } from './once.ts';
import { actorOf, originOf, route } from './permission.ts';
import { refused } from './problem.ts';

const nameParam = z.object({ name: z.string().max(200) });
const why = { required: false, ...jsonOf(whyBody, 'Why') };
const endpoints = route({
  method: 'get',
  path: '/v1/webhooks/endpoints',
  permission: 'read',
  responses: { 200: jsonOf(listOf(endpointView), 'As configured, and how each stands'), ...problems },
});
const enable = route({
  method: 'post',
  path: '/v1/webhooks/endpoints/{name}/enable',
  permission: 'raise',
  request: { params: nameParam, body: why },
  responses: { 200: jsonOf(endpointView, 'Delivered to again; what waits is tried at once'), ...problems },
});
const test = route({
  method: 'post',
  path: '/v1/webhooks/endpoints/{name}/test',
  permission: 'raise',
  request: { params: nameParam, body: why },
  responses: { 200: jsonOf(testedView, 'What came back'), ...problems },
});
const again = route({
  method: 'post',
  path: '/v1/webhooks/endpoints/{name}/replay',
  permission: 'raise',
  request: { params: nameParam, body: { required: false, ...jsonOf(replayBody, 'From where; left out, what is parked') } },
  responses: { 200: jsonOf(replayedView, 'Queued again, behind what waits'), ...problems },
});
const deliveries = route({
  method: 'get',
  path: '/v1/webhooks/deliveries',
  permission: 'read',
  request: { query: deliveryQuery },
  responses: { 200: jsonOf(listOf(deliveryView), 'Newest first'), ...problems },
});
const resend = route({
  method: 'post',
  path: '/v1/webhooks/deliveries/{seq}/redeliver',
  permission: 'raise',
  request: { params: z.object({ seq: z.coerce.number().int().min(1) }), headers: z.object(keyHeader), body: why },
  responses: { 200: jsonOf(redeliveredView, 'Queued again under the same id'), ...problems },
});

export function webhookRoutes({ context, closing }: HttpDeps) {
  const app = routes();
  app.openapi(endpoints, async (c) =>
    c.json({ items: (await endpointsOf(context)).map((endpoint) => viewOf(endpoint)), nextCursor: null }, 200),
  );
  app.openapi(enable, async (c) => {
    const { reason = null } = c.req.valid('json') ?? {};
    const enabled = await enableEndpoint(context, c.req.valid('param').name, askedBy(c, reason));
    return enabled.ok ? c.json(viewOf(enabled.value), 200) : refused(c, enabled.error);
  });
  app.openapi(test, async (c) => {
    const { reason = null } = c.req.valid('json') ?? {};
    const tested = await testEndpoint(context, c.req.valid('param').name, askedBy(c, reason), closing);
    return tested.ok ? c.json({ ...tested.value }, 200) : refused(c, tested.error);
  });
  app.openapi(again, async (c) => {
    const { from = null, release = null, limit, reason = null } = c.req.valid('json') ?? replayBody.parse({});
    const asked = askedBy(c, reason);
    const replayed = await replay(context, c.req.valid('param').name, { from, release, limit }, asked);
    return replayed.ok ? c.json({ ...replayed.value }, 200) : refused(c, replayed.error);
  });
  app.openapi(deliveries, async (c) => {
    const { endpoint: notifier, release: subject, state, limit, cursor = null } = c.req.valid('query');
    const found = await context.store.deliveries({ limit, before: cursor, notifier, subject, state });
    return c.json({ items: found.rows.map((row) => ({ ...row })), nextCursor: cursorOf(found.next) }, 200);
  });
  app.openapi(resend, (c) =>
    once(c, context, async (keep) => {
      const { reason = null } = c.req.valid('json') ?? {};
      const kept = keep(([seq]: readonly number[]) => ({ status: 200, body: { seq } }));
      const queued = await redeliver(context, c.req.valid('param').seq, askedBy(c, reason), kept);
      return queued.ok ? c.json({ seq: queued.value }, 200) : refused(c, queued.error);
    }),
  );
  return app;
}

const askedBy = (c: Request, reason: string | null): Asked => ({ by: actorOf(c), reason, origin: originOf(c) });

const viewOf = ({ notifier, disabledAt, ...rest }: Endpoint): EndpointView => ({
  name: notifier,
  state: disabledAt === null ? 'enabled' : 'disabled',
  disabledAt,
  ...rest,
});
