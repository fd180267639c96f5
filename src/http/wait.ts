/** Waiting for a release: one answer when a condition holds or the time is up. All who wait share one reader of what is committed. */
import { z } from '@hono/zod-openapi';
import type { Context as Request } from 'hono';
import { UNTIL_SHAPE, untilOf } from '../contract/until.ts';
import type { Until } from '../contract/until.ts';
import { releaseView } from '../contract/wire.ts';
import { ReleaseId } from '../domain/ids.ts';
import { isEnded } from '../domain/release.ts';
import type { Release } from '../domain/release.ts';
import { parseDuration } from '../lib/duration.ts';
import type { StoredRelease } from '../ports/store.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import type { Feed } from './feed.ts';
import { route } from './permission.ts';
import { problem } from './problem.ts';
import { idParam } from './releases.ts';
import { viewRelease } from './views.ts';

const MAX_WAIT_MS = 60_000;
/** Who waits at a time; each is a request that is open. */
const MOST_WAITING = 2_000;

const wait = route({
  method: 'get',
  path: '/v1/releases/{id}/wait',
  permission: 'read',
  bound: 'release',
  request: {
    params: idParam,
    query: z
      .object({
        until: z.string().default('terminal').describe(UNTIL_SHAPE),
        timeout: z.string().default('30s').describe('60s at most'),
      })
      .strict(),
  },
  responses: {
    200: jsonOf(z.object({ reached: z.boolean(), release: releaseView }), 'As it is when the condition holds, or the time is up'),
    ...problems,
  },
});

export function waitRoutes({ context, closing, feed }: HttpDeps & { readonly feed: Feed }) {
  const { store, clock } = context;
  let waiting = 0;
  /** The release when the condition holds or the signal fires; null when there is none. */
  async function reaches(id: ReleaseId, condition: (release: Release) => boolean, signal: AbortSignal) {
    let position = await store.lastPosition();
    let found = await store.release(id);
    while (found && !condition(found.release) && !signal.aborted) {
      const news = await feed.after(position, signal);
      position = news.at(-1)?.position ?? position;
      if (news.some(({ event }) => 'release' in event && event.release === id)) found = await store.release(id);
    }
    return found;
  }
  const view = async (c: Request, stored: StoredRelease) =>
    viewRelease(stored, { now: await store.now(), principal: c.get('principal') });

  const app = routes();
  app.openapi(wait, async (c) => {
    const { id } = c.req.valid('param');
    const { until, timeout } = c.req.valid('query');
    const awaited = untilOf(until);
    const timeoutMs = parseDuration(timeout);
    if (awaited === null) return problem(c, 'invalid', `until is ${UNTIL_SHAPE}, not "${until}"`);
    const condition = conditionOf(awaited);
    if (timeoutMs === null || timeoutMs > MAX_WAIT_MS) return problem(c, 'invalid', 'timeout is a duration of 60s at most');
    const known = await store.release(ReleaseId(id));
    if (!known) return problem(c, 'not_found', `no release ${id}`);
    const beyond = beyondOf(awaited, known.release);
    if (beyond !== null) return problem(c, 'invalid', beyond);
    if (MOST_WAITING <= waiting) return problem(c, 'unavailable', `${MOST_WAITING} wait already: ask again in a moment`);
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, closing, c.req.raw.signal]);
    waiting += 1;
    void clock.sleep(timeoutMs, signal).then(() => over.abort());
    try {
      const found = await reaches(ReleaseId(id), condition, signal);
      if (!found) return problem(c, 'not_found', `no release ${id}`);
      return c.json({ reached: condition(found.release), release: await view(c, found) }, 200);
    } finally {
      waiting -= 1;
      over.abort();
    }
  });
  return app;
}

/** A step that never comes: who waited for it would take the end for it. */
const beyondOf = (until: Until, { plan: { steps } }: Release): string | null =>
  until.kind === 'step' && steps.length < until.step
    ? `there is no step ${until.step} to wait for: the plan has ${steps.length}`
    : null;

const conditionOf =
  (until: Until) =>
  (release: Release): boolean => {
    if (isEnded(release)) return true;
    if (until.kind === 'paused') return release.phase.kind === 'paused' || release.phase.kind === 'awaitingApproval';
    return until.kind === 'step' && until.step <= release.step + 1;
  };
