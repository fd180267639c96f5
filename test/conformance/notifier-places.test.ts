/** Slack and GitHub as receivers of notices, played by servers that check what they are asked as those do. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { client } from '../../src/adapters/outgoing/client.ts';
import { github, githubOptions } from '../../src/adapters/notify/github.ts';
import { slack } from '../../src/adapters/notify/slack.ts';
import { TEST_EVENT } from '../../src/ports/notifier.ts';
import type { Notice, ReleaseBrief } from '../../src/ports/notifier.ts';

type Heard = { method: string; path: string; headers: IncomingHttpHeaders; body: any };
type Reply = { status: number; body?: unknown; headers?: Record<string, string> };

const heard: Heard[] = [];
let reply: (asked: Heard) => Reply | null;
const server: Server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => {
    const { method = '', url = '', headers } = request;
    const asked = { method, path: url, headers, body: text === '' ? null : JSON.parse(text) };
    heard.push(asked);
    const said = reply(asked);
    // Read, done, and the connection lost before the answer.
    if (said === null) return void request.socket.destroy();
    const body = typeof said.body === 'string' ? said.body : JSON.stringify(said.body ?? {});
    response.writeHead(said.status, said.headers).end(body);
  });
});
let base = '';
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  heard.length = 0;
});

const wire = { send: client({ timeoutMs: 10_000 }), wallSeconds: () => 1_795_176_000 };
const signal = new AbortController().signal;
const CONSOLE = 'https://headgate.example/';
const release: ReleaseBrief = {
  id: 'r1',
  service: 'shop',
  environment: 'production',
  version: '1.1.0',
  stableVersion: '1.0.0',
  plan: 'canary',
  checks: {
    errors: { verdict: 'fail', sentence: '2.1 % of 5,000 against 0.2 % of 20,000' },
    latency: { verdict: 'pass', sentence: 'p99 is 120 ms' },
  },
};
const notice = (type: string, change: Partial<Notice> = {}): Notice => ({
  id: 'r1/7',
  type,
  at: 1_795_176_000_123,
  subject: 'r1',
  sentence: `shop 1.1.0 did ${type}`,
  data: { id: 'r1/7', type },
  release,
  ...change,
});

describe('Slack', () => {
  const open = (events?: readonly string[], consoleUrl: string | null = CONSOLE) =>
    slack('chat', { url: `${base}/services/T0/B0/hush`, events }, wire, consoleUrl);
  beforeEach(() => {
    reply = () => ({ status: 200, body: 'ok' });
  });

  it('tells a rollback with its cause, what the checks said, and where to look', async () => {
    const sentence = 'shop 1.1.0 is rolled back at 5%: errors 2.1 % > 0.2 %';
    expect(await open().deliver(notice('rollback.decided', { sentence }), signal)).toEqual({ ok: true, value: undefined });
    const [asked] = heard;
    expect(asked).toMatchObject({ method: 'POST', path: '/services/T0/B0/hush' });
    expect(asked?.headers['content-type']).toBe('application/json; charset=utf-8');
    const text = (mrkdwn: string) => ({ type: 'mrkdwn', text: mrkdwn, verbatim: true });
    expect(asked?.body).toEqual({
      text: '🔴 shop 1.1.0 is rolled back at 5%: errors 2.1 % &gt; 0.2 %',
      blocks: [
        { type: 'section', text: text('🔴 *shop 1.1.0 is rolled back at 5%: errors 2.1 % &gt; 0.2 %*') },
        {
          type: 'section',
          text: text('• errors: fail, 2.1 % of 5,000 against 0.2 % of 20,000\n• latency: pass, p99 is 120 ms'),
        },
        {
          type: 'context',
          elements: [
            text(
              'shop  ·  production  ·  1.0.0 → 1.1.0  ·  plan canary  ·  <https://headgate.example/releases/r1|Open in Headgate>',
            ),
          ],
        },
      ],
    });
  });

  it('tells what people act on, and is silent about the rest unless asked for it', async () => {
    await open().deliver(notice('weight.verified'), signal);
    await open().deliver(notice('verdict.changed'), signal);
    expect(heard).toEqual([]);
    await open(['weight.verified']).deliver(notice('weight.verified'), signal);
    await open(['weight.verified']).deliver(notice('release.promoted'), signal);
    await open([]).deliver(notice(TEST_EVENT, { release: null }), signal);
    expect(heard.map(({ body }) => body.text)).toEqual(['🔵 shop 1.1.0 did weight.verified', '🔵 shop 1.1.0 did headgate.test']);
  });

  it('lets no name or reason call a channel, break out of a link, or be too long', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('<', '>', '&', '!channel', '|', '*', '@here', 'http://x', 'é', '😀', 'a'.repeat(400)), {
          maxLength: 30,
        }),
        async (words) => {
          const sentence = words.join('');
          const odd = { ...release, version: sentence.slice(0, 200), id: sentence.slice(0, 100), plan: '<!here>' };
          heard.length = 0;
          await open().deliver(notice('rollback.decided', { sentence, release: odd }), signal);
          const { text, blocks } = heard[0]?.body ?? {};
          const shown: string[] = [text, ...blocks.flatMap((block: any) => block.text?.text ?? block.elements[0].text)];
          for (const each of shown) {
            expect(each.length).toBeLessThanOrEqual(3_000);
            // One pair of brackets there is: the link's.
            expect(each.replace(/<https:\/\/headgate\.example\/releases\/[^<>|]*\|Open in Headgate>/, '')).not.toMatch(/[<>]/);
            expect(each.replaceAll(/&(amp|lt|gt);/g, '')).not.toContain('&');
          }
        },
      ),
      { seed: 3, numRuns: 60 },
    );
  });

  it.each([
    [429, 'rate_limited', 'unreachable', 30_000],
    [400, 'invalid_blocks', 'unfit', undefined],
    [403, 'action_prohibited', 'refused', undefined],
    [404, 'no_service', 'refused', undefined],
    [410, 'channel_is_archived', 'gone', undefined],
    [500, 'rollup_error', 'unreachable', undefined],
  ] as const)('takes %i %s as %s, and never tells the address', async (status, body, kind, retryAfterMs) => {
    reply = () => ({ status, body, headers: status === 429 ? { 'retry-after': '30' } : {} });
    const said = await open().deliver(notice('release.started'), signal);
    expect(said).toMatchObject({ ok: false, error: { kind, detail: expect.stringContaining(body) } });
    expect(said.ok ? null : said.error.retryAfterMs).toBe(retryAfterMs);
    expect(JSON.stringify(said)).not.toContain('hush');
  });
});

describe('GitHub', () => {
  let deployments: { id: number; ref: string; environment: string; payload: unknown }[] = [];
  let statuses: { deployment: number; state: string; description: string }[] = [];
  let loseAnswers = 0;
  /** As the REST API does: it refuses what it would refuse, and knows only the ref that is there. */
  function api({ method, path, body, headers }: Heard): Reply {
    const url = new URL(path, base);
    if (headers['authorization'] !== 'Bearer t0ken') return { status: 401, body: { message: 'Bad credentials' } };
    const [, made] = /^\/repos\/acme\/shop\/deployments(?:\/(\d+)\/statuses)?$/.exec(url.pathname) ?? [null, null];
    if (made === null) return { status: 404, body: { message: 'Not Found' } };
    if (method === 'GET') {
      const of = (key: 'ref' | 'environment') => url.searchParams.get(key);
      const found = deployments.filter(
        (each) => (of('ref') ?? each.ref) === each.ref && (of('environment') ?? each.environment) === each.environment,
      );
      return { status: 200, body: found.toReversed() };
    }
    if (made !== undefined) {
      if (body.description.length > 140) return { status: 422, body: { message: 'description is too long' } };
      statuses.push({ deployment: Number(made), ...body });
      return { status: 201, body: { id: statuses.length } };
    }
    if (body.auto_merge !== false) return { status: 202, body: { message: 'Auto-merged' } };
    if (body.required_contexts?.length !== 0) return { status: 409, body: { message: 'Conflict: checks' } };
    if (body.ref !== 'v1.1.0') return { status: 422, body: { message: `No ref found for: ${body.ref}` } };
    deployments.push({ ...body, id: deployments.length + 1 });
    return { status: 201, body: { ...body, id: deployments.length } };
  }
  beforeEach(() => {
    [deployments, statuses, loseAnswers] = [[], [], 0];
    reply = (asked) => {
      const said = api(asked);
      if (asked.method === 'POST' && loseAnswers > 0) {
        loseAnswers -= 1;
        return null;
      }
      return said;
    };
  });
  const open = (change = {}, consoleUrl: string | null = CONSOLE) =>
    github(
      'deployments',
      githubOptions.parse({ type: 'github', repository: 'acme/shop', token: 't0ken', api: base, ref: 'v{version}', ...change }),
      wire,
      consoleUrl,
    );

  it('makes one deployment of a release, and a status for each of its turns', async () => {
    const hub = open({ environmentUrl: 'https://shop.example', production: true });
    for (const type of ['release.created', 'release.started', 'weight.verified', 'step.entered', 'release.paused'])
      await hub.deliver(notice(type), signal);
    await hub.deliver(notice('release.promoted'), signal);
    expect(heard[1]).toMatchObject({
      method: 'POST',
      path: '/repos/acme/shop/deployments',
      headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', 'user-agent': 'headgate' },
    });
    expect(heard[1]?.body).toEqual({
      ref: 'v1.1.0',
      environment: 'production',
      task: 'deploy',
      auto_merge: false,
      required_contexts: [],
      payload: { headgate: { release: 'r1', service: 'shop' } },
      description: 'shop 1.1.0 by plan canary',
      transient_environment: false,
      production_environment: true,
    });
    expect(deployments).toHaveLength(1);
    expect(statuses.map(({ state }) => state)).toEqual(['in_progress', 'in_progress', 'pending', 'success']);
    expect(statuses[0]).toEqual({
      deployment: 1,
      state: 'in_progress',
      description: 'shop 1.1.0 did release.started',
      log_url: 'https://headgate.example/releases/r1',
      environment_url: 'https://shop.example',
    });
  });

  it.each([
    ['release.queued', 'queued'],
    ['rollback.decided', 'failure'],
    ['release.rolledBack', 'failure'],
    ['rollback.unverified', 'error'],
    ['release.superseded', 'inactive'],
  ])('says %s as %s, in 140 letters', async (type, state) => {
    await open().deliver(notice(type, { sentence: '😀'.repeat(200) }), signal);
    expect(statuses).toMatchObject([{ state, description: expect.stringMatching(/…$/) }]);
  });

  it('finds the deployment that a try made whose answer was lost, and after a restart', async () => {
    const hub = open();
    loseAnswers = 1;
    expect(await hub.deliver(notice('release.started'), signal)).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(await hub.deliver(notice('release.started'), signal)).toMatchObject({ ok: true });
    deployments.push({ id: 2, ref: 'v1.1.0', environment: 'production', payload: '{"headgate":{"release":"r2"}}' });
    expect(await open().deliver(notice('step.entered'), signal)).toMatchObject({ ok: true });
    expect(await open().deliver(notice('step.entered', { release: { ...release, id: 'r2' } }), signal)).toMatchObject({
      ok: true,
    });
    expect(deployments).toHaveLength(2);
    expect(statuses.map(({ deployment }) => deployment)).toEqual([1, 1, 2]);
  });

  it('makes another one for another release of the same version', async () => {
    const hub = open();
    await hub.deliver(notice('release.started'), signal);
    await hub.deliver(notice('release.started', { release: { ...release, id: 'r2' } }), signal);
    expect(deployments.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('gives up at once on a version that GitHub does not know, and says so', async () => {
    const said = await open({ ref: '{version}' }).deliver(notice('release.started'), signal);
    expect(said).toMatchObject({
      ok: false,
      error: { kind: 'unfit', detail: expect.stringContaining('No ref found for: 1.1.0') },
    });
  });

  it.each([
    [{ status: 401 }, 'refused', undefined],
    [{ status: 404 }, 'refused', undefined],
    [{ status: 410 }, 'refused', undefined],
    [{ status: 500 }, 'unreachable', undefined],
    [{ status: 403, headers: { 'retry-after': '60' } }, 'unreachable', 60_000],
    [{ status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1795176120' } }, 'unreachable', 120_000],
    [{ status: 403 }, 'refused', undefined],
    [{ status: 302, headers: { location: '/elsewhere' } }, 'refused', undefined],
    [{ status: 200, body: 'no JSON' }, 'unreachable', undefined],
  ] as const)('takes %j as %s', async (said, kind, retryAfterMs) => {
    reply = () => said;
    const answer = await open().deliver(notice('release.started'), signal);
    expect(answer).toMatchObject({ ok: false, error: { kind } });
    expect(answer.ok ? null : answer.error.retryAfterMs).toBe(retryAfterMs);
    expect(JSON.stringify(answer)).not.toContain('t0ken');
    expect(heard).toHaveLength(1);
  });

  it('tests by looking, and makes nothing', async () => {
    expect(await open().deliver(notice(TEST_EVENT, { release: null }), signal)).toMatchObject({ ok: true });
    expect(await open({ token: 'wrong' }).deliver(notice(TEST_EVENT, { release: null }), signal)).toMatchObject({ ok: false });
    expect(heard.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });
});
