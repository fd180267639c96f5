/** Every refusal as RFC 9457 `application/problem+json`. The only table of status codes. */
import type { Context, TypedResponse } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Problem } from '../contract/problem.ts';
import type { Refusal } from '../controller/refusal.ts';

type OwnKind =
  | 'in_flight'
  | 'unconditional'
  | 'malformed'
  | 'unknown_caller'
  | 'unproven'
  | 'too_many'
  | 'foreign'
  | 'no_route'
  | 'wrong_method'
  | 'wrong_type'
  | 'too_large'
  | 'internal';
export type ProblemKind = Refusal['kind'] | OwnKind;

const TABLE = {
  malformed: [400, 'The request cannot be read'],
  unknown_caller: [401, 'Say who you are'],
  unproven: [401, 'Not proven'],
  forbidden: [403, 'Not allowed'],
  foreign: [403, 'Not from another site'],
  no_route: [404, 'There is nothing here'],
  not_found: [404, 'Not found'],
  wrong_method: [405, 'Not with this method'],
  busy: [409, 'The service is busy'],
  not_accepted: [409, 'Not now'],
  in_flight: [409, 'Under way already'],
  precondition: [412, 'It has changed meanwhile'],
  too_large: [413, 'Too large'],
  wrong_type: [415, 'Not this type of content'],
  invalid: [422, 'The document has problems'],
  unconditional: [428, 'Say what you saw'],
  too_many: [429, 'Too many tries'],
  internal: [500, 'Headgate made a mistake'],
  unavailable: [503, 'Not just now'],
} as const satisfies Record<ProblemKind, readonly [ContentfulStatusCode, string]>;

/** Fits every route's declared answers: a problem may be the answer to anything (`default` in the API's description). */
export type ProblemResponse = Response & TypedResponse<never, never, never>;

export function problem(c: Context, kind: ProblemKind, detail: string, problems: readonly Problem[] = []): ProblemResponse {
  const [status, title] = TABLE[kind];
  const errors = problems.map(({ path, message, line, column }) => ({
    pointer: path,
    detail: message,
    line,
    column,
  }));
  const body = {
    type: `urn:headgate:problem:${kind.replaceAll('_', '-')}`,
    title,
    status,
    detail,
    instance: c.req.path,
    requestId: c.get('requestId'),
    ...(errors.length > 0 ? { errors } : {}),
  };
  if (kind === 'unknown_caller') c.header('www-authenticate', 'Bearer');
  if (kind === 'too_many') c.header('retry-after', '60');
  if (kind === 'unavailable' || kind === 'in_flight') c.header('retry-after', '1');
  // What is left of the body is not read, so nothing else can be asked over this connection; a client has to know.
  if (kind === 'too_large') c.header('connection', 'close');
  return ofAnyRoute(c.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' }));
}

/**
 * An answer that any route may give, whatever its own schema says: a problem, what a replayed request was told, nothing new.
 * The type only says what a typed client would read; these are described once, for all routes.
 */
export const ofAnyRoute = (answer: Response): ProblemResponse => answer as ProblemResponse;

export const refused = (c: Context, { kind, detail, problems }: Refusal): ProblemResponse => problem(c, kind, detail, problems);
