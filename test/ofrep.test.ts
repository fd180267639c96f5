/** Flags by OFREP as their clients meet them: the whole service, the real OpenFeature SDK, and the edge beside it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { codeBlock, scratch, until } from './real/programs.ts';
import { configOf, openSlot, QUICK, slotsText } from './edge.ts';
import type { Slot } from './edge.ts';

let app: App;
let base: string;
let edgeUrl = '';
let slots: readonly [Slot, Slot];
const { dir, remove } = scratch('ofrep');
const keys = Array.from({ length: 400 }, (_, index) => `user-${index}`);
const quiet = (): void => {};

const services = ['shop', 'alone', 'stuck', 'followed', 'streamed'];

async function open(): Promise<void> {
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(dir, 'ofrep.db')} }
${QUICK}
routers:
  front:
    type: edge
    listen: 127.0.0.1:0
    routes: { shop: { sticky: { header: x-user }, ${slotsText(slots[0].url, slots[1].url)} } }
  flags:
    type: ofrep
    routes:
      shop: { key: new-checkout }
      alone: { slots: { blue: { value: false }, green: { value: true } } }
      stuck: {}
      followed: {}
      streamed: {}
services:
  shop: { targets: [{ router: front, route: shop }, { router: flags, route: shop }] }
${services
  .slice(1)
  .map((name) => `  ${name}: { targets: [{ router: flags, route: ${name} }] }`)
  .join('\n')}
`;
  const info = (fields: Record<string, unknown>, message: string): void => {
    if (message.startsWith('edge front')) edgeUrl = String(fields['url']);
  };
  app = await createApp(configOf(text), { debug: quiet, info, warn: quiet, error: quiet });
  base = await app.listen();
}

beforeAll(async () => {
  slots = [await openSlot('blue'), await openSlot('green')];
  await open();
  for (const service of services) await call('PUT', `/v1/services/${service}/stable`, { version: '1.0.0' });
});
let mend: () => void = quiet;
afterEach(() => {
  mend();
  mend = quiet;
});
afterAll(async () => {
  await app.close(2_000);
  for (const each of slots) each.close();
  remove();
});

function breaking(part: object, broken: Record<string, unknown>): void {
  const sound = Object.fromEntries(Object.keys(broken).map((name) => [name, (part as Record<string, unknown>)[name]]));
  const before = mend;
  Object.assign(part, broken);
  mend = () => {
    Object.assign(part, sound);
    before();
  };
}

type Answer = { readonly status: number; readonly body: any; readonly headers: Headers };
async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { 'if-match': '*', ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const all = await answer.text();
  return { status: answer.status, body: all === '' ? null : JSON.parse(all), headers: answer.headers };
}
const evaluate = (key: string, user: string): Promise<Answer> =>
  call('POST', `/ofrep/v1/evaluate/flags/${key}`, { context: { targetingKey: user } });
const bulk = (user: string, headers: Record<string, string> = {}): Promise<Answer> =>
  call('POST', '/ofrep/v1/evaluate/flags', { context: { targetingKey: user } }, headers);
async function canaries(key: string): Promise<readonly string[]> {
  const answers = await Promise.all(keys.map(async (user) => ({ user, ...(await evaluate(key, user)) })));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  return answers.filter(({ body }) => body.variant === 'canary').map(({ user }) => user);
}
async function start(service: string, steps: readonly string[], version = '1.1.0'): Promise<string> {
  const plan = { service, steps, hold: '1h' };
  const { status, body } = await call('POST', '/v1/releases', { plan, version });
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id;
}
const send = (id: string, verb: string, body: object = {}): Promise<Answer> =>
  call('POST', `/v1/releases/${id}/commands/${verb}`, body);
const release = async (id: string): Promise<any> => (await call('GET', `/v1/releases/${id}`)).body;
/** Taken back, and over: the service is free for the next one. */
async function takeBack(id: string): Promise<void> {
  await send(id, 'rollback');
  await until('the end', async () => (await release(id)).phase.kind === 'rolledBack');
}
const standsAt = (id: string, step: number) =>
  until(`${id} to stand at step ${step}`, async () => {
    const { phase, step: at } = await release(id);
    return phase.kind === 'watching' && at === step;
  });

describe('a flag', () => {
  it('sends every key where the edge sends it, moves nobody back as the share rises, and says what it stands for', async () => {
    const id = await start('shop', ['20%', '60%']);
    await standsAt(id, 1);
    const edgeSlot = async (user: string): Promise<string> => (await fetch(edgeUrl, { headers: { 'x-user': user } })).text();
    const some = await canaries('new-checkout');
    expect(some.length / keys.length).toBeGreaterThan(0.13);
    expect(some.length / keys.length).toBeLessThan(0.27);
    for (const user of keys) expect([user, some.includes(user) ? 'green' : 'blue']).toEqual([user, await edgeSlot(user)]);
    await send(id, 'promote', { reason: 'go on' });
    await standsAt(id, 2);
    const more = await canaries('new-checkout');
    expect(some.filter((user) => !more.includes(user))).toEqual([]);
    expect(more.length).toBeGreaterThan(some.length);
    for (const user of keys.slice(0, 100))
      expect([user, more.includes(user) ? 'green' : 'blue']).toEqual([user, await edgeSlot(user)]);
    expect((await evaluate('new-checkout', more[0] ?? '')).body).toEqual({
      key: 'new-checkout',
      value: 'canary',
      reason: 'SPLIT',
      variant: 'canary',
      metadata: { service: 'shop', slot: 'green', percent: 60, version: '1.1.0', releaseId: id, step: 2 },
    });
    await send(id, 'rollback');
  });

  it('drives a release alone, with a value per slot that stays when the roles swap', async () => {
    const id = await start('alone', ['50%']);
    await standsAt(id, 1);
    const half = await canaries('alone');
    expect((await evaluate('alone', half[0] ?? '')).body).toMatchObject({ value: true, variant: 'canary' });
    await send(id, 'promote', { full: true, reason: 'enough' });
    await until('the promotion', async () => (await release(id)).phase.kind === 'promoted');
    await until('the roles', async () => (await evaluate('alone', 'x')).body.variant === 'stable');
    expect((await evaluate('alone', 'x')).body).toMatchObject({
      value: true,
      variant: 'stable',
      reason: 'STATIC',
      metadata: { slot: 'green', version: '1.1.0', percent: 0 },
    });
    // The next one goes the other way round.
    const next = await start('alone', ['50%'], '1.2.0');
    await standsAt(next, 1);
    expect(await canaries('alone')).not.toContain(half[0]);
    await send(next, 'rollback');
  });

  it('is on stable as soon as the rollback is decided, though no router answers; and raised only by a router that did', async () => {
    const flags = app.context.routers.get('flags') ?? {};
    const never = (): Promise<never> => new Promise(() => {});
    breaking(flags, { apply: never });
    const raised = await start('stuck', ['50%']);
    await until('the intent', async () => (await release(raised)).wantedBp === 5_000);
    expect(await canaries('stuck')).toEqual([]);
    mend();
    await standsAt(raised, 1);
    expect((await canaries('stuck')).length).toBeGreaterThan(100);

    breaking(flags, { apply: never, cutOff: never });
    expect((await send(raised, 'rollback')).status).toBe(200);
    expect(await canaries('stuck')).toEqual([]);
    mend();
  });

  it('takes a hand on the role over at once', async () => {
    await call('PUT', '/v1/services/streamed/stable', { version: '7.0.0' });
    expect((await evaluate('streamed', 'x')).body.metadata.version).toBe('7.0.0');
  });
});

describe('the protocol', () => {
  it.each([
    ['no JSON', '{', 400, 'PARSE_ERROR'],
    ['nothing', '', 400, 'PARSE_ERROR'],
    ['a list', '[]', 400, 'PARSE_ERROR'],
    ['no context', '{}', 400, 'TARGETING_KEY_MISSING'],
    ['a context that is none', '{"context":7}', 400, 'INVALID_CONTEXT'],
    ['no key', '{"context":{"country":"DE"}}', 400, 'TARGETING_KEY_MISSING'],
    ['an empty key', '{"context":{"targetingKey":""}}', 400, 'TARGETING_KEY_MISSING'],
    ['a key that is a number', '{"context":{"targetingKey":7}}', 400, 'INVALID_CONTEXT'],
    ['a key without end', `{"context":{"targetingKey":"${'x'.repeat(3_000)}"}}`, 400, 'INVALID_CONTEXT'],
  ])('answers %s with its code', async (_what, body, status, errorCode) => {
    const one = await call('POST', '/ofrep/v1/evaluate/flags/alone', body, { 'content-type': 'application/json' });
    expect([one.status, one.body.errorCode, one.body.key]).toEqual([status, errorCode, 'alone']);
    const all = await call('POST', '/ofrep/v1/evaluate/flags', body, { 'content-type': 'application/json' });
    expect([all.status, all.body.errorCode]).toEqual([status, errorCode]);
  });

  it('does not know a flag that is not served', async () => {
    expect(await evaluate('nothing', 'x')).toMatchObject({ status: 404, body: { key: 'nothing', errorCode: 'FLAG_NOT_FOUND' } });
    expect(await evaluate('constructor', 'x')).toMatchObject({ status: 404 });
  });

  it('gives all flags with a tag that depends on them and on whom they are for', async () => {
    const first = await bulk('user-1');
    expect(first.status).toBe(200);
    expect(first.body.flags.map(({ key }: { key: string }) => key).toSorted()).toEqual([
      'alone',
      'followed',
      'new-checkout',
      'streamed',
      'stuck',
    ]);
    // What the tests before have begun may still move.
    let etag = '';
    await expect
      .poll(async () => {
        etag = (await bulk('user-1')).headers.get('etag') ?? '';
        const again = await bulk('user-1', { 'if-none-match': `"other", ${etag}` });
        return [again.status, again.body];
      })
      .toEqual([304, null]);
    const id = await start('streamed', ['50%'], '8.0.0');
    await standsAt(id, 1);
    await until('another tag', async () => (await bulk('user-1', { 'if-none-match': etag })).status === 200);
    const chosen = await canaries('streamed');
    const [inside = '', outside = ''] = [chosen[0], keys.find((user) => !chosen.includes(user))];
    expect((await bulk(inside)).headers.get('etag')).not.toBe((await bulk(outside)).headers.get('etag'));
    await takeBack(id);
  });

  it('tells over a stream when to ask again, also who missed it, and who comes with the address of an older process', async () => {
    const { body } = await bulk('user-1');
    expect(body.eventStreams).toEqual([
      { type: 'sse', url: expect.stringMatching(/^http:.*\/ofrep\/v1\/stream\//), inactivityDelaySec: 120 },
    ]);
    const [{ url }] = body.eventStreams;
    const live = await listen(url);
    const id = await start('streamed', ['50%'], '8.1.0');
    await standsAt(id, 1);
    await until('the news', () => live.events.length > 0);
    expect(JSON.parse(live.events[0]?.data ?? '')).toEqual({
      type: 'refetchEvaluation',
      etag: live.events[0]?.id,
      lastModified: expect.any(Number),
    });
    const before = live.events.length;
    await send(id, 'rollback');
    await until('the rollback', () => live.events.length > before);
    live.close();
    const missed = await listen(url, live.events[0]?.id);
    await until('what was missed', () => missed.events.length > 0);
    missed.close();
    const stranger = await listen(`${base}/ofrep/v1/stream/of-another-process`);
    await until('the advice', () => stranger.events.length === 1 && stranger.isOver());
    expect(JSON.parse(stranger.events[0]?.data ?? '')).toMatchObject({ type: 'refetchEvaluation' });
  });

  it('answers the command that its page shows', async () => {
    const line = codeBlock('ofrep.md', 'sh').trim();
    const { stdout } = await promisify(execFile)('sh', ['-c', line.replace('localhost:8080', base.slice('http://'.length))], {
      env: { ...process.env, HEADGATE_TOKEN: 'none-is-needed-with-dev' },
    });
    expect(JSON.parse(stdout)).toMatchObject({ key: 'new-checkout', variant: 'stable', reason: 'STATIC' });
  });

  it('says what it is', async () => {
    const { status, body, headers } = await call('GET', '/ofrep/v1/configuration');
    expect([status, body]).toEqual([200, { name: 'headgate', capabilities: { caching: { enabled: false } } }]);
    const tag = headers.get('etag') ?? '';
    expect((await call('GET', '/ofrep/v1/configuration', undefined, { 'if-none-match': tag })).status).toBe(304);
  });
});

describe('trouble', () => {
  it('answers 500 while the store cannot be read, so that clients go by their default, and is well again after', async () => {
    const failing = async (): Promise<never> => {
      throw new Error('the disk is gone');
    };
    breaking(app.context.store, { events: failing });
    await until('the store to be missed', async () => (await evaluate('alone', 'x')).status === 500);
    expect((await bulk('x')).body).toEqual({ errorDetails: expect.stringContaining('go by the default') });
    mend();
    await until('it to be back', async () => (await evaluate('alone', 'x')).status === 200);
  });

  it('serves after a restart what it served before, from the first question on', async () => {
    const id = await start('followed', ['30%']);
    await standsAt(id, 1);
    const before = await canaries('followed');
    await app.close(2_000);
    await open();
    expect(await canaries('followed')).toEqual(before);
    await takeBack(id);
  });
});

describe('the OpenFeature SDK', () => {
  it('follows a release, and is back on stable soon after a rollback', async () => {
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: base }));
    const client = OpenFeature.getClient();
    const share = async (): Promise<number> => {
      const found = await Promise.all(
        keys.map((targetingKey) => client.getStringDetails('followed', 'default', { targetingKey })),
      );
      expect(found.filter(({ value }) => value !== 'stable' && value !== 'canary')).toEqual([]);
      return found.filter(({ value }) => value === 'canary').length / keys.length;
    };
    expect(await share()).toBe(0);
    const id = await start('followed', ['25%', '75%'], '2.0.0');
    await standsAt(id, 1);
    expect(Math.abs((await share()) - 0.25)).toBeLessThan(0.1);
    await send(id, 'promote', { reason: 'go on' });
    await standsAt(id, 2);
    expect(Math.abs((await share()) - 0.75)).toBeLessThan(0.1);
    const lucky = (
      await Promise.all(
        keys.map(async (targetingKey) => ({
          targetingKey,
          value: await client.getStringValue('followed', '', { targetingKey }),
        })),
      )
    ).find(({ value }) => value === 'canary');
    const beganMs = performance.now();
    const [rolledBack] = await Promise.all([
      send(id, 'rollback'),
      until(
        'stable',
        async () => (await client.getStringValue('followed', '', { targetingKey: lucky?.targetingKey ?? '' })) === 'stable',
      ),
    ]);
    console.log(`the SDK was back on stable ${Math.round(performance.now() - beganMs)} ms after the rollback was sent`);
    expect(rolledBack.status).toBe(200);
    expect(await share()).toBe(0);
    const details = await client.getStringDetails('no-such-flag', 'default', { targetingKey: 'x' });
    expect(details).toMatchObject({ value: 'default', errorCode: 'FLAG_NOT_FOUND' });
    expect(await client.getStringDetails('followed', 'default', {})).toMatchObject({
      value: 'default',
      errorCode: 'TARGETING_KEY_MISSING',
    });
    await OpenFeature.close();
  });
});

async function listen(url: string, lastId?: string) {
  const gone = new AbortController();
  const answer = await fetch(url, { signal: gone.signal, headers: lastId === undefined ? {} : { 'last-event-id': lastId } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const events: { readonly id: string; readonly data: string }[] = [];
  const over = { is: false };
  void (async () => {
    let text = '';
    for await (const part of answer.body ?? []) {
      text += Buffer.from(part).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        if (field('data') !== '') events.push({ id: field('id'), data: field('data') });
      }
    }
  })()
    .catch(quiet)
    .finally(() => (over.is = true));
  return { events, isOver: () => over.is, close: () => gone.abort() };
}
