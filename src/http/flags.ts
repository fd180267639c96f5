/** The flags that services name: what each was when it was read last, and who changed it. */
import { z } from '@hono/zod-openapi';
import { flagView } from '../contract/wire-flags.ts';
import type { FlagView } from '../contract/wire-flags.ts';
import { listOf } from '../contract/wire.ts';
import { namedBy, watchedFlags } from '../controller/flag-read.ts';
import type { FlagName } from '../controller/flag-read.ts';
import { stateWords } from '../domain/flag.ts';
import type { StoredFlag } from '../ports/inbox.ts';
import { jsonOf, problems, routes } from './deps.ts';
import type { HttpDeps } from './deps.ts';
import { route } from './permission.ts';
import { refused } from './problem.ts';

const list = route({
  method: 'get',
  path: '/v1/flags',
  permission: 'read',
  responses: { 200: jsonOf(listOf(flagView), 'Every flag that a service names'), ...problems },
});
const refresh = route({
  method: 'post',
  path: '/v1/flags/{source}/{flag}/refresh',
  permission: 'raise',
  request: { params: z.object({ source: z.string().min(1).max(100), flag: z.string().min(1).max(200) }) },
  responses: { 200: jsonOf(flagView, 'As it was just read; what is another than before is worked on'), ...problems },
});

export function flagRoutes({ context, flagWork, closing }: HttpDeps) {
  const { store } = context;
  const view = (name: FlagName, stored: StoredFlag | null): FlagView => {
    const source = context.webhooks.get(name.source);
    return {
      ...name,
      type: source?.type ?? '',
      services: namedBy(context, name).map(({ service }) => service.name),
      own: flagWork.isOwn(name),
      readable: source?.flags != null,
      state: stored?.state ? { ...stored.state, variations: { ...stored.state.variations } } : null,
      sentence: sentenceOf(name, stored, source?.flags != null),
      readAt: stored?.readAt ?? null,
      lookedAt: stored?.lookedAt ?? null,
      failure: stored?.failure ?? null,
      change: stored?.change ?? null,
    };
  };
  const app = routes();
  app.openapi(list, async (c) => {
    const stored = await store.flags();
    const items = watchedFlags(context).map((name) =>
      view(name, stored.find(({ source, flag }) => source === name.source && flag === name.flag) ?? null),
    );
    return c.json({ items, nextCursor: null }, 200);
  });
  app.openapi(refresh, async (c) => {
    const name = c.req.valid('param');
    const looked = await flagWork.look(name, AbortSignal.any([closing, c.req.raw.signal]));
    return looked.ok ? c.json(view(name, looked.value), 200) : refused(c, looked.error);
  });
  return app;
}

function sentenceOf({ flag, source }: FlagName, stored: StoredFlag | null, isReadable: boolean): string {
  const unknown = isReadable ? 'was not read yet' : 'cannot be read: its source has no api';
  const known = `${flag} of ${source} ${stored?.state ? `is ${stateWords(stored.state)}` : unknown}`;
  const change = stored?.change;
  if (!change) return known;
  return `${known}; changed${change.changedBy === null ? '' : ` by ${change.changedBy}`}: ${change.what}`;
}
