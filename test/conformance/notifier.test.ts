/** The notifiers there are: tried once, failures told apart by whether another try could help. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../src/adapters/outgoing/client.ts';
import { logNotifier } from '../../src/adapters/notify/log.ts';
import { memoryNotifier } from '../../src/adapters/notify/memory.ts';
import { webhook } from '../../src/adapters/notify/webhook.ts';
import { ok } from '../../src/lib/result.ts';
import { TEST_EVENT } from '../../src/ports/notifier.ts';
import type { Notice } from '../../src/ports/notifier.ts';

const notice: Notice = {
  id: 'r1/7',
  type: 'release.promoted',
  at: 1_795_176_000_123,
  subject: 'r1',
  sentence: 'shop 2 is promoted',
  data: { id: 'r1/7', release: 'r1', seq: 7 },
  release: null,
};
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEWER = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const wire = { send: client({ timeoutMs: 10_000 }), wallSeconds: () => Math.floor(Date.now() / 1_000) };
const signal = new AbortController().signal;

const heard: { headers: IncomingMessage['headers']; body: unknown; raw: string }[] = [];
let status = 204;
let extra: Record<string, string> = {};
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    heard.push({ headers: request.headers, body: JSON.parse(body || 'null'), raw: body });
    if (status !== 0) response.writeHead(status, status === 302 ? { location: '/elsewhere' } : extra).end();
  });
});
// A pause of a busy machine shall not close a connection that is about to be used.
receiver.keepAliveTimeout = 60_000;
let url = '';
beforeAll(async () => {
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
  const address = receiver.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/hook?secret=hush`;
});
afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
});

const lines: string[] = [];
const log = {
  debug: () => {},
  info: (_fields: unknown, message: string) => void lines.push(message),
  warn: () => {},
  error: () => {},
};

describe.each([
  ['log', () => logNotifier('book', log)],
  ['webhook', () => webhook('book', { url, events: undefined }, wire)],
  ['memory', () => memoryNotifier('book')],
] as const)('notifier %s', (_name, open) => {
  it('delivers a notice', async () => {
    status = 204;
    expect(await open().deliver(notice, signal)).toEqual({ ok: true, value: undefined });
  });

  it('can be closed twice', async () => {
    const notifier = open();
    await notifier.close();
    await notifier.close();
  });
});

describe('webhook', () => {
  it('posts type, time and data as JSON, with its id and the time of the try in headers', async () => {
    status = 200;
    heard.length = 0;
    await webhook('book', { url }, { ...wire, wallSeconds: () => 1_795_176_100 }).deliver(notice, signal);
    expect(heard).toMatchObject([
      {
        headers: { 'content-type': 'application/json', 'webhook-id': 'r1/7', 'webhook-timestamp': '1795176100' },
        body: { type: 'release.promoted', timestamp: '2026-11-20T12:00:00.123Z', data: notice.data },
      },
    ]);
    expect(heard[0]?.headers).not.toHaveProperty('webhook-signature');
  });

  it('signs with the new secret and the old one, so that the library of the standard accepts it by either', async () => {
    status = 200;
    heard.length = 0;
    await webhook('book', { url, secrets: [NEWER, SECRET] }, wire).deliver(notice, signal);
    const { headers = {}, raw = '' } = heard[0] ?? {};
    for (const secret of [NEWER, SECRET])
      expect(new Webhook(secret).verify(raw, headers as Record<string, string>)).toMatchObject({ type: 'release.promoted' });
    expect(() => new Webhook(SECRET).verify(raw.replace('promoted', 'demoted'), headers as Record<string, string>)).toThrow();
    expect(String(headers['webhook-signature']).split(' ')).toHaveLength(2);
  });

  it('is verified whatever an id and a sentence are made of', async () => {
    status = 200;
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary' }), async (id, sentence) => {
        heard.length = 0;
        const told = { ...notice, id, sentence, data: { id, sentence } };
        expect(await webhook('book', { url, secret: SECRET }, wire).deliver(told, signal)).toEqual(ok(undefined));
        const { headers = {}, raw = '' } = heard[0] ?? {};
        expect(new Webhook(SECRET).verify(raw, headers as Record<string, string>)).toMatchObject({ type: notice.type });
        expect(headers['webhook-id']).not.toContain('.');
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  it('stays below 20 kB: what is largest is left out and named', async () => {
    status = 200;
    heard.length = 0;
    const data = { id: 'r1/1', seq: 1, sentence: 's'.repeat(9_000), plan: { text: 'é'.repeat(30_000) }, version: '2' };
    await webhook('book', { url }, wire).deliver({ ...notice, data }, signal);
    expect(Buffer.byteLength(heard[0]?.raw ?? '')).toBeLessThan(20_000);
    expect(heard[0]?.body).toMatchObject({ data: { id: 'r1/1', seq: 1, version: '2', omitted: ['plan'] } });
    expect(heard[0]?.body).not.toHaveProperty('data.plan');
  });

  it.each([
    [410, 'gone'],
    [400, 'refused'],
    [401, 'refused'],
    [404, 'refused'],
    [302, 'refused'],
    [408, 'unreachable'],
    [429, 'unreachable'],
    [500, 'unreachable'],
    [503, 'unreachable'],
  ] as const)('takes %i as %s', async (answer, kind) => {
    status = answer;
    heard.length = 0;
    expect(await webhook('book', { url, events: undefined }, wire).deliver(notice, signal)).toMatchObject({
      ok: false,
      error: { kind },
    });
    expect(heard).toHaveLength(1);
  });

  it.each([
    [429, '7', 7_000],
    [503, 'Fri, 20 Nov 2026 12:00:30 GMT', 30_000],
    [503, 'Fri, 20 Nov 2026 11:00:00 GMT', 0],
    [502, 'soon', undefined],
    [500, '7', undefined],
  ])('reads from %i and Retry-After %s when to come again', async (answer, text, ms) => {
    status = answer;
    extra = { 'retry-after': text };
    const seconds = Date.UTC(2026, 10, 20, 12) / 1_000;
    const said = await webhook('book', { url }, { ...wire, wallSeconds: () => seconds }).deliver(notice, signal);
    extra = {};
    expect(said.ok ? null : said.error.retryAfterMs).toBe(ms);
  });

  it('takes a closed port and a cancelled call as unreachable, and never tells the address', async () => {
    const refused = await webhook('book', { url: 'http://127.0.0.1:9/?secret=hush', events: undefined }, wire).deliver(
      notice,
      signal,
    );
    expect(refused).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    status = 0;
    const hanging = await webhook('book', { url, events: undefined }, wire).deliver(notice, AbortSignal.timeout(50));
    expect(hanging).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(JSON.stringify([refused, hanging])).not.toContain('hush');
  });

  it('does not wait for what a receiver drips after its answer, and not for ever for the answer', async () => {
    const slow = createServer((request, response) => {
      if (request.url === '/mute') return;
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 50);
      response.once('close', () => clearInterval(drip));
    });
    await new Promise<void>((done) => slow.listen(0, '127.0.0.1', done));
    const address = slow.address();
    const at = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    const startedMs = performance.now();
    const dripping = webhook('book', { url: at, events: undefined }, wire);
    expect(await dripping.deliver(notice, AbortSignal.timeout(5_000))).toMatchObject({ ok: true });
    const mute = webhook('book', { url: `${at}/mute`, events: undefined }, wire);
    expect(await mute.deliver(notice, AbortSignal.timeout(100))).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    const open = await new Promise<number>((done) => slow.getConnections((_error, count) => done(count)));
    expect(open).toBeLessThanOrEqual(1);
    slow.closeAllConnections();
    slow.close();
  });

  it('takes a name that is not resolved as unreachable, to be tried again', async () => {
    const nameless = async () => {
      throw Object.assign(new Error('getaddrinfo'), { code: 'EAI_AGAIN' });
    };
    const answer = await webhook('book', { url, events: undefined }, { ...wire, send: nameless }).deliver(notice, signal);
    expect(answer).toEqual({ ok: false, error: { kind: 'unreachable', detail: 'book: EAI_AGAIN' } });
  });

  it('leaves out the events that nobody asked for, as delivered', async () => {
    status = 204;
    heard.length = 0;
    expect(await webhook('book', { url, events: ['release.rolledBack'] }, wire).deliver(notice, signal)).toMatchObject({
      ok: true,
    });
    expect(heard).toEqual([]);
    await webhook('book', { url, events: [] }, wire).deliver({ ...notice, type: TEST_EVENT }, signal);
    expect(heard).toHaveLength(1);
  });
});

describe('the others', () => {
  it('log writes the sentence', () => expect(lines).toContain('shop 2 is promoted'));
  it('memory keeps what it heard, and fails as told', async () => {
    const notifier = memoryNotifier('m');
    await notifier.deliver(notice, signal);
    expect(notifier.heard).toEqual([notice]);
    notifier.failWith({ kind: 'gone', detail: 'x' });
    expect(await notifier.deliver(notice, signal)).toMatchObject({ ok: false, error: { kind: 'gone' } });
    expect(await notifier.deliver(notice, AbortSignal.abort('no'))).toMatchObject({ ok: false });
  });
});
