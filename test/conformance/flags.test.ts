/** Flags of real platforms' APIs before the suite of routers, and what only a flag platform does. */
import { describe, expect, it } from 'vitest';
import { client } from '../../src/adapters/outgoing/client.ts';
import { routerKinds } from '../../src/adapters/traffic/index.ts';
import { Weight } from '../../src/domain/ids.ts';
import type { Route, TrafficRouter } from '../../src/ports/traffic-router.ts';
import { fakeApi, fakeLaunchDarkly, fakeUnleash } from '../fakes/flag-platforms.ts';
import type { FakePlatform, FakeUnleash } from '../fakes/flag-platforms.ts';
import { prng } from '../../src/lib/prng.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import type { RouterSubject } from './router.suite.ts';
import { closeAtEnd, suite } from './router-run.ts';

const route: Route = { name: 'checkout', slots: ['blue', 'green'] };
const signal = new AbortController().signal;
const SECRET = 'a-very-secret-token';

function made(options: { readonly type: string } & Record<string, unknown>): TrafficRouter {
  const kind = routerKinds[options.type];
  if (!kind) throw new Error(`no kind ${options.type}`);
  return kind.create('flags', kind.options.parse(options), {
    clock: systemClock(),
    random: { next: prng(1), id: () => 'x' },
    send: client({ timeoutMs: 5_000 }),
  });
}
const closing = <T extends FakePlatform>(fake: T): T => {
  closeAtEnd(() => fake.close());
  return fake;
};

const unleashAt = ({ url }: FakePlatform, more: object = {}, routeMore: object = {}): TrafficRouter =>
  made({
    type: 'unleash',
    url,
    token: SECRET,
    environment: 'production',
    timeoutMs: 300,
    routes: { checkout: { flag: 'checkout-v2', ...routeMore } },
    ...more,
  });
const launchdarklyAt = ({ url }: FakePlatform, more: object = {}, routeMore: object = {}): TrafficRouter =>
  made({
    type: 'launchdarkly',
    url,
    token: SECRET,
    project: 'shop',
    environment: 'production',
    timeoutMs: 300,
    routes: { checkout: { variation: 'v2', otherwise: 'v1', ...routeMore } },
    ...more,
  });
const apiAt = ({ url }: FakePlatform, more: object = {}, routeMore: object = {}): TrafficRouter =>
  made({
    type: 'http-flag',
    auth: { bearer: SECRET },
    timeoutMs: 300,
    routes: {
      checkout: {
        read: {
          url: `${url}/flags/checkout`,
          share: '/data/rollout/percentage',
          enabled: '/data/enabled',
          seq: '/data/revision',
        },
        write: { url: `${url}/flags/checkout`, body: { percentage: '{{percent}}', revision: '{{seq}}' } },
        off: { method: 'POST', url: `${url}/flags/checkout/off` },
        ...routeMore,
      },
    },
    ...more,
  });

const SWAP = { swap: true };
const subject = (router: TrafficRouter, edit: (share: number, seq?: number) => void): RouterSubject => ({
  router,
  route,
  send: null,
  edit,
  restart: null,
});
const rolled = (fake: FakeUnleash): string | undefined => fake.flag.strategies[0]?.parameters['rollout'];

suite('unleash', async () => {
  const fake = closing(await fakeUnleash());
  return subject(unleashAt(fake, {}, SWAP), (share, seq) => {
    fake.flag.strategies[0]!.parameters['rollout'] = String(share / 100);
    if (seq !== undefined) fake.flag.strategies[0]!.title = `headgate ${seq}`;
  });
});
suite('unleash, on for the first slot', async () => {
  const fake = closing(await fakeUnleash());
  fake.flag.strategies[0]!.parameters['rollout'] = '100';
  return subject(unleashAt(fake, {}, { ...SWAP, on: 'blue' }), (share, seq) => {
    fake.flag.strategies[0]!.parameters['rollout'] = String(100 - share / 100);
    if (seq !== undefined) fake.flag.strategies[0]!.title = `headgate ${seq}`;
  });
});
suite('launchdarkly', async () => {
  const fake = closing(await fakeLaunchDarkly());
  return subject(launchdarklyAt(fake, {}, SWAP), (share) => {
    fake.environment.fallthrough = {
      rollout: {
        variations: [
          { variation: 1, weight: share * 10 },
          { variation: 0, weight: 100_000 - share * 10 },
        ],
      },
    };
  });
});
suite('http-flag', async () => {
  const fake = closing(await fakeApi());
  return subject(apiAt(fake, {}, SWAP), (share, seq) => {
    fake.flag.rollout.percentage = share / 100;
    if (seq !== undefined) fake.flag.revision = seq;
  });
});

const put = (router: TrafficRouter, share: number, seq: number, direction: 'raise' | 'lower' = 'raise') =>
  router.apply({ route, secondShare: Weight(share), seq, direction }, signal);
const detailOf = (answer: Awaited<ReturnType<typeof put>>): string => (answer.ok ? 'fine' : answer.error.detail);

describe('a flag as a target', () => {
  it('serves nothing until it can represent the step, and never more than was asked', () => {
    const router = made({ type: 'unleash', url: 'http://127.0.0.1:9', token: 'x', environment: 'production' });
    const down = (share: number): number => router.quantize(route, Weight(share), 'down');
    expect([down(50), down(99), down(100), down(1_250), down(9_950)]).toEqual([0, 0, 100, 1_200, 9_900]);
    expect(router.quantize(route, Weight(9_950), 'up')).toBe(10_000);
  });

  it('goes one way: a release whose new version is not what the flag is on for is told to name the next flag', async () => {
    const fake = closing(await fakeUnleash());
    fake.flag.strategies[0]!.parameters['rollout'] = '100';
    const found = await unleashAt(fake).preflight(route, signal);
    expect(found).toMatchObject({
      ok: true,
      value: {
        nodes: [{ node: 'checkout-v2', secondShare: 10_000 }],
        slots: [
          {
            slot: 'blue',
            healthy: false,
            detail:
              'the flag checkout-v2 is on for green: a release into blue needs the next flag or variation, with on: blue (or swap: true, where the flag only says which slot)',
          },
          { slot: 'green', healthy: true },
        ],
      },
    });
  });

  it.each([
    ['unleash', fakeUnleash, unleashAt],
    ['launchdarkly', fakeLaunchDarkly, launchdarklyAt],
    ['http-flag', fakeApi, apiAt],
  ] as const)('%s: what is acknowledged and not done is not done', async (_type, open, at) => {
    const fake = closing<FakePlatform>(await open());
    const router = at(fake);
    expect(await put(router, 500, 1)).toMatchObject({ ok: true });
    fake.lies = true;
    expect(await put(router, 1_000, 2)).toMatchObject({
      ok: false,
      error: { kind: 'not_effective', detail: expect.stringMatching(/ took 10 % and shows 5 %$/), nodes: [{ secondShare: 500 }] },
    });
  });

  it.each([
    [429, { 'retry-after': '12' }, 'takes no more calls for now (429), again in 12 s'],
    [401, {}, 'does not take the token (401: no ***)'],
    [403, {}, 'the token may not do that (403: no ***)'],
    [409, {}, 'somebody else changes the flag at the same time (409: no ***)'],
    [302, { location: 'http://127.0.0.1:9/' }, 'answered 302, a redirect, and those are not followed'],
    [500, {}, 'answered 500: no ***'],
    [503, {}, 'answered 503: no ***'],
  ])('says what a %i means, writes nothing, and keeps the token to itself', async (status, headers, detail) => {
    for (const [open, at] of [
      [fakeUnleash, unleashAt],
      [fakeLaunchDarkly, launchdarklyAt],
      [fakeApi, apiAt],
    ] as const) {
      const fake = closing<FakePlatform>(await open());
      fake.interfere = ({ method, token }) =>
        method === 'GET' ? null : { status, headers, body: { message: `no ${token.replace('Bearer ', '')}` } };
      const answer = await put(at(fake), 500, 1);
      expect(detailOf(answer)).toMatch(new RegExp(`: ${detail.replaceAll(/[()*.]/g, '\\$&')}$`));
      expect(JSON.stringify(answer)).not.toContain(SECRET);
      expect(await at(fake).read(route, signal)).toMatchObject({ ok: true, value: [{ secondShare: 0 }] });
    }
  });

  it('says that somebody has to approve, in the words of each platform', async () => {
    const [unleash, launchdarkly] = [closing(await fakeUnleash()), closing(await fakeLaunchDarkly())];
    unleash.interfere = ({ method }) =>
      method === 'PATCH' ? { status: 403, body: { details: [{ message: 'Change requests are enabled in production' }] } } : null;
    launchdarkly.interfere = ({ method }) =>
      method === 'PATCH' ? { status: 405, body: { message: 'approval required' } } : null;
    expect(detailOf(await put(unleashAt(unleash), 500, 1))).toBe(
      'unleash: somebody has to approve the change there first (403: Change requests are enabled in production)',
    );
    expect(detailOf(await put(launchdarklyAt(launchdarkly), 500, 1))).toBe(
      'launchdarkly: somebody has to approve the change there first (405: approval required)',
    );
  });

  it('is switched off where its percentage cannot be taken back, by the token that may', async () => {
    const fake = closing(await fakeUnleash());
    const router = unleashAt(fake, { rollbackToken: 'for-rollback' });
    await put(router, 5_000, 1);
    fake.interfere = ({ method }) => (method === 'PATCH' ? { status: 403, body: { message: 'change request needed' } } : null);
    expect(await router.cutOff(route, 'green', 2, signal)).toMatchObject({
      ok: true,
      value: { nodes: [{ secondShare: 0, detail: 'switched off in production' }] },
    });
    expect(fake.flag.enabled).toBe(false);
    expect(rolled(fake)).toBe('50');
    expect(fake.asked.filter(({ method }) => method !== 'GET').map(({ token }) => token)).toEqual([
      SECRET,
      'for-rollback',
      'for-rollback',
    ]);
    // The next release raises it: the percentage first, so that nobody gets what was there before.
    fake.interfere = () => null;
    fake.asked.length = 0;
    expect(await put(router, 100, 3)).toMatchObject({ ok: true });
    expect(fake.asked.filter(({ method }) => method !== 'GET').map(({ path }) => path.split('/').at(-1))).toEqual(['s-1', 'on']);
    expect([fake.flag.enabled, rolled(fake)]).toEqual([true, '1']);
  });

  it('is turned off where LaunchDarkly wants an approval for its weights', async () => {
    const fake = closing(await fakeLaunchDarkly());
    const router = launchdarklyAt(fake);
    await put(router, 5_000, 1);
    fake.interfere = ({ method, body }) =>
      method === 'PATCH' && body.instructions[0].kind !== 'turnFlagOff' ? { status: 405, body: {} } : null;
    expect(await router.cutOff(route, 'green', 2, signal)).toMatchObject({ ok: true, value: { nodes: [{ secondShare: 0 }] } });
    expect(fake.environment.on).toBe(false);
  });

  it('says every way that failed when nothing takes it back', async () => {
    const fake = closing(await fakeApi());
    const router = apiAt(fake, {}, { off: undefined });
    await put(router, 5_000, 1);
    fake.interfere = ({ method }) => (method === 'GET' ? null : { status: 500 });
    expect(await router.cutOff(route, 'green', 2, signal)).toMatchObject({
      ok: false,
      error: {
        kind: 'rejected',
        detail: 'flags: answered 500; flags: no other way to switch checkout off is configured',
        nodes: [{ secondShare: 5_000 }],
      },
    });
  });

  it('is taken back although it cannot be read first', async () => {
    const fake = closing(await fakeUnleash());
    const router = unleashAt(fake);
    await put(router, 5_000, 1);
    fake.interfere = ({ method }) => (method === 'GET' ? 'hang' : null);
    expect(await router.cutOff(route, 'green', 2, signal)).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(rolled(fake)).toBe('0');
  });

  it('counts another strategy for everybody, and keeps the title that people gave', async () => {
    const fake = closing(await fakeUnleash());
    const router = unleashAt(fake);
    fake.flag.strategies[0]!.title = 'New checkout';
    await put(router, 500, 7);
    expect(fake.flag.strategies[0]?.title).toBe('New checkout · headgate 7');
    await put(router, 600, 8);
    expect(fake.flag.strategies[0]?.title).toBe('New checkout · headgate 8');
    fake.flag.strategies.push({ id: 's-2', name: 'default', parameters: {}, constraints: [] });
    expect(await router.read(route, signal)).toMatchObject({ ok: true, value: [{ secondShare: 10_000 }] });
    // Its own percentage does not help then, and the environment does.
    expect(await router.cutOff(route, 'green', 9, signal)).toMatchObject({ ok: true, value: { nodes: [{ secondShare: 0 }] } });
    expect(fake.flag.enabled).toBe(false);
    fake.flag.enabled = true;
    fake.flag.strategies[1]!.constraints.push({ contextName: 'userId', operator: 'IN', values: ['tester'] });
    expect(await router.read(route, signal)).toMatchObject({ ok: true, value: [{ secondShare: 0 }] });
  });

  it('asks which rollout is meant when there are several, and for one when there is none', async () => {
    const fake = closing(await fakeUnleash());
    fake.flag.strategies.push({ ...fake.flag.strategies[0]!, id: 's-2', parameters: { rollout: '3' } });
    expect(await unleashAt(fake).read(route, signal)).toMatchObject({
      ok: false,
      error: {
        kind: 'not_found',
        detail: 'unleash: the flag checkout-v2 has several gradual rollouts in production: name one by strategy: s-1 or s-2',
      },
    });
    fake.flag.strategies.length = 0;
    expect(await unleashAt(fake).preflight(route, signal)).toMatchObject({
      error: { detail: 'unleash: the flag checkout-v2 has no gradual rollout in production: add one, at 0 %' },
    });
  });

  it('moves a rule of LaunchDarkly, and does not believe a third variation', async () => {
    const fake = closing(await fakeLaunchDarkly());
    fake.environment.rules.push({ _id: 'r-1', variation: 0 });
    const router = launchdarklyAt(fake, {}, { rule: 'r-1' });
    expect(await put(router, 1, 1)).toMatchObject({ ok: true });
    expect(fake.environment.rules[0].rollout.variations).toEqual([
      { variation: 1, weight: 10 },
      { variation: 0, weight: 99_990 },
    ]);
    expect(fake.environment.fallthrough).toEqual({ variation: 0 });
    fake.environment.rules[0].rollout.variations = [
      { variation: 1, weight: 10_000 },
      { variation: 2, weight: 90_000 },
    ];
    expect(await router.read(route, signal)).toMatchObject({
      ok: true,
      value: [{ secondShare: null, detail: 'the flag checkout gives 90 % another variation than these two' }],
    });
    // Whatever is there: down is always possible.
    expect(await router.cutOff(route, 'green', 2, signal)).toMatchObject({ ok: true });
  });

  it.each([
    [{ type: 'unleash', url: 'http://a', environment: 'production' }, 'token'],
    [{ type: 'unleash', url: 'http://a', token: '', environment: 'production' }, 'token'],
    [{ type: 'launchdarkly', token: 'x', project: 'p', environment: 'e', routes: {} }, 'routes'],
    [
      { type: 'http-flag', routes: { a: { read: { url: 'http://a', share: 'x' }, write: { url: 'http://a' } } } },
      'routes.a.read.share',
    ],
    [
      {
        type: 'http-flag',
        routes: { a: { read: { url: 'http://a', share: '/x' }, write: { url: 'http://a', body: { p: 5 } } } },
      },
      'routes.a.write.body',
    ],
  ])('refuses options that cannot work: %j', (options, where) => {
    const checked = routerKinds[options.type]?.options.safeParse(options);
    expect(checked?.error?.issues.map(({ path }) => path.join('.'))).toContain(where);
  });
});
