/** Plans as code: validated with every problem at once, kept in every version. */
import { z } from '@hono/zod-openapi';
import { stringify } from 'yaml';
import { parsePlan } from '../contract/plan.ts';
import { planJsonSchema } from '../contract/plan-document.ts';
import { listOf, planBody, planView } from '../contract/wire.ts';
import { aheadRoutes } from './ahead.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { actorOf, originOf, refusesService, route, visible } from './permission.ts';
import { problem } from './problem.ts';

const found = z.object({
  pointer: z.string(),
  detail: z.string(),
  line: z.number().nullable(),
  column: z.number().nullable(),
});
const body = { required: true, ...jsonOf(planBody, 'The plan') };
const list = route({
  method: 'get',
  path: '/v1/plans',
  permission: 'read',
  bound: 'handler',
  request: {
    query: z
      .object({
        limit: z.coerce.number().int().min(1).max(200).default(50),
        cursor: z.string().max(200).optional(),
      })
      .strict(),
  },
  responses: { 200: jsonOf(listOf(planView), 'The newest version of each'), ...problems },
});
const get = route({
  method: 'get',
  path: '/v1/plans/{name}',
  permission: 'read',
  bound: 'handler',
  request: {
    params: z.object({ name: z.string().max(100) }),
    query: z.object({ version: z.coerce.number().int().min(1).optional() }).strict(),
  },
  responses: { 200: jsonOf(planView, 'The plan'), ...problems },
});
const apply = route({
  method: 'post',
  path: '/v1/plans',
  permission: 'plan',
  bound: 'handler',
  request: { body },
  responses: { 200: jsonOf(planView, 'As it is stored'), ...problems },
});
const validate = route({
  method: 'post',
  path: '/v1/plans:validate',
  permission: 'read',
  bound: 'none',
  request: { body },
  responses: {
    200: jsonOf(z.object({ valid: z.boolean(), problems: z.array(found), warnings: z.array(found) }), 'What is wrong with it'),
    ...problems,
  },
});
const schema = route({
  method: 'get',
  path: '/v1/plans:schema',
  permission: 'read',
  bound: 'none',
  responses: { 200: jsonOf(z.looseObject({}), 'JSON Schema of a plan, for editors') },
});

export function planRoutes(deps: HttpDeps) {
  const { context, planWorld } = deps;
  const { store } = context;
  const app = routes();
  app.openapi(list, async (c) => {
    const { limit, cursor = null } = c.req.valid('query');
    const page = await store.plans({ limit, cursor });
    return c.json(
      { items: page.rows.filter(({ service }) => visible(c, service)).map((row) => ({ ...row })), nextCursor: page.next },
      200,
    );
  });
  app.openapi(get, async (c) => {
    const { name } = c.req.valid('param');
    const plan = await store.plan(name, c.req.valid('query').version ?? null);
    if (!plan) return problem(c, 'not_found', `no plan named ${name}`);
    return refusesService(c, 'read', plan.service) ?? c.json({ ...plan }, 200);
  });
  app.openapi(apply, async (c) => {
    const { document } = c.req.valid('json');
    const parsed = parsePlan(document, planWorld);
    if (!parsed.ok) return problem(c, 'invalid', 'the plan has problems', parsed.error);
    const { name, service } = parsed.value.plan;
    const foreign = refusesService(c, 'plan', service);
    if (foreign) return foreign;
    const actor = actorOf(c);
    const text = typeof document === 'string' ? document : stringify(document);
    const saved = await store.savePlan(
      { name, service, document: text },
      { actor: actor.name, action: 'plan.apply', subject: name, reason: null, data: { service }, origin: originOf(c) },
    );
    return c.json({ ...saved }, 200);
  });
  app.openapi(validate, (c) => {
    const parsed = parsePlan(c.req.valid('json').document, planWorld);
    const shown = (of: readonly { path: string; message: string; line: number | null; column: number | null }[]) =>
      of.map(({ path, message, line, column }) => ({ pointer: path, detail: message, line, column }));
    return c.json(
      {
        valid: parsed.ok,
        problems: parsed.ok ? [] : shown(parsed.error),
        warnings: parsed.ok ? shown(parsed.value.warnings) : [],
      },
      200,
    );
  });
  app.openapi(schema, (c) => c.json({ ...planJsonSchema() }, 200));
  app.route('/', aheadRoutes(deps));
  return app;
}
