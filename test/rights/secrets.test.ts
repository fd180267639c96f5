/** Secrets are planted everywhere one can be, everything is used, rightly and wrongly, and then looked for everywhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestOf } from '../../src/contract/token-text.ts';
import { guarded, planOf } from './guarded.ts';

const MORE = `notify:
  hook: { type: webhook, url: env:HOOK_URL }
`;

it('nothing that is secret is in an answer, the log, the metrics, the audit or the database', { timeout: 60_000 }, async () => {
  const world = await guarded(MORE.replace('env:HOOK_URL', 'http://127.0.0.1:1/planted-HOOK_URL'));
  const secrets = [world.admin];
  const answers: string[] = [];
  const call: typeof world.call = async (path, options) => {
    const answer = await world.call(path, options);
    answers.push(answer.text, JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie')));
    return answer;
  };
  for (const role of ['viewer', 'responder', 'operator', 'approver', 'admin'])
    secrets.push(await world.token({ name: role, role }));
  const [, viewer = '', , operator = ''] = secrets;
  const opened = await call('/v1/session', { method: 'POST', token: null, body: { token: operator } });
  const session = /=(hgs_\w+)/.exec(opened.headers.getSetCookie()[0] ?? '')?.[1] ?? '';
  expect(session).not.toBe('');
  const cookie = `headgate=${session}`;
  await call('/v1/services/mine/stable', { method: 'PUT', token: operator, body: { version: '1' } });
  const started = await call('/v1/releases', {
    method: 'POST',
    token: null,
    headers: { cookie },
    body: { plan: { ...planOf('mine'), notify: ['hook'] }, version: '2' },
  });
  expect(started.status, started.text).toBe(201);
  // Secrets in places where they do not belong.
  for (const secret of [viewer, operator, session, `${operator}x`, operator.slice(0, -1)]) {
    await call('/v1/session', { method: 'POST', token: null, body: { token: secret } });
    await call('/v1/session', { method: 'POST', token: null, body: { tokn: secret } });
    await call('/v1/releases', { token: secret });
    await call('/v1/releases', { token: null, headers: { authorization: `Basic ${secret}` } });
    await call('/v1/tokens', { method: 'POST', token: secret, body: { name: 'x', role: 'admin' } });
  }
  for (const { path, method } of world.app.routes)
    if (method === 'GET' && path !== '/v1/events') await call(path.replaceAll(/:\w+(\{[^}]*\})?/g, 'mine'));
  await call(`/v1/releases/${started.body['id']}/commands/rollback`, { method: 'POST', token: operator, body: {} });
  await call(`/v1/releases/${started.body['id']}/events`);
  await call('/v1/session', { method: 'DELETE', token: null, headers: { cookie } });
  // As much as tells it: the id before it is no secret.
  const parts = [...secrets, session].map((secret) => secret.split('_')[2] ?? '').concat('planted-HOOK_URL');
  expect(parts.every((part) => part.length > 10)).toBe(true);
  const files = (): Buffer =>
    Buffer.concat(
      readdirSync(world.folder)
        .filter((name) => name.startsWith('guarded.db') && !name.endsWith('admin-token'))
        .map((name) => readFileSync(join(world.folder, name))),
    );
  for (const part of parts) {
    for (const answer of answers) expect(answer.includes(part), answer.slice(0, 200)).toBe(false);
    expect(world.logged.filter((line) => line.includes(part))).toEqual([]);
    expect(files().includes(part)).toBe(false);
  }
  for (const secret of [...secrets, session]) expect(files().includes(digestOf(secret))).toBe(true);
  await world.close();
});
