/** Releases as they can be read: lists, one of them, its events, checks and measurements, and waiting for it. */
import { z } from '@hono/zod-openapi';
import type { Context as Request } from 'hono';
import { checkView, eventView, listOf, measurementView, releaseView } from '../contract/wire.ts';
import type { PhaseKind } from '../domain/release.ts';
import { accepts } from '../domain/accepts.ts';
import { Instant, RELEASE_ID, ReleaseId } from '../domain/ids.ts';
import type { StoredRelease } from '../ports/store.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { route } from './permission.ts';
import { cursorOf, limit, numberCursor, timeCursor } from '../contract/paging.ts';
import { unlessSeen } from './precondition.ts';
import { problem } from './problem.ts';
import { viewChecks, viewEvent, viewMeasurement, viewRelease } from './views.ts';

export const idParam = z.object({ id: z.string().regex(RELEASE_ID, 'a release id') });
const PHASES = Object.keys(accepts);

const list = route({
  method: 'get',
  path: '/v1/releases',
  permission: 'read',
  bound: 'handler',
  request: {
    query: z
      .object({
        service: z.string().optional(),
        phase: z.string().optional().describe('one or several, with commas between them'),
        version: z.string().max(200).optional(),
        createdBy: z.string().max(200).optional(),
        since: z.iso.datetime({ offset: true, error: 'a time such as 2026-11-20T09:00:00Z' }).optional(),
        q: z.string().max(200).optional().describe('part of the service, version, id or creator'),
        limit,
        cursor: timeCursor,
      })
      .strict(),
  },
  responses: { 200: jsonOf(listOf(releaseView), 'Newest first'), ...problems },
});
const get = route({
  method: 'get',
  path: '/v1/releases/{id}',
  permission: 'read',
  bound: 'release',
  request: { params: idParam },
  responses: { 200: jsonOf(releaseView, 'The release'), ...problems },
});
const events = route({
  method: 'get',
  path: '/v1/releases/{id}/events',
  permission: 'read',
  bound: 'release',
  request: { params: idParam, query: z.object({ cursor: numberCursor, limit }).strict() },
  responses: { 200: jsonOf(listOf(eventView), 'In order'), ...problems },
});
const checks = route({
  method: 'get',
  path: '/v1/releases/{id}/checks',
  permission: 'read',
  bound: 'release',
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
  bound: 'release',
  request: { params: idParam, query: z.object({ check: z.string().optional(), cursor: numberCursor, limit }).strict() },
  responses: { 200: jsonOf(listOf(measurementView), 'Newest first'), ...problems },
});

export function releaseRoutes({ context }: HttpDeps) {
  const { store } = context;
  const view = async (c: Request, stored: StoredRelease) =>
    viewRelease(stored, { now: await store.now(), principal: c.get('principal') });
  const missing = (id: string): string => `no release ${id}`;

  const app = routes();
  app.openapi(list, async (c) => {
    const { service = null, phase, since, q, limit: size, cursor = null, ...exact } = c.req.valid('query');
    const named = phase?.split(',') ?? null;
    const phases = named?.filter(isPhase) ?? null;
    if (named?.length !== phases?.length) return problem(c, 'invalid', `a phase is one of ${PHASES.join(', ')}`);
    const page = await store.releases({
      service,
      within: c.get('principal').services,
      phases,
      version: exact.version ?? null,
      createdBy: exact.createdBy ?? null,
      since: since === undefined ? null : Instant(Date.parse(since)),
      search: q ?? null,
      limit: size,
      cursor,
    });
    const asked = { now: await store.now(), principal: c.get('principal') };
    return c.json({ items: page.rows.map((row) => viewRelease(row, asked)), nextCursor: page.next }, 200);
  });
  app.openapi(get, async (c) => {
    const { id } = c.req.valid('param');
    const found = await store.release(ReleaseId(id));
    if (!found) return problem(c, 'not_found', missing(id));
    return unlessSeen(c, { version: found.release.seq, body: await view(c, found) }, (body) => c.json(body, 200));
  });
  app.openapi(events, async (c) => {
    const { cursor: afterSeq = 0, limit: size } = c.req.valid('query');
    const page = await store.releaseEvents(ReleaseId(c.req.valid('param').id), { afterSeq, limit: size });
    return c.json({ items: page.rows.map(viewEvent), nextCursor: cursorOf(page.next) }, 200);
  });
  app.openapi(checks, async (c) => {
    const { id } = c.req.valid('param');
    const found = await store.release(ReleaseId(id));
    if (!found) return problem(c, 'not_found', missing(id));
    return c.json({ items: viewChecks(found.release, await store.checkStates(found.release.id)) }, 200);
  });
  app.openapi(measurements, async (c) => {
    const { check = null, cursor: end = null, limit: size } = c.req.valid('query');
    const page = await store.measurements(ReleaseId(c.req.valid('param').id), {
      check,
      limit: size,
      before: end,
    });
    return c.json({ items: page.rows.map(viewMeasurement), nextCursor: cursorOf(page.next) }, 200);
  });
  return app;
}

const isPhase = (text: string): text is PhaseKind => PHASES.includes(text);
