/**
 * Flags by OFREP, the OpenFeature Remote Evaluation Protocol: one flag, all of them with an ETag, and a stream that says
 * when to ask again. Who gets what is decided in `domain/flag-standing.ts`; nothing here waits for the store.
 */
import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { SSEStreamingApi } from 'hono/streaming';
import type { FlagAnswer } from '../controller/flags.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { HttpDeps } from './deps.ts';
import { permit, visible } from './permission.ts';

const ALIVE_EVERY_MS = 15_000;
const RETRY_MS = 2_000;
/** For who comes back to a stream of a process that is gone: ask again, and for the new address. */
const STRANGER_RETRY_MS = 30_000;
const INACTIVITY_S = 120;
const MOST_STREAMS = 5_000;
const LONGEST_KEY = 2_000;

type ErrorCode = 'PARSE_ERROR' | 'TARGETING_KEY_MISSING' | 'INVALID_CONTEXT' | 'FLAG_NOT_FOUND' | 'GENERAL';
type Wrong = { readonly errorCode: ErrorCode; readonly errorDetails: string };

const BLIND = 'what the flags stand at cannot be read just now: go by the default in your code';

export function ofrepRoutes(deps: HttpDeps): Hono {
  const { flags } = deps;
  const app = new Hono();
  app.use('/ofrep/*', async (c, next) => {
    await next();
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
  });
  app.post('/ofrep/v1/evaluate/flags/:key', permit('evaluate', 'handler'), async (c) => {
    const { key } = c.req.param();
    if (!(await flags.isKnown())) return c.json({ errorDetails: BLIND }, 500);
    const targetingKey = await targetingKeyOf(c);
    if (!targetingKey.ok) return c.json({ key, ...targetingKey.error }, 400);
    const flag = flags.get(key);
    if (!flag || !visible(c, flag.service))
      return c.json({ key, errorCode: 'FLAG_NOT_FOUND', errorDetails: `no flag ${key} is served here` }, 404);
    return c.json(answerOf(flags.evaluate(flag, targetingKey.value)), 200);
  });
  app.post('/ofrep/v1/evaluate/flags', permit('evaluate', 'handler'), async (c) => {
    if (!(await flags.isKnown())) return c.json({ errorDetails: BLIND }, 500);
    const targetingKey = await targetingKeyOf(c);
    if (!targetingKey.ok) return c.json(targetingKey.error, 400);
    const seen = flags.all().filter((flag) => visible(c, flag.service));
    const answers = seen.map((flag) => answerOf(flags.evaluate(flag, targetingKey.value)));
    const text = JSON.stringify(answers);
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
    c.header('etag', etag);
    if (isKnown(c.req.header('if-none-match'), etag)) return c.body(null, 304);
    const url = new URL(`/ofrep/v1/stream/${streamId}`, deps.publicUrl ?? c.req.url).href;
    return c.json({ flags: answers, eventStreams: [{ type: 'sse', url, inactivityDelaySec: INACTIVITY_S }] }, 200);
  });
  app.get('/ofrep/v1/configuration', permit('evaluate', 'none'), (c) => {
    c.header('etag', CONFIGURATION_ETAG);
    return isKnown(c.req.header('if-none-match'), CONFIGURATION_ETAG) ? c.body(null, 304) : c.json(CONFIGURATION, 200);
  });
  const streamId = deps.context.random.id();
  // A browser sends no token with a stream: its address is the ticket, and it says nothing but that there is news.
  app.get('/ofrep/v1/stream/:id', permit('anyone'), streams(deps, streamId));
  return app;
}

/** Nothing is cached: whoever keeps an answer would not see a rollback. */
const CONFIGURATION = { name: 'headgate', capabilities: { caching: { enabled: false } } };
const CONFIGURATION_ETAG = '"1"';

function answerOf({ flag, variant, slot, value, version, isSplit }: FlagAnswer) {
  const { key, service, canary, release } = flag;
  return {
    key,
    value,
    reason: isSplit ? 'SPLIT' : 'STATIC',
    variant,
    metadata: {
      service,
      slot,
      percent: canary / 100,
      ...(version === null ? {} : { version }),
      ...(release ? { releaseId: release.id, step: release.step + 1 } : {}),
    },
  };
}

async function targetingKeyOf(c: Context): Promise<Result<string, Wrong>> {
  const wrong = (errorCode: ErrorCode, errorDetails: string) => err({ errorCode, errorDetails });
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch {
    return wrong('PARSE_ERROR', 'the body is no JSON');
  }
  if (!isObject(body)) return wrong('PARSE_ERROR', 'the body is an object with a context');
  const { context } = body;
  if (context === undefined) return wrong('TARGETING_KEY_MISSING', 'there is no context: {"context":{"targetingKey":"..."}}');
  if (!isObject(context)) return wrong('INVALID_CONTEXT', 'the context is an object');
  const { targetingKey } = context;
  if (targetingKey === undefined || targetingKey === '')
    return wrong('TARGETING_KEY_MISSING', 'the context has no targetingKey, and the split goes by that');
  if (typeof targetingKey !== 'string' || LONGEST_KEY < targetingKey.length)
    return wrong('INVALID_CONTEXT', `the targetingKey is a text of up to ${LONGEST_KEY} characters`);
  return ok(targetingKey);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isKnown = (header: string | undefined, etag: string): boolean =>
  (header ?? '').split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);

/** One event per change, and the same at once for who missed one; the newest only, however many there were. */
function streams({ flags, context, closing }: HttpDeps, streamId: string) {
  const { clock, log } = context;
  let open = 0;
  const refetch = (stream: SSEStreamingApi) => {
    const { id, since } = flags.version();
    const data = JSON.stringify({ type: 'refetchEvaluation', etag: id, lastModified: Math.floor(since / 1000) });
    return stream.writeSSE({ id, data });
  };
  const send = async (stream: SSEStreamingApi, last: string | undefined): Promise<void> => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const until = AbortSignal.any([gone.signal, closing]);
    let told = last ?? flags.version().id;
    await stream.write(`retry: ${RETRY_MS}\n\n`);
    while (!until.aborted) {
      const news = new AbortController();
      const forget = flags.onChange(() => news.abort());
      try {
        if (told === flags.version().id) await clock.sleep(ALIVE_EVERY_MS, AbortSignal.any([until, news.signal]));
      } finally {
        forget();
      }
      if (until.aborted) return;
      if (told === flags.version().id) await stream.write(': alive\n\n');
      else {
        told = flags.version().id;
        await refetch(stream);
      }
    }
  };
  return (c: Context): Response => {
    if (MOST_STREAMS <= open) {
      c.header('retry-after', '30');
      return c.body(null, 429);
    }
    c.header('x-accel-buffering', 'no');
    c.header('cache-control', 'no-cache, no-transform');
    const isStranger = c.req.param('id') !== streamId;
    const last = c.req.header('last-event-id');
    open += 1;
    return streamSSE(c, async (stream) => {
      try {
        if (!isStranger) return await send(stream, last);
        await stream.write(`retry: ${STRANGER_RETRY_MS}\n\n`);
        await refetch(stream);
      } catch (error) {
        log.debug({ error: String(error) }, 'a stream of flags ended before its reader left');
      } finally {
        open -= 1;
      }
      return undefined;
    });
  };
}
