/** Secrets are planted everywhere one can be, everything is used, rightly and wrongly, and then looked for everywhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestOf } from '../../src/contract/token-text.ts';
import { guarded, planOf } from './guarded.ts';
import { mirror } from './mirror.ts';

const MORE = `notify:
  hook: { type: webhook, url: env:HOOK_URL }
`;

it('nothing that is secret is in an answer, the log, the metrics, the audit or the database', async () => {
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

const SIGNING = Buffer.from('planted: what notices are signed').toString('base64');

/** Answered with a refusal, or with what looks like an answer. */
const STATUSES = [401, 200, 500] as const;
type Said = Readonly<Record<string, string>>;

/** Every kind that takes a credential, once for each status; the mirror answers with all that it was shown. */
function given(mirrored: string): {
  readonly more: string;
  readonly providers: string;
  readonly routers: string;
  readonly of: Said;
} {
  const of: Record<string, string> = {};
  const ask = "{ kind: ratio, url: 'URL', at: /t, canary: { total: /a, bad: /b }, stable: { total: /c, bad: /d } }";
  const lines = STATUSES.flatMap((status) => {
    const url = `${mirrored}/${status}`;
    const kinds: Said = {
      promBasic: `type: prometheus, url: '${url}', auth: { basic: { user: headgate, password: env:PROM_PASSWORD } }, tls: { key: env:TLS_KEY }`,
      promBearer: `type: prometheus, url: '${url}', auth: { bearer: env:PROM_BEARER }, headers: { X-Api-Key: env:PROM_HEADER }`,
      influx: `type: influxdb, url: '${url}', database: d, auth: { token: env:INFLUX_TOKEN }`,
      graphite: `type: graphite, url: '${url}', auth: { basic: { user: headgate, password: env:GRAPHITE_PASSWORD } }`,
      web: `type: web, auth: { bearer: env:WEB_BEARER }, headers: { X-Api-Key: env:WEB_HEADER }, checks: { errors: ${ask.replace('URL', url)} }`,
    };
    return Object.entries(kinds).map(([kind, options]) => {
      of[`${kind}${status}`] = kind;
      return `  ${kind}${status}: { ${options} }\n`;
    });
  });
  const at = `${mirrored}/401`;
  return {
    of,
    providers: lines.join(''),
    routers: `  flags: { type: unleash, url: '${at}', token: env:UNLEASH_TOKEN, rollbackToken: env:UNLEASH_ROLLBACK, environment: e, routes: { mine: { flag: f } } }\n`,
    more: `  flagged: { provider: edge, targets: [{ router: front, route: mine }], flags: [{ source: ld, flag: f }, { source: cc, flag: g }] }
notify:
  github: { type: github, api: '${at}', repository: shop/shop, token: env:GITHUB_TOKEN }
  slack: { type: slack, url: '${at}/planted-SLACK_PATH' }
  signed: { type: webhook, url: '${at}/planted-HOOK_PATH', secret: whsec_${SIGNING} }
webhooks:
  ld: { type: launchdarkly, secret: env:LD_SECRET, api: { url: '${at}', token: env:LD_API, environment: production } }
  cc: { type: configcat, secret: env:CC_SECRET, api: { url: '${at}', user: reader, password: env:CC_PASSWORD, sdkKey: env:CC_SDK_KEY, evaluation: v2 } }
`.replace('[{ router: front, route: mine }]', '[{ router: flags, route: mine }]'),
  };
}

/** What is asked of each kind of store. */
const QUERIES: Said = {
  promBasic: 'bad: a, total: b',
  promBearer: 'bad: a, total: b',
  influx: 'bad: a from b, total: c from d',
  graphite: 'bad: "a.{{version}}.b", total: "a.{{version}}.c"',
  web: 'offered: errors',
};

it('no credential that Headgate is given comes back from whom it was shown to', async () => {
  const reflecting = await mirror();
  const { of, ...config } = given(reflecting.url);
  const world = await guarded(config.more, undefined, { ...config, traces: `${reflecting.url}/v1/traces` });
  const answers: string[] = [];
  const call: typeof world.call = async (path, options) => {
    const answer = await world.call(path, options);
    answers.push(`${path} ${answer.text}`);
    return answer;
  };
  const checks = Object.entries(of).map(([name, kind]) => `  ${name}: { kind: ratio, provider: ${name}, ${QUERIES[kind]} }\n`);
  const plan = `service: mine\nsteps: [5%]\ninterval: 1s\nhold: 1h\nnotify: [github, slack, signed]\nchecks:\n${checks.join('')}`;
  for (const name of ['mine', 'flagged']) await call(`/v1/services/${name}/stable`, { method: 'PUT', body: { version: '1' } });
  const started = await call('/v1/releases', { method: 'POST', body: { plan, version: '2' } });
  expect(started.status, started.text).toBe(201);
  const id = String(started.body['id']);
  for (const provider of Object.keys(of)) await call(`/v1/providers/${provider}/test`, { method: 'POST', body: {} });
  for (const router of ['flags', 'front']) await call(`/v1/routers/${router}/test`, { method: 'POST', body: {} });
  for (const name of ['github', 'slack', 'signed'])
    await call(`/v1/webhooks/endpoints/${name}/test`, { method: 'POST', body: {} });
  for (const flag of ['ld/f', 'cc/g']) await call(`/v1/flags/${flag}/refresh`, { method: 'POST', body: {} });
  await call('/v1/plans:preview', { method: 'POST', body: { document: plan } });
  // One look judges all checks.
  const isJudged = async () => Object.keys((await world.call(`/v1/releases/${id}`)).body['checks']).length > 0;
  for (let look = 0; look < 400 && !(await isJudged()); look++) await new Promise((done) => setTimeout(done, 50));
  for (let look = 0; look < 400 && !reflecting.spans.join('').includes('provider measure'); look++)
    await new Promise((done) => setTimeout(done, 50));
  await call(`/v1/releases/${id}/measurements?limit=200`);
  await call(`/v1/releases/${id}/checks`);
  for (const { path, method } of world.app.routes)
    if (method === 'GET' && path !== '/v1/events' && !path.endsWith('/wait'))
      await call(path.replaceAll(/:\w+(\{[^}]*\})?/g, id));
  await world.app.close(500);
  const shown = reflecting.seen.join('\n');
  const planted = [...new Set([...shown.matchAll(/planted-[A-Z_]+/g)].map(([text]) => text))];
  const basic = ['PROM', 'GRAPHITE', 'CC'].map((name) =>
    Buffer.from(`${name === 'CC' ? 'reader' : 'headgate'}:planted-${name}_PASSWORD`).toString('base64'),
  );
  const parts = [...planted, ...basic, SIGNING, 'planted-LD_SECRET', 'planted-CC_SECRET', 'planted-TLS_KEY'];
  expect(reflecting.spans.join('')).toContain('provider measure');
  const database = readdirSync(world.folder)
    .filter((name) => name.startsWith('guarded.db'))
    .map((name) => readFileSync(join(world.folder, name), 'latin1'));
  const told = [...answers, ...world.logged, ...reflecting.spans, ...database];
  for (const part of parts) {
    const found = told
      .filter((text) => text.includes(part))
      .map((text) => text.slice(Math.max(0, text.indexOf(part) - 300)).slice(0, 400));
    expect(found, part).toEqual([]);
  }
  // All of them were shown to somebody, or were there to sign with.
  expect(planted.length + basic.length).toBeGreaterThanOrEqual(14);
  for (const part of basic) expect(shown).toContain(part);
  await world.close();
  reflecting.close();
});
