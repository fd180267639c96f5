/** Flag platforms as their APIs behave, over real sockets: what they answer, what they refuse, and how they can be made bad. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Asked = { readonly method: string; readonly path: string; readonly token: string; readonly body: any };
/** What is answered instead, before anything has an effect; null to go on. */
export type Interference = (
  asked: Asked,
) => { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> } | 'hang' | null;

export type FakePlatform = {
  readonly url: string;
  readonly asked: Asked[];
  interfere: Interference;
  /** Acknowledges a write and does nothing. */
  lies: boolean;
  close(): void;
};

type Reply = { readonly status: number; readonly body?: unknown };

async function platform(answer: (asked: Asked, fake: FakePlatform) => Reply): Promise<FakePlatform> {
  const fake: { -readonly [K in keyof FakePlatform]: FakePlatform[K] } = {
    url: '',
    asked: [],
    interfere: () => null,
    lies: false,
    close: () => {},
  };
  const server = createServer(async (request, response) => {
    const asked: Asked = {
      method: request.method ?? '',
      path: request.url ?? '',
      token: request.headers.authorization ?? '',
      body: await bodyOf(request),
    };
    fake.asked.push(asked);
    const instead = fake.interfere(asked);
    if (instead === 'hang') return;
    const { status, body } = instead ?? answer(asked, fake);
    response.writeHead(status, { 'content-type': 'application/json', ...instead?.headers });
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  fake.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return fake;
}

async function bodyOf(request: IncomingMessage): Promise<any> {
  let text = '';
  for await (const part of request) text += String(part);
  try {
    return JSON.parse(text);
  } catch {
    return text === '' ? undefined : text;
  }
}

// --- Unleash -----------------------------------------------------------------------------------------------------------

export type FakeUnleash = FakePlatform & {
  readonly flag: {
    enabled: boolean;
    strategies: {
      id: string;
      name: string;
      title?: string;
      disabled?: boolean;
      parameters: Record<string, string>;
      constraints: unknown[];
    }[];
  };
};

const UNLEASH_AT = '/api/admin/projects/default/features/checkout-v2/environments/production';

export async function fakeUnleash(): Promise<FakeUnleash> {
  const flag: FakeUnleash['flag'] = {
    enabled: true,
    strategies: [
      {
        id: 's-1',
        name: 'flexibleRollout',
        parameters: { rollout: '0', stickiness: 'default', groupId: 'checkout-v2' },
        constraints: [],
      },
    ],
  };
  const fake = await platform(({ method, path, body }, { lies }) => {
    if (!path.startsWith(UNLEASH_AT))
      return {
        status: 404,
        body: { name: 'NotFoundError', message: 'Could not find feature', details: [{ message: 'no feature' }] },
      };
    if (method === 'GET') return { status: 200, body: { name: 'checkout-v2', environment: 'production', ...flag } };
    if (lies) return { status: 200, body: {} };
    if (method === 'POST') {
      flag.enabled = path.endsWith('/on');
      return { status: 200 };
    }
    const strategy = flag.strategies.find(({ id }) => path.endsWith(`/strategies/${id}`));
    if (!strategy) return { status: 404, body: { message: 'no strategy' } };
    for (const { op, path: at, value } of body) {
      if (at === '/parameters/rollout' && op === 'replace' && typeof value === 'string') strategy.parameters['rollout'] = value;
      else if (at === '/title' && op === 'add') strategy.title = value;
      else return { status: 400, body: { message: `bad patch ${at}` } };
    }
    return { status: 200, body: strategy };
  });
  return Object.assign(fake, { flag });
}

// --- LaunchDarkly ------------------------------------------------------------------------------------------------------

export type FakeLaunchDarkly = FakePlatform & {
  readonly environment: { on: boolean; offVariation: number; fallthrough: any; rules: any[] };
};

export async function fakeLaunchDarkly(): Promise<FakeLaunchDarkly> {
  const variations = [
    { _id: 'id-old', name: 'v1', value: 'old' },
    { _id: 'id-new', name: 'v2', value: 'new' },
    { _id: 'id-other', name: 'v3', value: 'other' },
  ];
  const environment: FakeLaunchDarkly['environment'] = { on: true, offVariation: 0, fallthrough: { variation: 0 }, rules: [] };
  const all = () => ({ key: 'checkout', variations, environments: { production: environment } });
  const fake = await platform(({ method, path, body }, { lies }) => {
    if (!path.startsWith('/api/v2/flags/shop/checkout'))
      return { status: 404, body: { code: 'not_found', message: 'Unknown flag' } };
    if (method === 'GET' || lies) return { status: 200, body: all() };
    for (const instruction of body.instructions) {
      const weights = Object.entries(instruction.rolloutWeights ?? {}) as [string, number][];
      if (weights.length > 0 && weights.reduce((sum, [, weight]) => sum + weight, 0) !== 100_000)
        return { status: 400, body: { message: 'weights must sum to 100000' } };
      const rollout = {
        variations: weights.map(([id, weight]) => ({ variation: variations.findIndex(({ _id }) => _id === id), weight })),
      };
      if (instruction.kind === 'updateFallthroughVariationOrRollout') environment.fallthrough = { rollout };
      else if (instruction.kind === 'updateRuleVariationOrRollout')
        Object.assign(
          environment.rules.find(({ _id }) => _id === instruction.ruleId),
          { rollout },
        );
      else if (instruction.kind === 'turnFlagOff') environment.on = false;
      else if (instruction.kind === 'turnFlagOn') environment.on = true;
      else return { status: 400, body: { message: `unknown instruction ${instruction.kind}` } };
    }
    return { status: 200, body: all() };
  });
  return Object.assign(fake, { environment });
}

// --- any API -----------------------------------------------------------------------------------------------------------

export type FakeApi = FakePlatform & { readonly flag: { enabled: boolean; rollout: { percentage: number }; revision: number } };

export async function fakeApi(): Promise<FakeApi> {
  const flag: FakeApi['flag'] = { enabled: true, rollout: { percentage: 0 }, revision: 0 };
  const fake = await platform(({ method, path, body }, { lies }) => {
    if (method === 'GET') return { status: 200, body: { data: flag } };
    if (lies) return { status: 204 };
    if (path === '/flags/checkout/off') flag.enabled = false;
    else Object.assign(flag, { enabled: true, rollout: { percentage: body.percentage }, revision: body.revision });
    return { status: 204 };
  });
  return Object.assign(fake, { flag });
}
