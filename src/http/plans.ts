/** Plans as code: validated with every problem at once, kept in every version. */
import { z } from '@hono/zod-openapi';
import { stringify } from 'yaml';
import { parsePlan } from '../contract/plan.ts';
import { validated } from '../contract/plan-summary.ts';
import { planJsonSchema } from '../contract/plan-document.ts';
import { listOf, planBody, planView, validatedView, validateOnly } from '../contract/wire.ts';
import type { Context as Request } from 'hono';
import type { Store } from '../ports/store.ts';
import type { StoredPlan } from '../ports/plan-store.ts';
import { aheadRoutes } from './ahead.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { actorOf, originOf, refusesService, route, visible } from './permission.ts';
import { keyHeader, once } from './once.ts';
import { cursorOf, limit, nameCursor } from '../contract/paging.ts';
import { givenVersion, matchHeader, tagOf, unlessSeen } from './precondition.ts';
import { problem } from './problem.ts';
import type { ProblemResponse } from './problem.ts';
import { inBody, unfitAroundPlan } from './unfit.ts';

const body = { required: true, ...jsonOf(planBody, 'The plan') };
const list = route({
  method: 'get',
  path: '/v1/plans',
  permission: 'read',
  bound: 'handler',
  request: {
    query: z
      .object({
        limit,
        cursor: nameCursor,
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
  request: { query: validateOnly, headers: z.object({ ...matchHeader, ...keyHeader }), body },
  responses: { 200: jsonOf(planView, 'As it is stored'), ...problems },
});
const validate = route({
  method: 'post',
  path: '/v1/plans:validate',
  permission: 'read',
  bound: 'none',
  request: { body },
  responses: {
    200: jsonOf(validatedView, 'What is wrong with it, and what it would do'),
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
  const app = routes(unfitAroundPlan('document', planWorld));
  app.openapi(list, async (c) => {
    const { limit, cursor = null } = c.req.valid('query');
    const page = await store.plans({ limit, cursor });
    return c.json(
      {
        items: page.rows.filter(({ service }) => visible(c, service)).map((row) => ({ ...row })),
        nextCursor: cursorOf(page.next),
      },
      200,
    );
  });
  app.openapi(get, async (c) => {
    const { name } = c.req.valid('param');
    const plan = await store.plan(name, c.req.valid('query').version ?? null);
    if (!plan) return problem(c, 'not_found', `no plan named ${name}`);
    const foreign = refusesService(c, 'read', plan.service);
    if (foreign) return foreign;
    // A version of a plan is never another text.
    return unlessSeen(c, { version: plan.version, body: { ...plan }, isWhole: true }, (body) => c.json(body, 200));
  });
  app.openapi(apply, (c) =>
    once(c, { store }, async (keep) => {
      const { document } = c.req.valid('json');
      const parsed = parsePlan(document, planWorld);
      if (!parsed.ok) return problem(c, 'invalid', 'the plan has problems', inBody('document', parsed.error));
      const expected = givenVersion(c);
      if (!expected.ok) return expected.error;
      const { name, service } = parsed.value.plan;
      // The plan of that name may be another service's so far, and its next release would run by this one.
      const before = (await store.plan(name, null))?.service ?? service;
      const foreign = refusesService(c, 'plan', service) ?? refusesService(c, 'plan', before);
      if (foreign) return foreign;
      const text = typeof document === 'string' ? document : stringify(document);
      const plan = { name, service, document: text };
      if (c.req.valid('query').validate_only === 'true') {
        const would = await wouldBe(store, plan, expected.value);
        return would === null ? stale(c, name) : c.json({ ...would, validated: true as const }, 200);
      }
      const saved = await store.savePlan(
        {
          ...plan,
          expect: expected.value,
          once: keep((made: StoredPlan) => ({ status: 200, body: made, tag: tagOf(made.version) })),
        },
        { actor: actorOf(c).name, action: 'plan.apply', subject: name, reason: null, data: { service }, origin: originOf(c) },
      );
      if (!saved.ok) return saved.error.kind === 'stale' ? stale(c, name) : problem(c, 'unavailable', saved.error.detail);
      c.header('etag', tagOf(saved.value.version));
      return c.json({ ...saved.value }, 200);
    }),
  );
  app.openapi(validate, (c) => c.json(validated(c.req.valid('json').document, planWorld), 200));
  app.openapi(schema, (c) => c.json({ ...planJsonSchema() }, 200));
  app.route('/', aheadRoutes(deps));
  return app;
}

const stale = (c: Request, name: string): ProblemResponse =>
  problem(c, 'precondition', `another version of ${name} is the newest by now: look at it again`);

/** As it would be stored; null when the newest version is not the expected one. */
async function wouldBe(
  store: Store,
  plan: Pick<StoredPlan, 'name' | 'service' | 'document'>,
  expected: number | null,
): Promise<StoredPlan | null> {
  const newest = await store.plan(plan.name, null);
  if (expected !== null && newest?.version !== expected) return null;
  if (newest?.document === plan.document && newest.service === plan.service) return newest;
  return { ...plan, version: (newest?.version ?? 0) + 1, createdAt: await store.now() };
}
