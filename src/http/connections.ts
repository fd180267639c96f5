/** The places that Headgate talks to: routers and providers, how each stands, and a test of it that writes nothing. */
import { z } from '@hono/zod-openapi';
import type { Context as Request } from 'hono';
import { providerTestView, providerView, routerTestView, routerView } from '../contract/wire-connections.ts';
import type { BreakerView, ProviderView, RouterView } from '../contract/wire-connections.ts';
import { listOf } from '../contract/wire.ts';
import { trials } from '../controller/trials.ts';
import type { Instant } from '../domain/ids.ts';
import type { Target } from '../domain/target.ts';
import type { MetricProvider } from '../ports/metric-provider.ts';
import type { TrafficRouter } from '../ports/traffic-router.ts';
import { abilities } from './abilities.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { route, visible } from './permission.ts';
import { refused } from './problem.ts';
import { viewTarget } from './views.ts';

const nameParam = z.object({ name: z.string().max(100) });
const routers = route({
  method: 'get',
  path: '/v1/routers',
  permission: 'read',
  bound: 'handler',
  responses: { 200: jsonOf(listOf(routerView), 'As configured, and how each stands'), ...problems },
});
const providers = route({
  method: 'get',
  path: '/v1/providers',
  permission: 'read',
  bound: 'handler',
  responses: { 200: jsonOf(listOf(providerView), 'As configured, and how each stands'), ...problems },
});
const tryRouter = route({
  method: 'post',
  path: '/v1/routers/{name}/test',
  permission: 'read',
  bound: 'handler',
  request: { params: nameParam },
  responses: { 200: jsonOf(routerTestView, 'What its nodes and slots said; nothing was written'), ...problems },
});
const tryProvider = route({
  method: 'post',
  path: '/v1/providers/{name}/test',
  permission: 'read',
  bound: 'none',
  request: { params: nameParam },
  responses: { 200: jsonOf(providerTestView, 'What it said to a cheap question'), ...problems },
});

export function connectionRoutes({ context, planWorld, closing }: HttpDeps) {
  const { store, calls, services } = context;
  const trial = trials(context, planWorld);
  const breakerOf = (dependency: string, now: Instant): BreakerView => {
    const { state, failures, retryMs } = calls.breaker(dependency);
    return { state, failures, until: retryMs === null ? null : now + retryMs };
  };
  const readAt = ({ id }: Target, now: Instant): number | null => {
    const lookMs = context.looks.get(id);
    return lookMs === undefined ? null : now - Math.round(context.clock.monotonicMs() - lookMs);
  };
  const viewRouter = async (router: TrafficRouter, targets: readonly Target[], now: Instant): Promise<RouterView> => ({
    name: router.name,
    type: router.type,
    capabilities: { ...router.capabilities },
    abilities: [...abilities(router.capabilities)],
    residue: { ...(await router.residue()) },
    breaker: breakerOf(`router ${router.name}`, now),
    targets: targets
      .filter((target) => target.router === router.name)
      .map((target) => ({ ...viewTarget(target), readAt: readAt(target, now) })),
  });
  const viewProvider = (c: Request, { name, type, offers }: MetricProvider, now: Instant): ProviderView => ({
    name,
    type,
    offers: Object.keys(offers),
    breaker: breakerOf(`provider ${name}`, now),
    services: [...services.values()].filter((one) => one.provider === name && visible(c, one.name)).map((one) => one.name),
  });

  const app = routes();
  app.openapi(routers, async (c) => {
    const [now, targets] = await Promise.all([store.now(), store.targets(null)]);
    const mine = targets.filter(({ service }) => visible(c, service));
    const items = await Promise.all([...context.routers.values()].map((router) => viewRouter(router, mine, now)));
    return c.json({ items, nextCursor: null }, 200);
  });
  app.openapi(providers, async (c) => {
    const now = await store.now();
    return c.json({ items: [...context.providers.values()].map((one) => viewProvider(c, one, now)), nextCursor: null }, 200);
  });
  app.openapi(tryRouter, async (c) => {
    const tested = await trial.router(c.req.valid('param').name, ({ service }) => visible(c, service), closing);
    if (!tested.ok) return refused(c, tested.error);
    const { well, ms, targets } = tested.value;
    const shown = targets.map((one) => ({
      ...one,
      nodes: one.nodes.map(({ node, reachable, secondShare, detail }) => ({
        node,
        reachable,
        servedSecondSlotBp: secondShare,
        detail,
      })),
      slots: one.slots.map((slot) => ({ ...slot })),
    }));
    return c.json({ well, ms, targets: shown }, 200);
  });
  app.openapi(tryProvider, async (c) => {
    const tested = await trial.provider(c.req.valid('param').name, closing);
    return tested.ok ? c.json({ ...tested.value }, 200) : refused(c, tested.error);
  });
  return app;
}
