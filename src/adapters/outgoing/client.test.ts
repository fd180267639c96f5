import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { carried } from './carrier.ts';
import { sender } from './access.ts';
import { answerTo, client } from './client.ts';
import type { Ask } from './client.ts';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const never = new AbortController().signal;
const heard: { readonly path: string | undefined; readonly headers: IncomingHttpHeaders; readonly text: string }[] = [];
const gone = Promise.withResolvers<void>();
const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/moved': (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  '/long': (response) => response.end('x'.repeat(2_000)),
  '/endless': (response) => response.on('close', gone.resolve).writeHead(202, { 'retry-after': '7' }).write('first'),
  '/mute': () => {},
};
let server: Server;
let base = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      heard.push({ path: request.url, headers: request.headers, text });
      (ANSWERS[request.url ?? ''] ?? ((plain) => plain.end('"ö"')))(response);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const get = (path: string, more: Partial<Ask> = {}): Ask => ({ method: 'GET', url: `${base}${path}`, ...more });

it('sends what it is given, who it is, and the trace that it is part of', async () => {
  const send = sender({ timeoutMs: 5_000, auth: { bearer: 'hush ' }, headers: { 'x-tenant': 'a' } });
  const ask = { method: 'PUT', url: `${base}/it`, headers: { 'x-own': 'b' }, body: { type: 'text/plain', text: 'ö' } } as const;
  const answer = await carried.run(PARENT, () => send(ask, never));
  expect(answer).toMatchObject({ status: 200, body: '"ö"' });
  expect(heard.at(-1)).toMatchObject({
    text: 'ö',
    headers: {
      authorization: 'Bearer hush',
      accept: 'application/json',
      'user-agent': 'headgate',
      'x-tenant': 'a',
      'x-own': 'b',
      'content-type': 'text/plain',
      'content-length': '2',
      traceparent: PARENT,
    },
  });
});

it('follows no redirect', async () => {
  const before = heard.length;
  expect(await client({ timeoutMs: 5_000 })(get('/moved'), never)).toMatchObject({
    status: 302,
    headers: { location: '/elsewhere' },
  });
  expect(heard.slice(before).map(({ path }) => path)).toEqual(['/moved']);
});

it('takes no whole answer that is larger than it may be, and of any the beginning where that is enough', async () => {
  const send = client({ timeoutMs: 5_000, mostBytes: 1_000 });
  expect(await answerTo(send, get('/long'), never)).toEqual({ ok: false, error: 'an answer without end' });
  expect(await send(get('/long', { upTo: 3 }), never)).toMatchObject({ status: 200, body: 'xxx' });
});

it('waits for nothing behind the status where no more is wanted, and lets go of the rest', async () => {
  const answer = await client({ timeoutMs: 60_000 })(get('/endless', { upTo: 0 }), never);
  expect(answer).toMatchObject({ status: 202, headers: { 'retry-after': '7' }, body: '' });
  await gone.promise;
});

it('says in words why nothing came, without the address or a secret', async () => {
  const send = client({ timeoutMs: 50, headers: { authorization: 'Bearer hush\n' } });
  const plain = client({ timeoutMs: 50 });
  const reason = async (answer: ReturnType<typeof answerTo>) => {
    const { ok, ...said } = await answer;
    return ok ? 'an answer' : Object.values(said)[0];
  };
  expect(await reason(answerTo(plain, get('/mute'), never))).toBe('no answer within 50 ms');
  expect(await reason(answerTo(plain, get('/mute'), AbortSignal.timeout(1)))).toBe('no answer in time');
  expect(await reason(answerTo(plain, get('/mute'), AbortSignal.abort('stop')))).toBe('no answer in time');
  expect(await reason(answerTo(plain, { method: 'GET', url: 'http://127.0.0.1:9/?token=hush' }, never))).toBe('ECONNREFUSED');
  expect(await reason(answerTo(plain, { method: 'GET', url: 'hush' }, never))).toBe('ERR_INVALID_URL');
  expect(await reason(answerTo(send, get('/it'), never))).toBe('ERR_INVALID_CHAR');
});
