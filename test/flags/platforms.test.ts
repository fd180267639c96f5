/** Reading a flag back from each platform, from servers that answer as theirs do: what it is, whom it is asked as, and every way to get no answer. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FlagState } from '../../src/domain/flag.ts';
import { darklyFlag, DARKLY_PATH, openPlatform } from './platform.ts';
import type { Platform } from './platform.ts';
import { senders, sourceOf } from './senders.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await openPlatform();
});
beforeEach(() => {
  platform.mode = 'up';
  platform.answers.clear();
});
afterAll(() => platform.close());

type Known = {
  readonly type: string;
  readonly api: Readonly<Record<string, unknown>>;
  /** What stands in the request besides the path. */
  readonly asks: Readonly<Record<string, string>>;
  readonly path: string;
  readonly answers: Readonly<Record<string, unknown>>;
  readonly state: Partial<FlagState>;
  /** Written by somebody and the same for everybody who is served. */
  readonly sameAs: Readonly<Record<string, unknown>>;
  readonly differs: Readonly<Record<string, unknown>>;
};

const unleashEnvironment = (rollout: string, more = {}, lastSeenAt = '2026-08-21T10:00:00Z') => ({
  name: 'production',
  featureName: 'checkout-v2',
  environment: 'production',
  enabled: true,
  lastSeenAt,
  strategies: [
    {
      id: 'a5',
      name: 'flexibleRollout',
      title: 'gradual',
      sortOrder: 3,
      disabled: false,
      parameters: { rollout, stickiness: 'default', groupId: 'checkout-v2' },
      constraints: [],
      segments: [],
      variants: [],
      ...more,
    },
  ],
});
const flagsmithDocument = (percent: number, more: Record<string, unknown> = {}) => ({
  id: 61,
  api_key: 'x',
  updated_at: '2026-08-21T10:00:00Z',
  project: { id: 15, segments: [{ id: 1, name: 's', rules: [{ type: 'ALL' }], feature_states: [] }] },
  feature_states: [
    { feature: { id: 1, name: 'other', type: 'STANDARD' }, enabled: false, feature_state_value: null },
    {
      feature: { id: 168, name: 'checkout-v2', type: 'MULTIVARIATE' },
      enabled: true,
      feature_state_value: 'v1',
      featurestate_uuid: 'u',
      multivariate_feature_state_values: [
        { id: 1, multivariate_feature_option: { id: 3, value: 'v2' }, percentage_allocation: percent },
      ],
    },
  ],
  ...more,
});
const growthbookFeature = (coverage: number, revision = 4, publishedBy = 'ann') => ({
  feature: {
    id: 'checkout-v2',
    archived: false,
    defaultValue: 'false',
    dateUpdated: `2026-08-21T10:00:0${revision}Z`,
    environments: {
      production: {
        enabled: true,
        defaultValue: 'false',
        rules: [{ id: 'r', type: 'rollout', value: 'true', coverage, enabled: true }],
      },
    },
    revision: { version: revision, comment: '', date: '', publishedBy },
  },
});
const FLIPT = '/api/v1/namespaces/shop/flags/checkout-v2';
const flipt = (percentage: number, updatedAt = '2026-08-21T10:00:00Z') => ({
  [FLIPT]: { key: 'checkout-v2', name: 'x', enabled: false, type: 'BOOLEAN_FLAG_TYPE', updatedAt },
  [`${FLIPT}/rollouts`]: {
    rules: [{ id: 'r1', type: 'THRESHOLD_ROLLOUT_TYPE', rank: 1, threshold: { percentage, value: true }, updatedAt }],
    totalCount: 1,
  },
});
const CONFIGCAT = '/v2/settings/checkout-v2/value';
const configcat = (percentage: number, by = 'ann@example.com') => ({
  [CONFIGCAT]: {
    lastVersionId: `v${percentage}`,
    lastUpdaterUserEmail: by,
    updatedAt: '2026-08-21T10:00:00Z',
    defaultValue: { boolValue: false },
    targetingRules: [
      {
        conditions: [],
        percentageOptions: [
          { percentage, value: { boolValue: true } },
          { percentage: 100 - percentage, value: { boolValue: false } },
        ],
      },
    ],
    percentageEvaluationAttribute: null,
  },
});
const UNLEASH = '/api/admin/projects/default/features/checkout-v2/environments/production';
const environment = 'production';

const known: readonly Known[] = [
  {
    type: 'launchdarkly',
    api: { token: 'api-key', environment },
    asks: { authorization: 'api-key' },
    path: `${DARKLY_PATH}?env=production`,
    answers: { [DARKLY_PATH]: darklyFlag(25) },
    state: { enabled: true, percent: 25, variations: { new: 25, old: 75 }, revision: '7' },
    sameAs: { [DARKLY_PATH]: darklyFlag(25, { version: 8 }) },
    differs: { [DARKLY_PATH]: darklyFlag(25, { rules: [{ clauses: [] }] }) },
  },
  {
    type: 'unleash',
    api: { token: 'user:token', environment },
    asks: { authorization: 'user:token' },
    path: UNLEASH,
    answers: { [UNLEASH]: unleashEnvironment('25') },
    state: { enabled: true, percent: 25, revision: null },
    sameAs: { [UNLEASH]: unleashEnvironment('25', { title: 'another', sortOrder: 1 }, '2026-08-22T10:00:00Z') },
    differs: { [UNLEASH]: unleashEnvironment('25', { constraints: [{ contextName: 'country' }] }) },
  },
  {
    type: 'flagsmith',
    api: { token: 'ser.key' },
    asks: { 'x-environment-key': 'ser.key' },
    path: '/api/v1/environment-document/',
    answers: { '/api/v1/environment-document/': flagsmithDocument(25) },
    state: { enabled: true, percent: null, variations: { v2: 25, control: 75 } },
    sameAs: { '/api/v1/environment-document/': flagsmithDocument(25, { updated_at: 'later' }) },
    differs: {
      '/api/v1/environment-document/': flagsmithDocument(25, {
        project: {
          segments: [
            {
              rules: [{ type: 'ALL' }],
              feature_states: [{ feature: { name: 'checkout-v2' }, enabled: false, feature_state_value: null }],
            },
          ],
        },
      }),
    },
  },
  {
    type: 'growthbook',
    api: { token: 'secret_x', environment },
    asks: { authorization: 'Bearer secret_x' },
    path: '/api/v1/features/checkout-v2',
    answers: { '/api/v1/features/checkout-v2': growthbookFeature(0.25) },
    state: { enabled: true, percent: 25, revision: '4', updatedBy: 'ann' },
    sameAs: { '/api/v1/features/checkout-v2': growthbookFeature(0.25, 5, 'bob') },
    differs: { '/api/v1/features/checkout-v2': growthbookFeature(0.5, 5) },
  },
  {
    type: 'flipt',
    api: { token: 'flipt-token', namespace: 'shop' },
    asks: { authorization: 'Bearer flipt-token' },
    path: `${FLIPT}/rollouts`,
    answers: flipt(25),
    state: { enabled: true, percent: 25 },
    sameAs: flipt(25, '2026-08-22T10:00:00Z'),
    differs: flipt(26),
  },
  {
    type: 'configcat',
    api: { user: 'u', password: 'p', sdkKey: 'sdk/key' },
    asks: { authorization: `Basic ${Buffer.from('u:p').toString('base64')}`, 'x-configcat-sdkkey': 'sdk/key' },
    path: CONFIGCAT,
    answers: configcat(25),
    state: { enabled: true, percent: 25, revision: 'v25', updatedBy: 'ann@example.com' },
    sameAs: configcat(25, 'bob@example.com'),
    differs: configcat(50),
  },
];

describe.each(known.map((each) => [each.type, each] as const))(
  '%s',
  (_, { type, api, asks, path, answers, state, sameAs, differs }) => {
    const sender = senders.find((each) => each.type === type);
    if (!sender) throw new Error(`no sender ${type}`);
    const read = async (flag = 'checkout-v2') => {
      const { flags } = sourceOf(sender, { api: { ...api, url: platform.url } });
      if (!flags) throw new Error('it reads nothing');
      return flags.read(flag, AbortSignal.timeout(5_000));
    };
    const answering = (next: Readonly<Record<string, unknown>>): void => {
      for (const [at, answer] of Object.entries(next)) platform.answers.set(at, answer);
    };
    const fingerprint = async (next: Readonly<Record<string, unknown>>): Promise<string> => {
      answering(next);
      const found = await read();
      return found.ok ? found.value.fingerprint : 'none';
    };

    it('reads what the flag is, where and as whom it should', async () => {
      answering(answers);
      expect(await read()).toMatchObject({ ok: true, value: { exists: true, ...state } });
      expect(platform.asked.at(-1)).toMatchObject({ path, headers: asks });
    });

    it('has the same print for the same behaviour, and another for another', async () => {
      const before = await fingerprint(answers);
      expect(before).toMatch(/^[0-9a-f]{32}$/);
      expect(await fingerprint(sameAs)).toBe(before);
      expect(await fingerprint(differs)).not.toBe(before);
    });

    it('takes a flag that is not there for what it is', async () => {
      expect(await read()).toMatchObject({ ok: true, value: { exists: false, enabled: false, fingerprint: 'not there' } });
      // Nor is one in a platform that has others.
      if (type === 'flagsmith') answering(answers);
      expect(await read('none-of-these')).toMatchObject({ ok: true, value: { exists: false } });
    });

    it('says what kept it from an answer, and makes up none', async () => {
      answering(answers);
      for (const [mode, kind] of [
        [503, 'unreachable'],
        [429, 'unreachable'],
        [500, 'unreachable'],
        [401, 'refused'],
        [403, 'refused'],
        [302, 'refused'],
      ] as const) {
        platform.mode = mode;
        expect(await read()).toMatchObject({ ok: false, error: { kind, detail: `answered ${mode}` } });
      }
      platform.mode = 'up';
      for (const rubbish of ['', '<html>', '[]', '"x"', '{}', 'null x', '{"environments":3,"enabled":"yes","feature":[]}']) {
        for (const at of Object.keys(answers)) platform.answers.set(at, rubbish);
        expect(await read()).toMatchObject({ ok: false, error: { kind: 'unreadable' } });
      }
      platform.mode = 'hangs';
      const { flags } = sourceOf(sender, { api: { ...api, url: platform.url } });
      expect(await flags?.read('checkout-v2', AbortSignal.timeout(50))).toMatchObject({
        ok: false,
        error: { kind: 'unreachable' },
      });
      const nobody = sourceOf(sender, { api: { ...api, url: 'http://127.0.0.1:9' } }).flags;
      expect(await nobody?.read('checkout-v2', AbortSignal.timeout(5_000))).toMatchObject({
        ok: false,
        error: { kind: 'unreachable' },
      });
    });
  },
);

it('reads a variant flag of Flipt and the first kind of settings of ConfigCat, too', async () => {
  const flag = (name: string) => senders.find(({ type }) => type === name) ?? { type: '', secret: '' };
  const rules = (share: number) => ({
    rules: [{ segmentKey: 'all', rank: 1, distributions: [{ variantId: 'v', rollout: share }] }],
  });
  const flags = sourceOf(flag('flipt'), { api: { url: platform.url, namespace: 'shop' } }).flags;
  const calm = AbortSignal.timeout(5_000);
  platform.answers.set(FLIPT, { enabled: true, type: 'VARIANT_FLAG_TYPE' });
  platform.answers.set(`${FLIPT}/rules`, rules(20));
  const before = await flags?.read('checkout-v2', calm);
  platform.answers.set(`${FLIPT}/rules`, rules(30));
  const after = await flags?.read('checkout-v2', calm);
  expect([before?.ok, after?.ok]).toEqual([true, true]);
  expect(before?.ok && before.value.fingerprint).not.toBe(after?.ok && after.value.fingerprint);
  const first = sourceOf(flag('configcat'), {
    api: { url: platform.url, user: 'u', password: 'p', sdkKey: 'k', evaluation: 'v1' },
  });
  const items = [
    { percentage: 30, value: true },
    { percentage: 70, value: false },
  ];
  platform.answers.set('/v1/settings/checkout-v2/value', { rolloutPercentageItems: items, rolloutRules: [], value: false });
  expect(await first.flags?.read('checkout-v2', calm)).toMatchObject({ ok: true, value: { enabled: true, percent: 30 } });
});

it('adds up what a variation of LaunchDarkly gets in several parts', async () => {
  const whole = darklyFlag(25);
  const parts = [0, 1, 0].map((variation, index) => ({ variation, weight: [10_000, 75_000, 15_000][index] }));
  const production = { ...whole.environments.production, fallthrough: { rollout: { variations: parts } } };
  platform.answers.set(DARKLY_PATH, { ...whole, environments: { production } });
  const api = { token: 'api-key', environment, url: platform.url };
  const { flags } = sourceOf({ type: 'launchdarkly', secret: 'whispered' }, { api });
  const state = { percent: 25, variations: { new: 25, old: 75 } };
  expect(await flags?.read('checkout-v2', AbortSignal.timeout(5_000))).toMatchObject({ ok: true, value: state });
});
