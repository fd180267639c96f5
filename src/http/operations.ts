/** What operators' machines look at: whether it is alive, whether it is ready, its figures. */
import { z } from '@hono/zod-openapi';
import { jsonOf, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { permit, route } from './permission.ts';

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

export function operationRoutes({ metricsText, health: look }: HttpDeps) {
  const app = routes();
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
