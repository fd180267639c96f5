/** Services and their targets: what is stable, where the next version goes, what is served now. */
import { z } from '@hono/zod-openapi';
import { listOf, serviceView, stableBody, targetView } from '../contract/wire.ts';
import { readTarget } from '../controller/observe.ts';
import { Instant } from '../domain/ids.ts';
import type { Weight } from '../domain/ids.ts';
import type { Service, Target } from '../domain/target.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { actorOf, originOf, route, visible } from './permission.ts';
import { matchHeader, seenVersion, tagOf, unlessSeen } from './precondition.ts';
import { problem } from './problem.ts';
import { viewService, viewTarget } from './views.ts';

const nameParam = z.object({ name: z.string().max(100) });
const list = route({
  method: 'get',
  path: '/v1/services',
  permission: 'read',
  bound: 'handler',
  responses: { 200: jsonOf(listOf(serviceView), 'By name'), ...problems },
});
const get = route({
  method: 'get',
  path: '/v1/services/{name}',
  permission: 'read',
  bound: 'service',
  request: { params: nameParam },
  responses: { 200: jsonOf(serviceView, 'The service'), ...problems },
});
const targets = route({
  method: 'get',
  path: '/v1/services/{name}/targets',
  permission: 'read',
  bound: 'service',
  request: { params: nameParam },
  responses: { 200: jsonOf(listOf(targetView), 'With what each serves now'), ...problems },
});
const stable = route({
  method: 'put',
  path: '/v1/services/{name}/stable',
  permission: 'raise',
  bound: 'service',
  request: {
    params: nameParam,
    headers: z.object(matchHeader),
    body: { required: true, ...jsonOf(stableBody, 'What serves now') },
  },
  responses: { 200: jsonOf(serviceView, 'The service'), ...problems },
});

export function serviceRoutes({ context }: HttpDeps) {
  const { store } = context;
  const view = async (service: Service, of: readonly Target[]) =>
    viewService({
      service,
      settings: context.services.get(service.name),
      targets: of,
      active: (await store.active(service.name))?.release.id ?? null,
    });

  const app = routes();
  app.openapi(list, async (c) => {
    const of = await store.targets(null);
    const services = (await store.services()).filter(({ name }) => visible(c, name));
    return c.json({ items: await Promise.all(services.map((service) => view(service, of))), nextCursor: null }, 200);
  });
  app.openapi(get, async (c) => {
    const { name } = c.req.valid('param');
    const service = await store.service(name);
    if (!service) return problem(c, 'not_found', `no service named ${name}`);
    const body = await view(service, await store.targets(name));
    return unlessSeen(c, { version: service.updatedAt, body }, (shown) => c.json(shown, 200));
  });
  app.openapi(targets, async (c) => {
    const { name } = c.req.valid('param');
    if (!(await store.service(name))) return problem(c, 'not_found', `no service named ${name}`);
    const of = await store.targets(name);
    const served = await Promise.all(of.map((target) => servedBy(context, target, c.req.raw.signal)));
    return c.json({ items: of.map((target, index) => viewTarget(target, served[index] ?? null)), nextCursor: null }, 200);
  });
  app.openapi(stable, async (c) => {
    const { name } = c.req.valid('param');
    const { version, slot = null, reason = null } = c.req.valid('json');
    const seen = seenVersion(c, `/v1/services/${name}`);
    if (!seen.ok) return seen.error;
    const of = await store.targets(name);
    const slots = of[0]?.slots;
    if (slot !== null && !slots?.includes(slot))
      return problem(c, 'invalid', `${name} has no slot ${slot}; it has ${slots?.join(' and ') ?? 'no target'}`);
    const active = await store.active(name);
    if (active) return problem(c, 'busy', `release ${active.release.id} moves ${name} now: what is stable is decided by its end`);
    if (slot !== null && slots && of.some((target) => target.desiredSecond !== (slot === slots[1] ? 10_000 : 0)))
      return problem(c, 'not_accepted', `the traffic of ${name} is not on ${slot}: saying so would not move it`);
    const actor = actorOf(c);
    const service = await store.setStable(
      name,
      { slot, version, expect: seen.value === null ? null : Instant(seen.value) },
      { actor: actor.name, action: 'service.stable', subject: name, reason, data: { version, slot }, origin: originOf(c) },
    );
    if (service) {
      c.header('etag', tagOf(service.updatedAt));
      return c.json(await view(service, of), 200);
    }
    const found = await store.service(name);
    return found
      ? problem(c, 'precondition', `${name} is at version ${found.updatedAt} by now, not ${seen.value}: look at it again`)
      : problem(c, 'not_found', `no service named ${name}`);
  });
  return app;
}

/** The highest share of the second slot that any node serves; null when some node does not tell. */
async function servedBy(context: HttpDeps['context'], target: Target, signal: AbortSignal): Promise<Weight | null> {
  const { nodes, mute } = await readTarget(context, target, signal);
  if (mute !== null) return null;
  return nodes.reduce<Weight | null>((most, { secondShare }) => (most === null || most < secondShare ? secondShare : most), null);
}
