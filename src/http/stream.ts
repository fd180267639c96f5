/** Events as they are committed, over server-sent events: resumed by `Last-Event-ID`, never skipping one. */
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { SSEStreamingApi } from 'hono/streaming';
import type { LoggedEvent } from '../ports/store.ts';
import type { HttpDeps } from './deps.ts';
import { viewEvent } from './views.ts';
import { permit, visible } from './permission.ts';

const LOOK_MS = 200;
const ALIVE_EVERY_MS = 15_000;
const RETRY_MS = 2_000;
const BATCH = 100;

export function streamRoutes({ context, closing }: HttpDeps): Hono {
  const { store, clock, log } = context;
  const app = new Hono();
  app.get('/v1/events', permit('read', 'handler'), (c) => {
    const { release, service } = c.req.query();
    const from = positionOf(c.req.header('last-event-id') ?? c.req.query('after'));
    const wanted = ({ event }: LoggedEvent): boolean =>
      visible(c, event.service) &&
      (release === undefined || ('release' in event && event.release === release)) &&
      (service === undefined || event.service === service);
    c.header('x-accel-buffering', 'no');
    c.header('cache-control', 'no-cache, no-transform');
    const send = async (stream: SSEStreamingApi): Promise<void> => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const until = AbortSignal.any([gone.signal, closing]);
      let position = from ?? (await store.lastPosition());
      let aliveMs = clock.monotonicMs();
      await stream.write(`retry: ${RETRY_MS}\n\n`);
      while (!until.aborted) {
        const logged = await store.events({ afterPosition: position, limit: BATCH });
        for (const entry of logged) {
          position = entry.position;
          if (wanted(entry)) await stream.writeSSE({ id: String(position), data: JSON.stringify(viewEvent(entry.event)) });
        }
        if (logged.length === BATCH) continue;
        if (ALIVE_EVERY_MS <= clock.monotonicMs() - aliveMs) {
          await stream.write(': alive\n\n');
          aliveMs = clock.monotonicMs();
        }
        await clock.sleep(LOOK_MS, until);
      }
    };
    // The reader comes again, and goes on where it was.
    return streamSSE(c, (stream) =>
      send(stream).catch((error: unknown) =>
        log.warn({ error: String(error) }, 'a stream of events ended before its reader left'),
      ),
    );
  });
  return app;
}

/** Null for none, and for anything that is no position: then from now on. */
const positionOf = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
