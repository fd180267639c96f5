import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { client } from '../outgoing/client.ts';
import { httpHooks } from './hooks.ts';

let status = 200;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const wire = { send: client({ timeoutMs: 5_000 }), wallSeconds: () => Math.floor(Date.now() / 1_000) };
const heard: { path: string | undefined; key: string | string[] | undefined; body: unknown }[] = [];
const receiver = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () =>
    heard.push({
      path: request.url,
      key: request.headers['idempotency-key'],
      // It throws at what was not signed with the secret.
      body: new Webhook(SECRET).verify(text, request.headers as Record<string, string>),
    }),
  );
  response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('whatever it says');
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

const call = (to: string) =>
  httpHooks(new Map([['shop', { beforeStart: to }]]), new Map([['shop', [SECRET]]]), wire).call(
    { service: 'shop', hook: 'beforeStart', key: 'r1/beforeStart', payload: { release: 'r1' } },
    new AbortController().signal,
  );

it('takes 2xx for done, 202 for accepted, and anything else for a failure with its number', async () => {
  status = 204;
  expect(await call(url)).toEqual({ ok: true, value: 'done' });
  status = 202;
  expect(await call(url)).toEqual({ ok: true, value: 'accepted' });
  status = 500;
  expect(await call(url)).toEqual({ ok: false, error: 'the receiver answered 500' });
  expect(heard.every(({ key }) => key === 'r1/beforeStart')).toBe(true);
  expect(heard.map(({ body }) => body)).toEqual([1, 2, 3].map(() => ({ hook: 'beforeStart', release: 'r1' })));
});

it('follows no redirect to a place that the operator never named', async () => {
  status = 302;
  heard.length = 0;
  expect(await call(url)).toMatchObject({ ok: false });
  expect(heard.map(({ path }) => path)).toEqual(['/hook?secret=hush']);
});

it('never tells the address when nobody is there', async () => {
  const answer = await call('http://127.0.0.1:9/?secret=hush');
  expect(answer).toMatchObject({ ok: false });
  expect(JSON.stringify(answer)).not.toContain('hush');
});
