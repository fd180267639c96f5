/** How releases go their way, for those who watch: what runs now with its targets, and the course of one of them. */
import { z } from '@hono/zod-openapi';
import { cursorOf, limit, numberCursor, timeCursor } from '../contract/paging.ts';
import { canaryTargetView, courseView, runningView } from '../contract/course-views.ts';
import type { CanaryTargetView } from '../contract/course-views.ts';
import { planText } from '../contract/plan-text.ts';
import { eventView, listOf } from '../contract/wire.ts';
import { readTarget } from '../controller/observe.ts';
import { accepts } from '../domain/accepts.ts';
import type { ReleaseEvent } from '../domain/event.ts';
import { ReleaseId } from '../domain/ids.ts';
import { rail } from '../domain/rail.ts';
import { isEnd } from '../domain/release.ts';
import type { PhaseKind } from '../domain/release.ts';
import { canarySlot, canaryWeight } from '../domain/target.ts';
import type { Service, Target } from '../domain/target.ts';
import type { Store } from '../ports/store.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { route } from './permission.ts';
import { problem } from './problem.ts';
import { idParam } from './releases.ts';
import { viewEvent, viewRelease } from './views.ts';

const RUNNING = (Object.keys(accepts) as PhaseKind[]).filter((phase) => !isEnd(phase));
/** A log is read to here: what comes later in one so long is told by the events themselves. */
const MOST_EVENTS = 5_000;
const BATCH = 200;

const running = route({
  method: 'get',
  path: '/v1/running',
  permission: 'read',
  bound: 'handler',
  request: {
    query: z
      .object({
        service: z.string().max(100).optional(),
        phase: z.string().max(200).optional(),
        q: z.string().max(200).optional(),
        limit,
        cursor: timeCursor,
      })
      .strict(),
  },
  responses: { 200: jsonOf(listOf(runningView), 'What has not ended, newest first, each with its targets'), ...problems },
});
const course = route({
  method: 'get',
  path: '/v1/releases/{id}/course',
  permission: 'read',
  bound: 'release',
  request: { params: idParam },
  responses: { 200: jsonOf(courseView, 'Its places and weights over time, and its plan'), ...problems },
});
const timeline = route({
  method: 'get',
  path: '/v1/releases/{id}/timeline',
  permission: 'read',
  bound: 'release',
  request: { params: idParam, query: z.object({ cursor: numberCursor, limit }).strict() },
  responses: { 200: jsonOf(listOf(eventView), 'Its events, newest first'), ...problems },
});
const targets = route({
  method: 'get',
  path: '/v1/releases/{id}/targets',
  permission: 'read',
  bound: 'release',
  request: { params: idParam },
  responses: { 200: jsonOf(z.object({ items: z.array(canaryTargetView) }), 'Asked of each router now'), ...problems },
});

export function courseRoutes({ context }: HttpDeps) {
  const { store } = context;
  const app = routes();
  app.openapi(running, async (c) => {
    const principal = c.get('principal');
    const { service = null, phase, q: search = null, limit: size, cursor = null } = c.req.valid('query');
    const asked = phase === undefined ? RUNNING : RUNNING.filter((each) => phase.split(',').includes(each));
    if (asked.length === 0) return c.json({ items: [], nextCursor: null }, 200);
    const page = await store.releases({ service, within: principal.services, phases: asked, search, limit: size, cursor });
    const [now, services, all] = [await store.now(), await store.services(), await store.targets(null)];
    const items = page.rows.map((row) => {
      const of = services.find(({ name }) => name === row.release.service);
      const mine = row.release.phase.kind === 'queued' ? [] : all.filter(({ id }) => row.release.targets.includes(id));
      return { release: viewRelease(row, { now, principal }), targets: of ? mine.map((target) => lastSeen(target, of)) : [] };
    });
    return c.json({ items, nextCursor: page.next }, 200);
  });
  app.openapi(course, async (c) => {
    const id = ReleaseId(c.req.valid('param').id);
    const found = await store.release(id);
    if (!found) return problem(c, 'not_found', `no release ${id}`);
    const { stops, weights } = rail(found.release, await wholeLog(store, id));
    return c.json(
      {
        stops: stops.map(({ weight, checks, ...stop }) => ({ ...stop, weightBp: weight, checks: [...checks] })),
        weights: weights.map(({ at, wanted, served }) => ({ at, wantedBp: wanted, servedBp: served })),
        plan: planText(found.release.plan),
      },
      200,
    );
  });
  app.openapi(timeline, async (c) => {
    const id = ReleaseId(c.req.valid('param').id);
    const found = await store.release(id);
    if (!found) return problem(c, 'not_found', `no release ${id}`);
    const { cursor, limit: size } = c.req.valid('query');
    // Events are numbered without gaps, and the last one's number is the state's: a page from the end is one from here.
    const before = Math.min(cursor ?? Infinity, found.release.seq + 1);
    const afterSeq = Math.max(0, before - 1 - size);
    const page = await store.releaseEvents(id, { afterSeq, limit: Math.max(1, before - 1 - afterSeq) });
    const items = page.rows.filter(({ seq }) => seq < before).toReversed();
    return c.json({ items: items.map(viewEvent), nextCursor: afterSeq === 0 ? null : cursorOf(afterSeq + 1) }, 200);
  });
  app.openapi(targets, async (c) => {
    const id = ReleaseId(c.req.valid('param').id);
    const found = await store.load(id);
    if (!found) return problem(c, 'not_found', `no release ${id}`);
    const now = await store.now();
    const items = await Promise.all(
      found.targets.map(async (target): Promise<CanaryTargetView> => {
        const seen = lastSeen(target, found.service);
        const { nodes, mute } = await readTarget(context, target, c.req.raw.signal);
        if (nodes.length === 0) return { ...seen, servedBp: null, problem: mute ?? seen.problem };
        const shares = nodes.map(({ secondShare }) => canaryWeight(target.slots, found.service.stableSlot, secondShare));
        return { ...seen, servedBp: Math.max(...shares), servedAt: now, problem: mute ?? seen.problem };
      }),
    );
    return c.json({ items }, 200);
  });
  return app;
}

/** The canary's weights of a target by what was read back last, without asking its router. */
function lastSeen(target: Target, { stableSlot }: Service): CanaryTargetView {
  const { id, router, route: place, cell, slots, desiredSecond, verifiedSecond, verifiedAt, differs, unreachableSince } = target;
  return {
    id,
    router,
    route: place,
    cell,
    canarySlot: canarySlot(slots, stableSlot),
    wantedBp: canaryWeight(slots, stableSlot, desiredSecond),
    servedBp: verifiedSecond === null ? null : canaryWeight(slots, stableSlot, verifiedSecond),
    servedAt: verifiedAt,
    problem: unreachableSince === null ? differs : 'cannot be reached',
  };
}

async function wholeLog(store: Store, id: ReleaseId): Promise<readonly ReleaseEvent[]> {
  const log: ReleaseEvent[] = [];
  let afterSeq: number | null = 0;
  while (afterSeq !== null && log.length < MOST_EVENTS) {
    const page: Awaited<ReturnType<Store['releaseEvents']>> = await store.releaseEvents(id, { afterSeq, limit: BATCH });
    log.push(...page.rows);
    afterSeq = page.next;
  }
  return log;
}
