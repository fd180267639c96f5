/** The notifiers there are: tried once, failures told apart by whether another try could help. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logNotifier } from '../../src/adapters/notify/log.ts';
import { memoryNotifier } from '../../src/adapters/notify/memory.ts';
import { webhook } from '../../src/adapters/notify/webhook.ts';
import type { Notice } from '../../src/ports/notifier.ts';

const notice: Notice = {
  id: 'r1/7',
  type: 'release.promoted',
  at: 1_795_176_000_123,
  subject: 'r1',
  sentence: 'shop 2 is promoted',
  data: { seq: 7 },
};
const signal = new AbortController().signal;

const heard: { headers: IncomingMessage['headers']; body: unknown }[] = [];
let status = 204;
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    heard.push({ headers: request.headers, body: JSON.parse(body || 'null') });
    if (status !== 0) response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:9/' } : {}).end();
  });
});
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
  ['webhook', () => webhook('book', { url, events: undefined }, { fetch })],
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
  it('posts the notice as JSON, with its id and time in headers', async () => {
    status = 200;
    heard.length = 0;
    await webhook('book', { url, events: undefined }, { fetch }).deliver(notice, signal);
    expect(heard).toMatchObject([
      { headers: { 'content-type': 'application/json', 'webhook-id': 'r1/7', 'webhook-timestamp': '1795176000' }, body: notice },
    ]);
  });

  it.each([
    [410, 'gone'],
    [400, 'refused'],
    [404, 'refused'],
    [408, 'unreachable'],
    [429, 'unreachable'],
    [500, 'unreachable'],
    [503, 'unreachable'],
    [302, 'unreachable'],
  ] as const)('takes %i as %s', async (answer, kind) => {
    status = answer;
    expect(await webhook('book', { url, events: undefined }, { fetch }).deliver(notice, signal)).toMatchObject({
      ok: false,
      error: { kind },
    });
  });

  it('takes a closed port and a cancelled call as unreachable, and never tells the address', async () => {
    const refused = await webhook('book', { url: 'http://127.0.0.1:9/?secret=hush', events: undefined }, { fetch }).deliver(
      notice,
      signal,
    );
    expect(refused).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    status = 0;
    const hanging = await webhook('book', { url, events: undefined }, { fetch }).deliver(notice, AbortSignal.timeout(50));
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
    const dripping = webhook('book', { url: at, events: undefined }, { fetch });
    expect(await dripping.deliver(notice, AbortSignal.timeout(5_000))).toMatchObject({ ok: true });
    const mute = webhook('book', { url: `${at}/mute`, events: undefined }, { fetch });
    expect(await mute.deliver(notice, AbortSignal.timeout(100))).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    const open = await new Promise<number>((done) => slow.getConnections((_error, count) => done(count)));
    expect(open).toBeLessThanOrEqual(1);
    slow.closeAllConnections();
    slow.close();
  });

  it('takes a name that is not resolved as unreachable, to be tried again', async () => {
    const nameless: typeof fetch = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('getaddrinfo'), { code: 'EAI_AGAIN' }) });
    };
    const answer = await webhook('book', { url, events: undefined }, { fetch: nameless }).deliver(notice, signal);
    expect(answer).toEqual({ ok: false, error: { kind: 'unreachable', detail: 'book: EAI_AGAIN' } });
  });

  it('leaves out the events that nobody asked for, as delivered', async () => {
    heard.length = 0;
    expect(await webhook('book', { url, events: ['release.rolledBack'] }, { fetch }).deliver(notice, signal)).toMatchObject({
      ok: true,
    });
    expect(heard).toEqual([]);
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
