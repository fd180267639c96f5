/** Which flags are Headgate's own to move: those of the very place that a router writes to, and none of the same name elsewhere. */
import { expect, it } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { ownTargetsOf } from '../../src/own-flags.ts';

const config = (routers: string, webhooks: string) =>
  parseConfig({
    text: `routers: { flags: ${routers} }\nwebhooks: { teller: ${webhooks} }\nservices: { shop: { targets: [{ router: flags, route: checkout }] } }`,
    secrets: { env: () => 'a secret that is long', file: () => undefined },
    dev: false,
  });
function isOwn(router: string, teller: string, flag = 'checkout'): boolean {
  const parsed = config(router, teller);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return ownTargetsOf(parsed.value)('teller', flag).length > 0;
}

const api = (more = '') =>
  `{ type: http-flag, routes: { checkout: { read: { url: 'https://flags.example/x', share: /p }, write: { url: 'https://flags.example/x', body: { p: '{{percent}}' } }${more} } } }`;
const unleash = (more = '') => `{ type: unleash, url: 'https://u.example/', token: env:A, environment: production${more} }`;
const launchdarkly = `{ type: launchdarkly, token: env:A, project: default, environment: production, routes: { checkout: { flag: checkout-v2, variation: a, otherwise: b } } }`;
const teller = (type: string, read = '') => `{ type: ${type}, secret: env:A${read && `, api: { token: env:A, ${read} }`} }`;

it.each([
  ['any API, read from the same host', api(), teller('flipt', "url: 'https://flags.example/api'"), true],
  ['any API, read from another host', api(), teller('flipt', "url: 'https://other.example'"), false],
  ['any API, of a platform that is not read', api(), teller('flagsmith'), false],
  ['any API, of the one that it names', api(', source: teller'), teller('flagsmith'), true],
  ['Unleash', unleash(), teller('unleash', "url: 'https://u.example', environment: production"), true],
  ['Unleash that is not read', unleash(), teller('unleash'), true],
  ['another Unleash', unleash(), teller('unleash', "url: 'https://v.example', environment: production"), false],
  ['another environment', unleash(), teller('unleash', "url: 'https://u.example', environment: staging"), false],
  ['another project', unleash(', project: b'), teller('unleash', "url: 'https://u.example', environment: production"), false],
  ['another platform', unleash(), teller('flipt', "url: 'https://u.example'"), false],
])('%s', (_what, router, told, own) => expect(isOwn(router, told)).toBe(own));

it('goes by the name of the flag, and by where a platform is when nobody says so', () => {
  const there = teller('launchdarkly', 'environment: production');
  expect([isOwn(launchdarkly, there, 'checkout-v2'), isOwn(launchdarkly, there)]).toEqual([true, false]);
});

it('says when nobody tells under the name that a route gives', () => {
  const parsed = config(api(', source: tellr'), teller('flagsmith'));
  expect(parsed.ok ? [] : parsed.error.map(({ path, message }) => `${path} ${message}`)).toEqual([
    '/routers/flags/routes/checkout/source no webhook named "tellr", did you mean "teller"?',
  ]);
});
