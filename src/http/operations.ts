/** What operators look at: routers, providers, audit, health. */
import { z } from '@hono/zod-openapi';
import { auditView, listOf, providerView, routerView } from '../contract/wire.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { cursorOf, limit, numberCursor } from '../contract/paging.ts';
import { permit, route } from './permission.ts';

const page = z.object({ limit, cursor: numberCursor }).strict();
const routers = route({
  method: 'get',
  path: '/v1/routers',
  permission: 'read',
  responses: { 200: jsonOf(listOf(routerView), 'As configured'), ...problems },
});
const providers = route({
  method: 'get',
  path: '/v1/providers',
  permission: 'read',
  responses: { 200: jsonOf(listOf(providerView), 'As configured'), ...problems },
});
const audit = route({
  method: 'get',
  path: '/v1/audit',
  permission: 'audit',
  request: { query: page },
  responses: { 200: jsonOf(listOf(auditView), 'Newest first'), ...problems },
});
const health = z.object({ status: z.enum(['ok', 'failing']), problems: z.array(z.string()) });
const healthz = route({
  method: 'get',
  path: '/healthz',
  permission: 'anyone',
  responses: { 200: jsonOf(health, 'The loops are alive'), 503: jsonOf(health, 'They are not') },
});
const readyz = route({
  method: 'get',
  path: '/readyz',
  permission: 'anyone',
  responses: { 200: jsonOf(health, 'Ready'), 503: jsonOf(health, 'Not ready, and why') },
});

export function operationRoutes({ context, metricsText, health: look }: HttpDeps) {
  const { store } = context;
  const app = routes();
  app.openapi(routers, async (c) => {
    const items = await Promise.all(
      [...context.routers.values()].map(async (router) => ({
        name: router.name,
        type: router.type,
        capabilities: { ...router.capabilities },
        residue: { ...(await router.residue()) },
      })),
    );
    return c.json({ items, nextCursor: null }, 200);
  });
  app.openapi(providers, (c) =>
    c.json(
      {
        items: [...context.providers.values()].map(({ name, type, offers }) => ({
          name,
          type,
          offers: Object.keys(offers),
        })),
        nextCursor: null,
      },
      200,
    ),
  );
  app.openapi(audit, async (c) => {
    const { limit: size, cursor: before = null } = c.req.valid('query');
    const found = await store.audit({ limit: size, before });
    return c.json(
      {
        items: found.rows.map((row) => ({ ...row })),
        nextCursor: cursorOf(found.next),
      },
      200,
    );
  });
  app.openapi(healthz, async (c) => {
    const { alive } = await look();
    return alive
      ? c.json({ status: 'ok', problems: [] }, 200)
      : c.json({ status: 'failing', problems: ['the scheduler has not come round for too long'] }, 503);
  });
  app.openapi(readyz, async (c) => {
    const { problems: found } = await look();
    return found.length === 0
      ? c.json({ status: 'ok', problems: [] }, 200)
      : c.json({ status: 'failing', problems: [...found] }, 503);
  });
  app.get('/metrics', permit('read'), async (c) =>
    c.text(await metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  return app;
}
