/** Releases as they can be read: lists, one of them, its events, checks and measurements, and waiting for it. */
import { z } from '@hono/zod-openapi';
import { checkView, eventView, listOf, measurementView, releaseView } from '../contract/wire.ts';
import type { PhaseKind } from '../domain/release.ts';
import { accepts } from '../domain/accepts.ts';
import { ReleaseId } from '../domain/ids.ts';
import type { StoredRelease } from '../ports/store.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { route } from './permission.ts';
import { problem } from './problem.ts';
import { viewChecks, viewEvent, viewMeasurement, viewRelease } from './views.ts';

export const idParam = z.object({ id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'a release id') });
const limit = z.coerce.number().int().min(1).max(200, 'a page has 200 rows at most').default(50);
const after = z.coerce.number().int().min(0).default(0);
const before = z.coerce.number().int().min(1).optional();
const PHASES = Object.keys(accepts);

const list = route({
  method: 'get',
  path: '/v1/releases',
  permission: 'read',
  request: {
    query: z
      .object({
        service: z.string().optional(),
        phase: z.string().optional(),
        limit,
        cursor: z.string().max(500).optional(),
      })
      .strict(),
  },
  responses: { 200: jsonOf(listOf(releaseView), 'Newest first'), ...problems },
});
const get = route({
  method: 'get',
  path: '/v1/releases/{id}',
  permission: 'read',
  request: { params: idParam },
  responses: { 200: jsonOf(releaseView, 'The release'), ...problems },
});
const events = route({
  method: 'get',
  path: '/v1/releases/{id}/events',
  permission: 'read',
  request: { params: idParam, query: z.object({ after, limit }).strict() },
  responses: { 200: jsonOf(listOf(eventView), 'In order'), ...problems },
});
const checks = route({
  method: 'get',
  path: '/v1/releases/{id}/checks',
  permission: 'read',
  request: { params: idParam },
  responses: {
    200: jsonOf(z.object({ items: z.array(checkView) }), 'The newest verdict of each check, with its evidence'),
    ...problems,
  },
});
const measurements = route({
  method: 'get',
  path: '/v1/releases/{id}/measurements',
  permission: 'read',
  request: { params: idParam, query: z.object({ check: z.string().optional(), before, limit }).strict() },
  responses: { 200: jsonOf(listOf(measurementView), 'Newest first'), ...problems },
});

export function releaseRoutes({ context }: HttpDeps) {
  const { store } = context;
  const view = async (stored: StoredRelease) => viewRelease(stored, await store.now());
  const missing = (id: string): string => `no release ${id}`;

  const app = routes();
  app.openapi(list, async (c) => {
    const { service = null, phase, limit: size, cursor = null } = c.req.valid('query');
    const phases = phase === undefined ? null : phase.split(',').filter(isPhase);
    if (phases?.length === 0) return problem(c, 'invalid', `a phase is one of ${PHASES.join(', ')}`);
    const page = await store.releases({ service, phases, limit: size, cursor });
    const now = await store.now();
    return c.json({ items: page.rows.map((row) => viewRelease(row, now)), nextCursor: page.next }, 200);
  });
  app.openapi(get, async (c) => {
    const { id } = c.req.valid('param');
    const found = await store.release(ReleaseId(id));
    if (!found) return problem(c, 'not_found', missing(id));
    c.header('etag', `"${found.release.seq}"`);
    return c.json(await view(found), 200);
  });
  app.openapi(events, async (c) => {
    const { after: afterSeq, limit: size } = c.req.valid('query');
    const page = await store.releaseEvents(ReleaseId(c.req.valid('param').id), { afterSeq, limit: size });
    return c.json({ items: page.rows.map(viewEvent), nextCursor: page.next === null ? null : String(page.next) }, 200);
  });
  app.openapi(checks, async (c) => {
    const { id } = c.req.valid('param');
    const found = await store.release(ReleaseId(id));
    if (!found) return problem(c, 'not_found', missing(id));
    return c.json({ items: viewChecks(found.release, await store.checkStates(found.release.id)) }, 200);
  });
  app.openapi(measurements, async (c) => {
    const { check = null, before: end = null, limit: size } = c.req.valid('query');
    const page = await store.measurements(ReleaseId(c.req.valid('param').id), {
      check,
      limit: size,
      before: end,
    });
    return c.json({ items: page.rows.map(viewMeasurement), nextCursor: page.next === null ? null : String(page.next) }, 200);
  });
  return app;
}

const isPhase = (text: string): text is PhaseKind => PHASES.includes(text);
