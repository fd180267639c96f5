/** What a request may carry: how much, of which type, and in which shape. Refused before anybody makes values of it. */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { misshapen } from '../lib/json-scan.ts';
import { problem } from './problem.ts';

const MAX_BODY_BYTES = 512 * 1024;
const SHAPE = { depth: 20, values: 50_000 };
/** What others send in their own shape: taken as bytes, and looked at by whoever knows the sender. */
const FOREIGN = '/v1/webhooks/in/';

const size = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: (c) => problem(c, 'too_large', `a request body has ${MAX_BODY_BYTES / 1024} kB at most`),
});

const type: MiddlewareHandler = async (c, next) => {
  const said = c.req.header('content-type');
  if (!mayHaveBody(c.req.method) || c.req.path.startsWith(FOREIGN)) return next();
  // `curl -d ''` names the type of a form that is not there: nothing is no wrong type.
  if (c.req.header('content-length') === '0') return next();
  if (c.req.path.startsWith('/v1/') && said !== undefined && !/^application\/([\w.+-]+\+)?json\b/.test(said))
    return problem(c, 'wrong_type', `the body is JSON (application/json), not ${said}`);
  if (said === undefined && Number(c.req.header('content-length') ?? 0) > 0)
    return problem(c, 'wrong_type', 'say content-type: application/json');
  return next();
};

const shape: MiddlewareHandler = async (c, next) => {
  if (!mayHaveBody(c.req.method) || c.req.raw.body === null || c.req.path.startsWith(FOREIGN)) return next();
  const text = decoded(await c.req.arrayBuffer());
  if (text === null) return problem(c, 'malformed', 'the body is not UTF-8');
  const wrong = misshapen(text, SHAPE);
  return wrong === null ? next() : problem(c, 'malformed', wrong);
};

export const limits: readonly MiddlewareHandler[] = [size, type, shape];

const mayHaveBody = (method: string): boolean => method === 'POST' || method === 'PUT' || method === 'PATCH';

const decoder = new TextDecoder('utf-8', { fatal: true });

function decoded(bytes: ArrayBuffer): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
