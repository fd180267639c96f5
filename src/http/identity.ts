/**
 * Tells who asks, before any route does. A token in `Authorization`, or the cookie of a console session; under `--dev` a
 * name. Failures are limited by address, and a good token is never among them.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { anybody } from '../controller/access.ts';
import { RELEASE_ID, ReleaseId } from '../domain/ids.ts';
import type { Principal } from '../domain/rights.ts';
import { failures } from '../lib/failures.ts';
import type { Failures } from '../lib/failures.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { HttpDeps } from './deps.ts';
import type { Caller } from './permission.ts';
import { problem } from './problem.ts';
import type { ProblemResponse } from './problem.ts';

/** Twenty a minute are a person at a wrong clipboard, or a pipeline that tries again. */
const LIMIT = { most: 20, windowMs: 60_000, keys: 10_000 };
const LONGEST_TOKEN = 16_384;

/** `__Host-` keeps other hosts of the same domain from setting it, and needs https. */
export const cookieName = (deps: Pick<HttpDeps, 'publicUrl'>): string =>
  deps.publicUrl?.startsWith('https:') ? '__Host-headgate' : 'headgate';

export type Failed = { answer(c: Context, detail: string): ProblemResponse };

/** One count for all ways to fail: a token in a header, and one that a session was asked for with. */
export function failed({ context }: Pick<HttpDeps, 'context'>): Failed {
  const tries: Failures = failures(() => context.clock.monotonicMs(), LIMIT);
  return {
    answer(c, detail) {
      const { address } = c.get('caller');
      const tooMany = tries.add(address ?? 'nowhere');
      if (tooMany) return problem(c, 'too_many', `${detail}; too many tries came from ${address ?? 'there'} within a minute`);
      context.log.info({ address, path: c.req.path }, `refused: ${detail}`);
      return problem(c, 'unknown_caller', detail);
    },
  };
}

export function identity(deps: HttpDeps, failure: Failed): MiddlewareHandler {
  const { store, log } = deps.context;
  return async (c, next) => {
    let asked: Promise<Result<Principal, ProblemResponse>> | null = null;
    const caller: Caller = {
      who: () => (asked ??= identified(c, deps, failure)),
      isKnown: () => isKnown(c, deps),
      serviceOf: async (id) => (RELEASE_ID.test(id) ? ((await store.release(ReleaseId(id)))?.release.service ?? null) : null),
      address: addressOf(c),
      refused(principal, why) {
        const { method, path } = c.req;
        if (method !== 'GET' && method !== 'HEAD')
          log.warn({ by: principal.name, tokenId: principal.token, address: addressOf(c), method, path }, `not allowed: ${why}`);
      },
    };
    c.set('caller', caller);
    return next();
  };
}

async function identified(c: Context, deps: HttpDeps, failure: Failed): Promise<Result<Principal, ProblemResponse>> {
  if (deps.access.dev) return ok(anybody(c.req.header('x-headgate-actor')));
  const shown = shownBy(c, cookieName(deps));
  if (shown === null) return err(problem(c, 'unknown_caller', 'no token: send Authorization: Bearer hg_..., or sign in'));
  if (shown.length > LONGEST_TOKEN) return err(failure.answer(c, 'no token is that long'));
  const found = await deps.access.identify(shown);
  return found.ok ? found : err(failure.answer(c, found.error));
}

/** A store that is away takes nobody's right. */
async function isKnown(c: Context, { access, publicUrl }: HttpDeps): Promise<boolean> {
  if (access.dev) return true;
  const shown = shownBy(c, cookieName({ publicUrl }));
  try {
    return shown !== null && (await access.identify(shown)).ok;
  } catch (error) {
    if (error instanceof StoreUnavailable) return true;
    throw error;
  }
}

/** A header wins: a program that says who it is means it. Some OFREP clients know `X-API-Key` only. */
function shownBy(c: Context, cookie: string): string | null {
  const header = c.req.header('authorization');
  if (header !== undefined) return /^bearer\s+(\S+)\s*$/i.exec(header)?.[1] ?? header;
  return c.req.header('x-api-key') ?? getCookie(c, cookie) ?? null;
}

/** Who is connected, which behind a proxy is the proxy: what it says of others could be anything. */
function addressOf({ env }: Context): string | null {
  const incoming: unknown = typeof env === 'object' && env !== null && 'incoming' in env ? env.incoming : null;
  if (typeof incoming !== 'object' || incoming === null || !('socket' in incoming)) return null;
  const { socket } = incoming;
  const address = typeof socket === 'object' && socket !== null && 'remoteAddress' in socket ? socket.remoteAddress : null;
  return typeof address === 'string' ? address : null;
}
