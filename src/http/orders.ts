/** What can be asked of releases: start one, send it a command, confirm a replacement. The rules are the controller's. */
import { z } from '@hono/zod-openapi';
import type { Context as Request } from 'hono';
import { parsePlan } from '../contract/plan.ts';
import { commandBody, releaseView, startBody } from '../contract/wire.ts';
import { ReleaseId } from '../domain/ids.ts';
import type { Command } from '../domain/release.ts';
import { VERB_SCOPES } from '../domain/rights.ts';
import type { StoredRelease } from '../ports/store.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { actorOf, originOf, refusesService, route } from './permission.ts';
import { problem, refused } from './problem.ts';
import { idParam } from './releases.ts';
import { viewRelease } from './views.ts';

const start = route({
  method: 'post',
  path: '/v1/releases',
  permission: 'raise',
  bound: 'handler',
  request: { body: { required: true, ...jsonOf(startBody, 'What to release') } },
  responses: { 201: jsonOf(releaseView, 'Started, or queued'), ...problems },
});
const VERBS = ['pause', 'resume', 'promote', 'approve', 'reject', 'rollback', 'abort'] as const;
const command = route({
  method: 'post',
  path: '/v1/releases/{id}/commands/{verb}',
  permission: { byVerb: VERB_SCOPES },
  bound: 'release',
  request: {
    params: idParam.extend({ verb: z.enum(VERBS, `a command is one of ${VERBS.join(', ')}`) }),
    headers: z.object({ 'if-match': z.string().optional() }),
    body: { required: false, ...jsonOf(commandBody, 'Why, and for promote how far') },
  },
  responses: { 200: jsonOf(releaseView, 'As it is afterwards'), ...problems },
});
const replaced = route({
  method: 'post',
  path: '/v1/releases/{id}/stable-replaced',
  permission: 'raise',
  bound: 'release',
  request: { params: idParam, body: { required: false, ...jsonOf(commandBody, 'Why') } },
  responses: { 200: jsonOf(releaseView, 'As it is afterwards'), ...problems },
});

export function orderRoutes({ context, commands, planWorld }: HttpDeps) {
  const { store } = context;
  const view = async (c: Request, stored: StoredRelease) =>
    viewRelease(stored, { now: await store.now(), principal: c.get('principal') });

  const app = routes();
  app.openapi(start, async (c) => {
    const body = c.req.valid('json');
    const document = await planDocument(context.store, body.plan);
    if (document === null)
      return problem(c, 'not_found', `no plan named "${typeof body.plan === 'string' ? body.plan : ''}": apply it first`);
    const parsed = parsePlan(document, planWorld);
    if (!parsed.ok) return problem(c, 'invalid', 'the plan has problems', parsed.error);
    const foreign = refusesService(c, 'raise', parsed.value.plan.service);
    if (foreign) return foreign;
    const { version, first = false, paused = false, onBusy = null, reason = null } = body;
    const started = await commands.start(
      { plan: parsed.value.plan, version, first, paused, onBusy, reason },
      actorOf(c),
      originOf(c),
    );
    if (!started.ok) return refused(c, started.error);
    c.header('location', `/v1/releases/${started.value.release.id}`);
    return c.json(await view(c, started.value), 201);
  });
  app.openapi(command, async (c) => {
    const { id, verb } = c.req.valid('param');
    const ifMatch = matchOf(c.req.valid('header')['if-match']);
    if (ifMatch === undefined) return problem(c, 'malformed', 'If-Match is the stateVersion in quotes, such as "12", or *');
    const sent = await commands.send(ReleaseId(id), commandOf(verb, c.req.valid('json') ?? {}), {
      actor: actorOf(c),
      origin: originOf(c),
      ifMatch,
    });
    return sent.ok ? c.json(await view(c, sent.value), 200) : refused(c, sent.error);
  });
  app.openapi(replaced, async (c) => {
    const reason = c.req.valid('json')?.reason ?? null;
    const sent = await commands.send(
      ReleaseId(c.req.valid('param').id),
      { verb: 'confirmReplaced', reason },
      { actor: actorOf(c), origin: originOf(c), ifMatch: null },
    );
    return sent.ok ? c.json(await view(c, sent.value), 200) : refused(c, sent.error);
  });
  return app;
}

/** The text of an applied plan, or the document that was sent along. */
async function planDocument(store: HttpDeps['context']['store'], plan: string | Record<string, unknown>): Promise<unknown> {
  if (typeof plan !== 'string' || plan.includes('\n')) return plan;
  return (await store.plan(plan, null))?.document ?? null;
}

function commandOf(
  verb: (typeof VERBS)[number],
  {
    reason = null,
    full = false,
    force = false,
  }: { reason?: string | undefined | null; full?: boolean | undefined; force?: boolean | undefined },
): Command {
  if (verb === 'promote') return { verb, full, force, reason };
  return { verb: verb === 'abort' ? 'rollback' : verb, reason };
}

/** Null for "whatever it is"; undefined for nonsense. */
function matchOf(header: string | undefined): number | null | undefined {
  if (header === undefined || header === '*') return null;
  const match = /^(?:W\/)?"(\d{1,15})"$/.exec(header);
  return match ? Number(match[1]) : undefined;
}
