/** Releases: start one, read it, send it commands, wait for it. Handlers translate; the rules are the controller's. */
import { createRoute, z } from '@hono/zod-openapi';
import { parsePlan } from '../contract/plan.ts';
import { checkView, commandBody, eventView, listOf, measurementView, releaseView, startBody } from '../contract/wire.ts';
import { isEnded } from '../domain/release.ts';
import type { Command, PhaseKind, Release } from '../domain/release.ts';
import { accepts } from '../domain/accepts.ts';
import { ReleaseId } from '../domain/ids.ts';
import { parseDuration } from '../lib/duration.ts';
import type { StoredRelease } from '../ports/store.ts';
import { jsonOf, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { problem, refused } from './problem.ts';
import { actorOf, viewChecks, viewEvent, viewMeasurement, viewRelease } from './views.ts';

const idParam = z.object({ id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'a release id') });
const limit = z.coerce.number().int().min(1).max(200, 'a page has 200 rows at most').default(50);
const after = z.coerce.number().int().min(0).default(0);
const before = z.coerce.number().int().min(1).optional();
const problems = { default: { description: 'A problem document (RFC 9457)' } };
const PHASES = Object.keys(accepts);

const start = createRoute({ method: 'post', path: '/v1/releases', request: { body: { required: true, ...jsonOf(startBody, 'What to release') } }, responses: { 201: jsonOf(releaseView, 'Started, or queued'), ...problems } });
const list = createRoute({
  method: 'get',
  path: '/v1/releases',
  request: { query: z.object({ service: z.string().optional(), phase: z.string().optional(), limit, cursor: z.string().max(500).optional() }).strict() },
  responses: { 200: jsonOf(listOf(releaseView), 'Newest first'), ...problems },
});
const get = createRoute({ method: 'get', path: '/v1/releases/{id}', request: { params: idParam }, responses: { 200: jsonOf(releaseView, 'The release'), ...problems } });
const wait = createRoute({
  method: 'get',
  path: '/v1/releases/{id}/wait',
  request: { params: idParam, query: z.object({ until: z.string().default('terminal'), timeout: z.string().default('30s') }).strict() },
  responses: { 200: jsonOf(z.object({ reached: z.boolean(), release: releaseView }), 'As it is when the condition holds, or the time is up'), ...problems },
});
const events = createRoute({ method: 'get', path: '/v1/releases/{id}/events', request: { params: idParam, query: z.object({ after, limit }).strict() }, responses: { 200: jsonOf(listOf(eventView), 'In order'), ...problems } });
const checks = createRoute({ method: 'get', path: '/v1/releases/{id}/checks', request: { params: idParam }, responses: { 200: jsonOf(z.object({ items: z.array(checkView) }), 'The newest verdict of each check, with its evidence'), ...problems } });
const measurements = createRoute({
  method: 'get',
  path: '/v1/releases/{id}/measurements',
  request: { params: idParam, query: z.object({ check: z.string().optional(), before, limit }).strict() },
  responses: { 200: jsonOf(listOf(measurementView), 'Newest first'), ...problems },
});
const VERBS = ['pause', 'resume', 'promote', 'approve', 'reject', 'rollback', 'abort'] as const;
const command = createRoute({
  method: 'post',
  path: '/v1/releases/{id}/commands/{verb}',
  request: {
    params: idParam.extend({ verb: z.enum(VERBS, `a command is one of ${VERBS.join(', ')}`) }),
    headers: z.object({ 'if-match': z.string().optional() }),
    body: { required: false, ...jsonOf(commandBody, 'Why, and for promote how far') },
  },
  responses: { 200: jsonOf(releaseView, 'As it is afterwards'), ...problems },
});
const replaced = createRoute({ method: 'post', path: '/v1/releases/{id}/stable-replaced', request: { params: idParam, body: { required: false, ...jsonOf(commandBody, 'Why') } }, responses: { 200: jsonOf(releaseView, 'As it is afterwards'), ...problems } });

export function releaseRoutes({ context, commands, planWorld, closing }: HttpDeps) {
  const { store, clock } = context;
  const view = async (stored: StoredRelease) => viewRelease(stored, await store.now());
  const missing = (id: string): string => `no release ${id}`;

  const app = routes();
  app.openapi(start, async (c) => {
    const body = c.req.valid('json');
    const document = await planDocument(context.store, body.plan);
    if (document === null) return problem(c, 'not_found', `no plan named "${String(body.plan)}": apply it first`);
    const parsed = parsePlan(document, planWorld);
    if (!parsed.ok) return problem(c, 'invalid', 'the plan has problems', parsed.error);
    const { version, first = false, paused = false, onBusy = null, reason = null } = body;
    const started = await commands.start({ plan: parsed.value.plan, version, first, paused, onBusy, reason }, actorOf(c.req.header('x-headgate-actor')));
    if (!started.ok) return refused(c, started.error);
    c.header('location', `/v1/releases/${started.value.release.id}`);
    return c.json(await view(started.value), 201);
  });
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
      if (reached || endMs <= clock.monotonicMs() || closing.aborted) return c.json({ reached, release: await view(found) }, 200);
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
    const page = await store.measurements(ReleaseId(c.req.valid('param').id), { check, limit: size, before: end });
    return c.json({ items: page.rows.map(viewMeasurement), nextCursor: page.next === null ? null : String(page.next) }, 200);
  });
  app.openapi(command, async (c) => {
    const { id, verb } = c.req.valid('param');
    const ifMatch = matchOf(c.req.valid('header')['if-match']);
    if (ifMatch === undefined) return problem(c, 'malformed', 'If-Match is the stateVersion in quotes, such as "12", or *');
    const sent = await commands.send(ReleaseId(id), commandOf(verb, c.req.valid('json') ?? {}), { actor: actorOf(c.req.header('x-headgate-actor')), ifMatch });
    return sent.ok ? c.json(await view(sent.value), 200) : refused(c, sent.error);
  });
  app.openapi(replaced, async (c) => {
    const reason = c.req.valid('json')?.reason ?? null;
    const sent = await commands.send(ReleaseId(c.req.valid('param').id), { verb: 'confirmReplaced', reason }, { actor: actorOf(c.req.header('x-headgate-actor')), ifMatch: null });
    return sent.ok ? c.json(await view(sent.value), 200) : refused(c, sent.error);
  });
  return app;
}

const MAX_WAIT_MS = 60_000;
const WAIT_LOOK_MS = 100;

const isPhase = (text: string): text is PhaseKind => PHASES.includes(text);

/** The text of an applied plan, or the document that was sent along. */
async function planDocument(store: HttpDeps['context']['store'], plan: string | Record<string, unknown>): Promise<unknown> {
  if (typeof plan !== 'string' || plan.includes('\n')) return plan;
  return (await store.plan(plan, null))?.document ?? null;
}

function commandOf(verb: (typeof VERBS)[number], { reason = null, full = false, force = false }: { reason?: string | undefined | null; full?: boolean | undefined; force?: boolean | undefined }): Command {
  if (verb === 'promote') return { verb, full, force, reason };
  return { verb: verb === 'abort' ? 'rollback' : verb, reason };
}

/** Null for "whatever it is"; undefined for nonsense. */
function matchOf(header: string | undefined): number | null | undefined {
  if (header === undefined || header === '*') return null;
  const match = /^(?:W\/)?"(\d{1,15})"$/.exec(header);
  return match ? Number(match[1]) : undefined;
}

function conditionOf(until: string): ((release: Release) => boolean) | null {
  if (until === 'terminal') return isEnded;
  if (until === 'promoted') return (release) => isEnded(release);
  if (until === 'paused') return (release) => isEnded(release) || release.phase.kind === 'paused' || release.phase.kind === 'awaitingApproval';
  const step = /^step:(\d{1,3})$/.exec(until)?.[1];
  return step === undefined ? null : (release) => isEnded(release) || Number(step) <= release.step + 1;
}
