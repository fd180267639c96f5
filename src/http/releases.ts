/** Releases as they can be read: lists, one of them, its events, checks and measurements, and waiting for it. */
import { z } from '@hono/zod-openapi';
import type { Context as Request } from 'hono';
import { checkView, eventView, listOf, measurementView, releaseView } from '../contract/wire.ts';
import { isEnded } from '../domain/release.ts';
import type { PhaseKind, Release } from '../domain/release.ts';
import { accepts } from '../domain/accepts.ts';
import { ReleaseId } from '../domain/ids.ts';
import { parseDuration } from '../lib/duration.ts';
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
  bound: 'handler',
  request: {
    query: z
      .object({
        service: z.string().optional(),
        phase: z.string().optional(),
        q: z.string().max(200).optional().describe('a part of the service, the version or the id'),
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
  bound: 'release',
  request: { params: idParam },
  responses: { 200: jsonOf(releaseView, 'The release'), ...problems },
});
const wait = route({
  method: 'get',
  path: '/v1/releases/{id}/wait',
  permission: 'read',
  bound: 'release',
  request: {
    params: idParam,
    query: z.object({ until: z.string().default('terminal'), timeout: z.string().default('30s') }).strict(),
  },
  responses: {
    200: jsonOf(z.object({ reached: z.boolean(), release: releaseView }), 'As it is when the condition holds, or the time is up'),
    ...problems,
  },
});
const events = route({
  method: 'get',
  path: '/v1/releases/{id}/events',
  permission: 'read',
  bound: 'release',
  request: { params: idParam, query: z.object({ after, limit }).strict() },
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
  request: { params: idParam, query: z.object({ check: z.string().optional(), before, limit }).strict() },
  responses: { 200: jsonOf(listOf(measurementView), 'Newest first'), ...problems },
});

export function releaseRoutes({ context, closing }: HttpDeps) {
  const { store, clock } = context;
  const view = async (c: Request, stored: StoredRelease) =>
    viewRelease(stored, { now: await store.now(), principal: c.get('principal') });
  const missing = (id: string): string => `no release ${id}`;

  const app = routes();
  app.openapi(list, async (c) => {
    const { service = null, phase, q: text = null, limit: size, cursor = null } = c.req.valid('query');
    const phases = phase === undefined ? null : phase.split(',').filter(isPhase);
    if (phases?.length === 0) return problem(c, 'invalid', `a phase is one of ${PHASES.join(', ')}`);
    const page = await store.releases({ service, within: c.get('principal').services, phases, text, limit: size, cursor });
    const asked = { now: await store.now(), principal: c.get('principal') };
    return c.json({ items: page.rows.map((row) => viewRelease(row, asked)), nextCursor: page.next }, 200);
  });
  app.openapi(get, async (c) => {
    const { id } = c.req.valid('param');
    const found = await store.release(ReleaseId(id));
    if (!found) return problem(c, 'not_found', missing(id));
    c.header('etag', `"${found.release.seq}"`);
    return c.json(await view(c, found), 200);
  });
  app.openapi(wait, async (c) => {
    const { id } = c.req.valid('param');
    const { until, timeout } = c.req.valid('query');
    const condition = conditionOf(until);
    const timeoutMs = parseDuration(timeout);
    if (!condition) return problem(c, 'invalid', `until is terminal, promoted, paused or step:N, not "${until}"`);
    if (timeoutMs === null || timeoutMs > MAX_WAIT_MS) return problem(c, 'invalid', 'timeout is a duration of 60s at most');
    const endMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const found = await store.release(ReleaseId(id));
      if (!found) return problem(c, 'not_found', missing(id));
      const reached = condition(found.release);
      if (reached || endMs <= clock.monotonicMs() || closing.aborted)
        return c.json({ reached, release: await view(c, found) }, 200);
      await clock.sleep(WAIT_LOOK_MS, closing);
    }
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

const MAX_WAIT_MS = 60_000;
const WAIT_LOOK_MS = 100;

const isPhase = (text: string): text is PhaseKind => PHASES.includes(text);

function conditionOf(until: string): ((release: Release) => boolean) | null {
  if (until === 'terminal') return isEnded;
  if (until === 'promoted') return (release) => isEnded(release);
  if (until === 'paused')
    return (release) => isEnded(release) || release.phase.kind === 'paused' || release.phase.kind === 'awaitingApproval';
  const step = /^step:(\d{1,3})$/.exec(until)?.[1];
  return step === undefined ? null : (release) => isEnded(release) || Number(step) <= release.step + 1;
}
