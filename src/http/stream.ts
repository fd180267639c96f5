/**
 * Events as they are committed, over server-sent events: resumed by `Last-Event-ID`, never skipping one. A reader that does
 * not take what it is sent for too long is let go; it comes again, and goes on where it was.
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { LoggedEvent } from '../ports/store.ts';
import type { HttpDeps } from './deps.ts';
import type { Entry, Feed } from './feed.ts';
import { permit, visible } from './permission.ts';
import { problem } from './problem.ts';
import type { ProblemResponse } from './problem.ts';

const ALIVE_EVERY_MS = 15_000;
const RETRY_MS = 2_000;
/** Readers at a time; each is a connection. */
const MOST_READERS = 5_000;
/** How long what was sent may lie untaken. */
const SLOW_MS = 30_000;
const ROUND_MS = 1_000;
/** A stream outlives no token for longer. */
const KNOWN_EVERY_MS = 15_000;

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;
const encoder = new TextEncoder();
const HELLO = encoder.encode(`retry: ${RETRY_MS}\n\n`);
/** An event of its own name and not a comment: a browser keeps comments to itself, and has to know a dead line from a quiet one. */
const ALIVE = encoder.encode('event: alive\ndata: {}\n\n');

/** What the reader knows from before no longer holds. */
const RESET = encoder.encode('event: reset\ndata: {}\n\n');

type Deps = Pick<HttpDeps, 'context' | 'closing'> & { readonly feed: Feed };

export function streamRoutes(deps: Deps): Hono {
  const { store } = deps.context;
  const app = new Hono();
  const readers = crowd(deps);
  app.get('/v1/events', permit('read', 'handler'), async (c) => {
    if (MOST_READERS <= readers.size()) return problem(c, 'unavailable', `${MOST_READERS} read events already: come again later`);
    const { release, service } = c.req.query();
    const wanted = ({ event }: LoggedEvent): boolean =>
      visible(c, event.service) &&
      (release === undefined || ('release' in event && event.release === release)) &&
      (service === undefined || event.service === service);
    const asked = c.req.header('last-event-id') ?? c.req.query('after');
    if (asked !== undefined && !POSITION.test(asked)) return unfit(c);
    const last = await store.lastPosition();
    const from = asked === undefined ? last : Number(asked);
    const { isKnown } = c.get('caller');
    return c.body(reading(deps, readers, { from: Math.min(from, last), isAhead: last < from, wanted, isKnown }), 200, HEADERS);
  });
  return app;
}

type Reader = {
  /** Whether it took everything that was sent. */
  isUp(): boolean;
  /** When something was sent last. */
  sentMs: number;
  alive(): void;
  /** Lets it go. */
  cut(): void;
  /** When it was asked last whether it is still known. */
  knownMs: number;
  /** Lets it go if it is not. */
  know(): Promise<void>;
};
type Crowd = { size(): number; add(reader: Reader): () => void };

/** One round over all readers: who hears nothing gets a sign of life, who does not listen is let go. */
function crowd({ context, closing }: Pick<Deps, 'context' | 'closing'>): Crowd {
  const { clock } = context;
  const readers = new Set<Reader>();
  let going = false;
  const rounds = async (): Promise<void> => {
    going = true;
    while (readers.size > 0 && !closing.aborted) {
      await clock.sleep(ROUND_MS, closing);
      const nowMs = clock.monotonicMs();
      for (const reader of readers) {
        const silentMs = nowMs - reader.sentMs;
        if (ALIVE_EVERY_MS <= silentMs && reader.isUp()) reader.alive();
        else if (SLOW_MS <= silentMs) reader.cut();
        if (nowMs - reader.knownMs < KNOWN_EVERY_MS) continue;
        reader.knownMs = nowMs;
        void reader.know();
      }
    }
    going = false;
  };
  return {
    size: () => readers.size,
    add(reader) {
      readers.add(reader);
      if (!going) void rounds();
      return () => void readers.delete(reader);
    },
  };
}

type Asked = {
  readonly from: number;
  /** It has seen what is not in the log: that of a database that was put back to an earlier state. */
  readonly isAhead: boolean;
  wanted(entry: LoggedEvent): boolean;
  readonly isKnown: () => Promise<boolean>;
};

/** Nothing is read that the reader has no room for: a stream asks for the next part when it has handed out the one before. */
function reading({ context, closing, feed }: Deps, readers: Crowd, asked: Asked): ReadableStream<Uint8Array> {
  const { clock, log } = context;
  const { from, isAhead, wanted, isKnown } = asked;
  const gone = new AbortController();
  const until = AbortSignal.any([gone.signal, closing]);
  let position = from;
  let leave = (): void => {};
  const end = (): void => {
    gone.abort();
    leave();
  };
  const next = async (): Promise<Uint8Array | null> => {
    while (!until.aborted) {
      const found = await feed.after(position, until);
      position = found.at(-1)?.position ?? position;
      const mine = found.filter(wanted);
      if (mine.length > 0) return joined(mine);
    }
    return null;
  };
  let send = (_part: Uint8Array): void => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const reader: Reader = {
          isUp: () => (controller.desiredSize ?? 0) > 0,
          sentMs: clock.monotonicMs(),
          alive: () => send(ALIVE),
          cut() {
            end();
            controller.error(new Error('the reader does not take what it is sent'));
          },
          knownMs: clock.monotonicMs(),
          async know() {
            const known = await isKnown().catch((error: unknown) => {
              log.warn({ error: String(error) }, 'whether the reader of a stream is still known could not be told');
              return false;
            });
            if (known || gone.signal.aborted) return;
            end();
            controller.close();
          },
        };
        send = (part) => {
          reader.sentMs = clock.monotonicMs();
          controller.enqueue(part);
        };
        leave = readers.add(reader);
        send(HELLO);
        if (isAhead) send(RESET);
      },
      async pull(controller) {
        const part = await next().catch((error: unknown) => {
          log.warn({ error: String(error) }, 'a stream of events ended before its reader left');
          return null;
        });
        if (gone.signal.aborted) return;
        if (part === null) {
          end();
          return controller.close();
        }
        send(part);
      },
      cancel: end,
    },
    { highWaterMark: 1 },
  );
}

function joined(entries: readonly Entry[]): Uint8Array {
  const [first] = entries;
  return first && entries.length === 1 ? first.block() : Buffer.concat(entries.map((entry) => entry.block()));
}

const POSITION = /^\d{1,15}$/;

function unfit(c: Context): ProblemResponse {
  const message = 'Last-Event-ID, or ?after=, is the id of an event of this stream: a whole number';
  return problem(c, 'invalid', message, [{ path: '/last-event-id', message, line: null, column: null }]);
}
