/**
 * Asks a whole service what its own description says can be asked, and worse. No answer is a mistake of ours, none takes for
 * ever, none that refuses has written anything, and every one is as the description says.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { planOf, service } from '../service.ts';
import { requests } from './requests.ts';
import type { Description, Fuzzed } from './requests.ts';
import { misfit } from './schema.ts';

export type Seen = {
  readonly requests: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly wrong: string | null;
};

const names = ['one', 'two', 'three', 'four'];
const HANGS_MS = 60_000;
/** What only looks. */
const READS = new Set([
  ...[
    'now',
    'ping',
    'services',
    'service',
    'targets',
    'release',
    'load',
    'active',
    'queued',
    'releases',
    'checkStates',
    'nextDueAt',
  ],
  ...[
    'releaseEvents',
    'targetEvents',
    'events',
    'lastPosition',
    'positionOf',
    'measurements',
    'plan',
    'plans',
    'answered',
    'tally',
  ],
  ...['deliveries', 'delivery', 'endpoints', 'pushed', 'tokenByDigest', 'tokens', 'touchToken', 'hasAdmin', 'audit', 'auditFrom'],
  ...['auditHead', 'inbox', 'inboxTally', 'nextInboxAt', 'flag', 'flags', 'claimTarget'],
]);

export async function fuzz({
  runs,
  seed,
  endMs = Infinity,
}: {
  readonly runs: number;
  readonly seed: number;
  readonly endMs?: number;
}): Promise<Seen> {
  const failed: string[] = [];
  const error = (fields: unknown, message: string): void => void failed.push(`${message} ${JSON.stringify(fields)}`);
  const s = await service(names, ':memory:', { debug() {}, info() {}, warn() {}, error });
  const id: string[] = [];
  for (const name of names)
    await s.ask('PUT', `/v1/services/${name}/stable`, { body: { version: '1' }, headers: { 'if-match': '*' } });
  for (const name of names.slice(1))
    id.push((await s.ask('POST', '/v1/releases', { body: { plan: planOf(name), version: '2' } })).body.id as string);
  await s.ask('POST', '/v1/plans', { body: { document: planOf('one', { name: 'kept' }) } });
  const description = (await s.ask('GET', '/openapi.json')).body as Description;
  const plans = [...names.map((name) => planOf(name)), 'kept', planOf('two', { onBusy: 'queue' })];
  const written = writesOf(s.app.context.store);
  const statuses: Record<string, number> = {};
  let asked = 0;

  const wrongWith = async (request: Fuzzed): Promise<string | null> => {
    const { method, path, headers, body } = request;
    const sent = method === 'GET' || body === null ? {} : { body };
    const writes: string[] = [];
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), HANGS_MS);
    const answer = await Promise.race([
      written.run(writes, async () => s.app.fetch(new Request(`http://headgate${path}`, { method, headers, ...sent }))),
      late,
    ]);
    clearTimeout(timer);
    if (answer === null) return 'it hangs';
    asked += 1;
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    const text = await answer.text();
    if (answer.status >= 500 && answer.status !== 503) return `answered ${answer.status}: ${failed.at(-1) ?? text}`;
    if (answer.status >= 400 && writes.length > 0) return `answered ${answer.status} and wrote: ${writes.join()}`;
    return undeclared(description, request, answer, text);
  };
  const property = fc.asyncProperty(requests(description, { id, name: [...names, 'kept'], plan: plans }), async (request) => {
    if (endMs < performance.now()) return;
    const wrong = await wrongWith(request);
    if (wrong !== null) throw new Error(wrong);
  });
  const found = await fc.check(property, { numRuns: runs, seed, endOnFailure: true });
  await s.closing();
  const wrong = found.failed ? `${String(found.errorInstance)} (seed ${seed}) for ${JSON.stringify(found.counterexample)}` : null;
  return { requests: asked, statuses, wrong };
}

/** Every successful write is noted with the request that it was made for. */
function writesOf(store: object): AsyncLocalStorage<string[]> {
  const running = new AsyncLocalStorage<string[]>();
  const methods = Object.entries(store) as [string, (...args: unknown[]) => Promise<unknown>][];
  for (const [name, original] of methods.filter(([method]) => !READS.has(method)))
    Object.assign(store, {
      [name]: async (...args: unknown[]) => {
        const done = await original(...args);
        const isRefused = typeof done === 'object' && done !== null && 'ok' in done && done.ok === false;
        if (!isRefused && ![null, false, 0].includes(done as null)) running.getStore()?.push(name);
        return done;
      },
    });
  return running;
}

function undeclared(description: Description, { route, method }: Fuzzed, answer: Response, text: string): string | null {
  const problem = { type: 'object', required: ['type', 'title', 'status', 'detail'] } as const;
  const declared = description.paths[route]?.[method.toLowerCase()]?.responses;
  const response = declared?.[answer.status] ?? declared?.['default'];
  const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
  const schema =
    response?.content?.[type]?.schema ?? (answer.status >= 400 && type === 'application/problem+json' ? problem : null);
  if (schema === null) return `answered ${answer.status} with ${type || 'nothing'}, which is not declared`;
  const wrong = misfit(JSON.parse(text), schema, description.components.schemas);
  return wrong === null ? null : `the answer ${answer.status} is not as declared: ${wrong}`;
}
