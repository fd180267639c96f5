/** What can be asked of releases: start one, send it a command, confirm a replacement. The rules are the controller's. */
import { z } from '@hono/zod-openapi';
import { parsePlan } from '../contract/plan.ts';
import type { Context as Request } from 'hono';
import { commandBody, releaseView, startBody, validateOnly } from '../contract/wire.ts';
import { ReleaseId } from '../domain/ids.ts';
import type { Command } from '../domain/release.ts';
import { may, VERB_SCOPES } from '../domain/rights.ts';
import { ok } from '../lib/result.ts';
import type { StoredRelease } from '../ports/store.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { actorOf, originOf, refusesService, route } from './permission.ts';
import { keyHeader, once } from './once.ts';
import { matchHeader, seenVersion, tagOf } from './precondition.ts';
import { problem, refused } from './problem.ts';
import { idParam } from './releases.ts';
import { inBody, isPlanText, unfitAroundPlan } from './unfit.ts';
import { viewRelease } from './views.ts';

const start = route({
  method: 'post',
  path: '/v1/releases',
  permission: 'raise',
  bound: 'handler',
  request: {
    query: validateOnly,
    headers: z.object(keyHeader),
    body: { required: true, ...jsonOf(startBody, 'What to release') },
  },
  responses: {
    200: jsonOf(releaseView, 'With validate_only: what would be started'),
    201: jsonOf(releaseView, 'Started, or queued'),
    ...problems,
  },
});
const VERBS = ['pause', 'resume', 'promote', 'approve', 'reject', 'rollback', 'abort'] as const;
const command = route({
  method: 'post',
  path: '/v1/releases/{id}/commands/{verb}',
  permission: { byVerb: VERB_SCOPES },
  bound: 'release',
  request: {
    params: idParam.extend({ verb: z.enum(VERBS, `a command is one of ${VERBS.join(', ')}`) }),
    query: validateOnly,
    headers: z.object({ ...matchHeader, ...keyHeader }),
    body: { required: false, ...jsonOf(commandBody, 'Why, and for promote how far') },
  },
  responses: { 200: jsonOf(releaseView, 'As it is afterwards'), ...problems },
});
const replaced = route({
  method: 'post',
  path: '/v1/releases/{id}/stable-replaced',
  permission: 'raise',
  bound: 'release',
  request: {
    params: idParam,
    query: validateOnly,
    headers: z.object({ ...matchHeader, ...keyHeader }),
    body: { required: false, ...jsonOf(commandBody, 'Why') },
  },
  responses: { 200: jsonOf(releaseView, 'As it is afterwards'), ...problems },
});

export function orderRoutes({ context, commands, planWorld }: HttpDeps) {
  const { store } = context;
  const viewer = async (c: Request) => ({ now: await store.now(), principal: c.get('principal') });
  const app = routes(unfitAroundPlan('plan', planWorld));
  app.openapi(start, (c) =>
    once(c, { store }, async (keep) => {
      const body = c.req.valid('json');
      const document = await planDocument(store, body.plan);
      if (document === null)
        return problem(c, 'not_found', `no plan named "${typeof body.plan === 'string' ? body.plan : ''}": apply it first`);
      const parsed = parsePlan(document, planWorld);
      if (!parsed.ok) return problem(c, 'invalid', 'the plan has problems', inBody('plan', parsed.error));
      const foreign = refusesService(c, 'raise', parsed.value.plan.service);
      if (foreign) return foreign;
      const { version, first = false, paused = false, onBusy = null, reason = null } = body;
      const asked = await viewer(c);
      const isTrial = isTrialOf(c.req.valid('query'));
      const started = await commands.start({ plan: parsed.value.plan, version, first, paused, onBusy, reason }, actorOf(c), {
        isTrial,
        origin: originOf(c),
        once: keep((made: StoredRelease) => ({
          status: 201,
          body: viewRelease(made, asked),
          location: placeOf(made),
          tag: tagOf(made.release.seq),
        })),
      });
      if (!started.ok) return refused(c, started.error);
      c.header('etag', tagOf(started.value.release.seq));
      if (isTrial) return c.json({ ...viewRelease(started.value, asked), validated: true as const }, 200);
      c.header('location', placeOf(started.value));
      return c.json(viewRelease(started.value, asked), 201);
    }),
  );
  /** Whoever lowers says nothing of what was seen: a stale view is no reason to go on serving. */
  const send = (c: Request, id: string, order: Command) => {
    const isLowering = order.verb === 'pause' || order.verb === 'rollback';
    return once(c, { store, isLowering }, async (keep) => {
      const seen = isLowering ? ok(null) : seenVersion(c, `/v1/releases/${id}`);
      if (!seen.ok) return seen.error;
      const asked = await viewer(c);
      const isTrial = c.req.query('validate_only') === 'true';
      const sent = await commands.send(ReleaseId(id), order, {
        actor: actorOf(c),
        ifMatch: seen.value,
        isTrial,
        origin: originOf(c),
        once: keep((made: StoredRelease) => ({ status: 200, body: viewRelease(made, asked), tag: tagOf(made.release.seq) })),
      });
      if (!sent.ok) return refused(c, sent.error);
      c.header('etag', tagOf(sent.value.release.seq));
      const view = viewRelease(sent.value, asked);
      return c.json(isTrial ? { ...view, validated: true as const } : view, 200);
    });
  };
  app.openapi(command, (c) => {
    const { id, verb } = c.req.valid('param');
    return send(c, id, commandOf(verb, c.req.valid('json') ?? {}, may(c.get('principal'), 'approve')));
  });
  app.openapi(replaced, (c) => {
    const reason = c.req.valid('json')?.reason ?? null;
    return send(c, c.req.valid('param').id, { verb: 'confirmReplaced', reason });
  });
  return app;
}

const isTrialOf = ({ validate_only: only }: { readonly validate_only?: string | undefined }): boolean => only === 'true';
const placeOf = ({ release }: StoredRelease): string => `/v1/releases/${release.id}`;

/** The text of an applied plan, or the document that was sent along. */
async function planDocument(store: HttpDeps['context']['store'], plan: string | Record<string, unknown>): Promise<unknown> {
  if (typeof plan !== 'string' || isPlanText(plan)) return plan;
  return (await store.plan(plan, null))?.document ?? null;
}

function commandOf(
  verb: (typeof VERBS)[number],
  { reason: given, full = false, force = false, planHash }: z.output<typeof commandBody>,
  mayApprove: boolean,
): Command {
  const reason = given ?? null;
  if (verb === 'promote') return { verb, full, force, reason, mayApprove };
  if (verb === 'approve') return { verb, reason, ...(planHash === undefined ? {} : { planHash }) };
  return { verb: verb === 'abort' ? 'rollback' : verb, reason };
}
