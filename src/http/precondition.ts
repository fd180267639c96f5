/**
 * `ETag`, `If-Match` and `If-None-Match`: who changes something says which version of it was seen, or says that any will do,
 * and who has what would be answered already is told so.
 */
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { ofAnyRoute, problem } from './problem.ts';
import type { ProblemResponse } from './problem.ts';

/** Spread into the headers of a route that changes something. */
export const matchHeader = {
  'if-match': z.string().optional().describe('the ETag that was seen, or * for whatever it is'),
};

export const tagOf = (version: number): string => `"${version}"`;

/** Answers 304 to who has this already. Where more is shown than the version tells, a digest of it is part of the tag. */
export function unlessSeen<T extends object, R>(
  c: Context,
  { version, body, isWhole = false }: { readonly version: number; readonly body: T; readonly isWhole?: boolean },
  answer: (body: T) => R,
): R | ProblemResponse {
  const shown = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16);
  const tag = isWhole ? tagOf(version) : `"${version}-${shown}"`;
  c.header('etag', tag);
  const known = c.req.header('if-none-match')?.split(',') ?? [];
  const isSeen = known.some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === tag);
  return isSeen ? ofAnyRoute(c.body(null, 304)) : answer(body);
}

/** The version that was seen; null for "whatever it is". */
export function seenVersion(c: Context, what: string): Result<number | null, ProblemResponse> {
  if (c.req.header('if-match') !== undefined) return givenVersion(c);
  const detail = `say which version of ${what} you saw: If-Match with the ETag of GET ${what}, such as "12", or * for whatever it is`;
  return err(problem(c, 'unconditional', detail));
}

/** The same where nobody has to say it. */
export function givenVersion(c: Context): Result<number | null, ProblemResponse> {
  const header = c.req.header('if-match') ?? '*';
  if (header.trim() === '*') return ok(null);
  const version = /^(?:W\/)?"(\d{1,15})(?:-[0-9a-f]{16})?"$/.exec(header.trim())?.[1];
  if (version !== undefined) return ok(Number(version));
  return err(problem(c, 'malformed', 'If-Match is one version in quotes, such as "12", or *'));
}
