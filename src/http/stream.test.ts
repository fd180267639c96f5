/** A stream of events ends when whoever reads it is not known any more, also when nothing happens. */
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { HttpDeps } from './deps.ts';
import { streamRoutes } from './stream.ts';

async function reading(path = '/v1/events') {
  let nowMs = 0;
  let isKnown = true;
  let followed: number | null = null;
  const sleepers: (() => void)[] = [];
  const quiet = (): void => {};
  const app = new Hono();
  app.use(async (c, next) => {
    const principal = { kind: 'person', name: 'vera', scopes: ['read'], services: null, token: null, behalf: null } as const;
    c.set('caller', {
      who: async () => ({ ok: true, value: { ...principal, provenance: null } }),
      isKnown: async () => isKnown,
      serviceOf: async () => null,
      address: null,
      refused: quiet,
    });
    await next();
  });
  const context = {
    store: { lastPosition: async () => 7 },
    clock: { monotonicMs: () => nowMs, sleep: () => new Promise<void>((wake) => void sleepers.push(wake)) },
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  } as unknown as HttpDeps['context'];
  const feed = {
    after: (position: number, signal: AbortSignal) =>
      new Promise<never[]>((done) => {
        followed = position;
        signal.addEventListener('abort', () => done([]), { once: true });
      }),
  };
  app.route('/', streamRoutes({ context, closing: new AbortController().signal, feed }));
  const answer = await app.request(path);
  const reader = answer.body!.getReader();
  await reader.read();
  return {
    reader,
    status: answer.status,
    followed: () => followed,
    revoke: () => (isKnown = false),
    async pass(ms: number) {
      nowMs += ms;
      for (const wake of sleepers.splice(0)) wake();
      await new Promise((done) => setImmediate(done));
    },
  };
}

it('goes on for who is known, and ends within a quarter of a minute for who was revoked', async () => {
  const { reader, revoke, pass } = await reading();
  await pass(15_000);
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('event: alive\ndata: {}\n\n');
  revoke();
  await pass(14_000);
  const next = reader.read();
  await pass(1_000);
  const said = await next;
  expect(said.done || (await reader.read()).done).toBe(true);
});

it('who has seen more than there is hears that it no longer holds, and then what is new', async () => {
  const { reader, followed } = await reading('/v1/events?after=8');
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('event: reset\ndata: {}\n\n');
  await expect.poll(followed).toBe(7);
  await reader.cancel();
  const behind = await reading('/v1/events?after=3');
  await expect.poll(behind.followed).toBe(3);
  await behind.reader.cancel();
});

it('refuses what is the id of no event', async () => {
  const { status, reader } = await reading('/v1/events?after=xx');
  expect(status).toBe(422);
  await reader.cancel();
});
