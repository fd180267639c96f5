/** Counts that applications push, for who has no metrics store. */
import { z } from '@hono/zod-openapi';
import { pushBody, pushOf, pushView, wrongTime } from '../contract/push.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { route } from './permission.ts';
import { problem } from './problem.ts';

const push = route({
  method: 'post',
  path: '/v1/services/{name}/measurements',
  permission: 'measure',
  bound: 'service',
  request: {
    params: z.object({ name: z.string().max(100) }),
    body: { required: true, ...jsonOf(pushBody, 'What one instance of one version has counted') },
  },
  responses: { 200: jsonOf(pushView, 'It is kept, on disk'), ...problems },
});

export function pushRoutes({ context }: HttpDeps) {
  const { store, providers } = context;
  const app = routes();
  app.openapi(push, async (c) => {
    const { name } = c.req.valid('param');
    const body = c.req.valid('json');
    if (!(await store.service(name))) return problem(c, 'not_found', `no service named ${name}`);
    if (![...providers.values()].some(({ type }) => type === 'push'))
      return problem(c, 'not_accepted', 'no provider of type push is in headgate.yaml: nobody would look at it');
    const now = await store.now();
    const wrong = wrongTime(body, now);
    if (wrong !== null)
      return problem(c, 'invalid', 'the body has a problem', [
        { path: `/${wrong.path}`, message: wrong.message, line: null, column: null },
      ]);
    const outcome = await store.push(pushOf(name, body, now));
    if (!outcome.ok) return problem(c, 'not_accepted', outcome.error);
    const { isCounted, pushed } = outcome.value;
    return c.json({ counted: isCounted, missing: [...pushed.missing] }, 200);
  });
  return app;
}
