/** What people ask before a plan runs: what it can see, how it would go, what it would have said. None of it changes anything. */
import type { Context as Request } from 'hono';
import {
  backtestBody,
  previewBody,
  scenarioOf,
  simulateBody,
  tooMuch,
  trafficOf,
  trialsOf,
  USUAL,
  wrongSpan,
} from '../contract/ahead.ts';
import type { Excess, TrafficBody } from '../contract/ahead.ts';
import { backtestView, previewView, simulatedView } from '../contract/ahead-views.ts';
import { parsePlan } from '../contract/plan.ts';
import { pointerOf } from '../contract/problem.ts';
import { presentTraffic, recordingOf } from '../controller/ahead.ts';
import { slicer } from '../controller/slices.ts';
import type { Sliced } from '../controller/slices.ts';
import { replayed } from '../domain/rehearsal/replay.ts';
import { preview } from '../domain/preview/preview.ts';
import type { Plan } from '../domain/plan.ts';
import type { Traffic } from '../domain/rehearsal/figures.ts';
import { simulate } from '../domain/rehearsal/many.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { refusesService, route } from './permission.ts';
import { problem } from './problem.ts';
import type { ProblemResponse } from './problem.ts';
import { inBody, unfitAroundPlan } from './unfit.ts';

const previewRoute = route({
  method: 'post',
  path: '/v1/plans:preview',
  permission: 'read',
  bound: 'handler',
  request: { body: { required: true, ...jsonOf(previewBody, 'The plan, and its traffic where it is not to be measured') } },
  responses: { 200: jsonOf(previewView, 'What the plan can see'), ...problems },
});
const simulateRoute = route({
  method: 'post',
  path: '/v1/plans:simulate',
  permission: 'read',
  bound: 'handler',
  request: { body: { required: true, ...jsonOf(simulateBody, 'The plan, and what becomes of it') } },
  responses: { 200: jsonOf(simulatedView, 'How it ended, and the course of one run'), ...problems },
});
const backtestRoute = route({
  method: 'post',
  path: '/v1/plans:backtest',
  permission: 'read',
  bound: 'handler',
  request: { body: { required: true, ...jsonOf(backtestBody, 'The plan, and which past to replay it over') } },
  responses: { 200: jsonOf(backtestView, 'What would have been said, and when'), ...problems },
});

export function aheadRoutes({ context, planWorld, closing }: HttpDeps) {
  const work = slicer(context.clock);
  const app = routes(unfitAroundPlan('document', planWorld));
  const planOf = (c: Request, document: unknown): Result<Plan, ProblemResponse> => {
    const parsed = parsePlan(document, planWorld);
    if (parsed.ok) {
      const foreign = refusesService(c, 'read', parsed.value.plan.service);
      return foreign ? err(foreign) : ok(parsed.value.plan);
    }
    return err(problem(c, 'invalid', 'the plan has problems', inBody('document', parsed.error)));
  };
  const trafficFor = async (
    c: Request,
    plan: Plan,
    given: TrafficBody | undefined,
  ): Promise<Result<Traffic, ProblemResponse>> => {
    if (given) return ok(trafficOf(given));
    const measured = await presentTraffic(context, plan, USUAL, endOf(c));
    return measured.ok
      ? measured
      : err(problem(c, 'invalid', measured.error, [at({ path: ['traffic'], message: measured.error })]));
  };
  const endOf = (c: Request): AbortSignal => AbortSignal.any([c.req.raw.signal, closing]);

  app.openapi(previewRoute, async (c) => {
    const { document, traffic: given } = c.req.valid('json');
    const plan = planOf(c, document);
    if (!plan.ok) return plan.error;
    const traffic = await trafficFor(c, plan.value, given);
    if (!traffic.ok) return traffic.error;
    const done = await work.run(preview(plan.value, traffic.value), endOf(c));
    return done.kind === 'done' ? c.json(wire({ ...done.value, measured: given === undefined }), 200) : undone(c, done);
  });
  app.openapi(simulateRoute, async (c) => {
    const body = c.req.valid('json');
    const plan = planOf(c, body.document);
    if (!plan.ok) return plan.error;
    const trials = trialsOf(body, plan.value);
    const excess = tooMuch(trials, plan.value);
    if (excess !== null) return refusedFor(c, excess);
    const traffic = await trafficFor(c, plan.value, body.traffic);
    if (!traffic.ok) return traffic.error;
    const done = await work.run(simulate(plan.value, scenarioOf(body, traffic.value), trials), endOf(c));
    return done.kind === 'done' ? c.json(wire({ ...done.value, measured: body.traffic === undefined }), 200) : undone(c, done);
  });
  app.openapi(backtestRoute, async (c) => {
    const { document, version, stableVersion = null, from, to } = c.req.valid('json');
    const plan = planOf(c, document);
    if (!plan.ok) return plan.error;
    const excess = wrongSpan({ from, to }, plan.value);
    if (excess !== null) return refusedFor(c, excess);
    const { recording, unanswered } = await recordingOf(context, plan.value, { version, stableVersion, from, to }, endOf(c));
    if (recording.answers.size === 0)
      return problem(
        c,
        'invalid',
        `nothing to replay: ${unanswered.map(({ check, why }) => `${check}: ${why}`).join('; ') || 'the plan has no checks'}`,
      );
    const done = await work.run(replayed(plan.value, recording, { to, version }), endOf(c));
    return done.kind === 'done' ? c.json(wire({ ...done.value, unanswered }), 200) : undone(c, done);
  });
  return app;
}

const at = ({ path, message }: Excess) => ({ path: pointerOf(path), message, line: null, column: null });

const refusedFor = (c: Request, excess: Excess): ProblemResponse => problem(c, 'invalid', excess.message, [at(excess)]);

const undone = (c: Request, { kind }: Exclude<Sliced<never>, { kind: 'done' }>): ProblemResponse =>
  problem(
    c,
    'unavailable',
    kind === 'busy' ? 'two of these are being worked out already: try again in a moment' : 'it was stopped before it was done',
  );

/** The schemas name arrays and records that may be written; what is answered is written once, as JSON. */
type Writable<T> = T extends readonly (infer E)[]
  ? Writable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Writable<T[K]> }
    : T;
const wire = <T>(value: T): Writable<T> => value as Writable<T>;
