/** `webhooks:` and `flags:` as an operator writes them: every mistake is found, with the word that was probably meant; the page shows what works. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { senders, sourceOf } from './senders.ts';

const secrets = { env: () => 'a secret that is long', file: () => undefined };
const config = (text: string) => parseConfig({ text, secrets, dev: false });
const problems = (text: string): readonly string[] => {
  const parsed = config(text);
  return parsed.ok ? [] : parsed.error.map(({ path, message, line }) => `${line} ${path} ${message}`);
};

const page = readFileSync(new URL('../../docs/webhooks-in.md', import.meta.url), 'utf8');

it('takes what the page shows', () => {
  const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  expect(blocks).toHaveLength(2);
  for (const block of blocks) expect(problems(block)).toEqual([]);
  const [checkout, search] = blocks.map((block) => config(block));
  expect(checkout?.ok && checkout.value.services[0]?.flags).toEqual([{ source: 'ld', flag: 'checkout-v2', start: null }]);
  expect(search?.ok && search.value.services[0]?.flags).toMatchObject([
    { start: { plan: 'search-careful', version: 'ranking-{{percent}}' } },
  ]);
});

it('understands the body that the page gives to ConfigCat, once ConfigCat has filled it in', () => {
  const template = /\{"source":"configcat".*\}/.exec(page)?.[0] ?? '';
  const details = JSON.stringify([{ settingKey: 'checkout-v2', event: 'changed', details: '\r\ncheckout-v2: + 20% true' }]);
  const filled = template.replace('##ChangeDetails##', details).replaceAll(/##\w+##/g, 'ann');
  const sender = senders.find(({ type }) => type === 'configcat');
  if (!sender) throw new Error('no configcat');
  expect(sourceOf(sender).hints(filled)).toEqual({
    ok: true,
    value: [{ flag: 'checkout-v2', what: 'changed', changedBy: 'ann' }],
  });
});

it('names every type that there is', () => {
  for (const { type } of senders) expect(page).toContain(`| \`${type}\``);
});

it.each([
  [
    'webhooks: { a: { type: launchdarky, secret: env:A } }',
    '1 /webhooks/a/type no webhook type named "launchdarky", did you mean "launchdarkly"?',
  ],
  ['webhooks: { a: { type: launchdarkly } }', 'a secret as env:NAME or file:PATH, or a list of them'],
  ['webhooks: { a: { type: launchdarkly, secret: short } }', 'a secret of 8 characters at least'],
  ['webhooks: { a: { type: launchdarkly, secret: env:A, api: { token: env:T } } }', '/webhooks/a/api/environment'],
  ['webhooks: { a: { type: launchdarkly, secret: env:A, sekret: x } }', 'sekret'],
  ['webhooks: { a: { type: standard, secret: env:A } }', 'whsec_ and base64'],
  ['webhooks: { a: { type: standard, secret: env:A, flag: data.flag } }', 'a JSON pointer such as'],
  ['webhooks: { a: { type: flagsmith, secret: file:/none } }', 'the file /none cannot be read'],
  [
    'webhooks: { darkly: { type: flipt, secret: env:A } }\nservices: { s: { flags: [{ source: darkley, flag: x }] } }',
    '2 /services/s/flags/0/source no webhook named "darkley", did you mean "darkly"?',
  ],
  [
    'webhooks: { a: { type: flipt, secret: env:A } }\nservices: { s: { flags: [{ source: a, flag: x }, { source: a, flag: x }] } }',
    'the flag x of a is named twice',
  ],
  [
    'services: { s: { flags: [{ flag: x, onChange: { start: { plan: p, version: v1 } } }] } }',
    'a version that differs with the flag',
  ],
  [
    'services: { s: { flags: [{ flag: x, onChange: { start: { plan: p, version: "{{revision}}{{who}}" } } }] } }',
    'known places: {{revision}}',
  ],
])('says what is wrong with %s', (text, said) => {
  expect(problems(text).join('\n')).toContain(said);
});
