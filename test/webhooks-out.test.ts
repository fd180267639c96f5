/**
 * Telling others as they meet it: a whole service in this process, a whole release heard and verified by the library of the
 * standard, and `docs/webhooks-out.md` run as it stands there: its configuration, its commands, its snippets.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { runCli } from '../src/cli/run.ts';
import { parseConfig } from '../src/config.ts';
import { sign } from '../src/lib/standard-webhooks.ts';
import { openReceiver } from './e2e/receiver.ts';
import type { Receiver } from './e2e/receiver.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const page = readFileSync(new URL('../docs/webhooks-out.md', import.meta.url), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block = '']) => block);
const none = { env: () => undefined, file: () => undefined };
const folder = mkdtempSync(join(tmpdir(), 'headgate-webhooks-'));

let app: App;
let base: string;
let shop: Server;
let receiver: Receiver;
const logged: string[] = [];

beforeAll(async () => {
  receiver = await openReceiver(SECRET);
  shop = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((done) => shop.listen(0, '127.0.0.1', done));
  const address = shop.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const text = `server: { listen: 127.0.0.1:0 }
store: { sqlite: ${join(folder, 'w.db')} }
settings: { settleMin: 1s, applyTimeout: 300ms, reconcileEvery: 1s }
routers: { front: { type: edge, listen: 127.0.0.1:0, routes: { app: { slots: { blue: { url: ${url} }, green: { url: ${url} } } } } } }
providers: { edge: { type: edge } }
notify: { automation: { type: webhook, url: "${receiver.url}", secrets: [whsec_${Buffer.alloc(24).toString('base64')}, ${SECRET}] } }
services: { checkout: { provider: edge, notify: [automation], targets: [{ router: front, route: app }], hooks: { secret: ${SECRET}, afterRollback: "${receiver.url}" } } }
`;
  const config = parseConfig({ text, secrets: none, dev: true });
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const note = (fields: unknown, message: string): void => void logged.push(`${JSON.stringify(fields)} ${message}`);
  app = await createApp(config.value, { debug: note, info: note, warn: note, error: note });
  base = await app.listen();
});
afterAll(async () => {
  await app.close(2_000);
  await receiver.close();
  shop.closeAllConnections();
  shop.close();
  rmSync(folder, { recursive: true, force: true });
});

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 400; look++) {
    if (await reached()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error('never reached');
}

async function headgate(line: string): Promise<{ code: number; out: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(['--server', base, ...line.split(/\s+/)], {
    out,
    err,
    env: {},
    fetch,
    serve: async () => 0,
    version: '1.2.3',
    worldOf: () => ({ ok: false, error: [] }),
  });
  return { code, out: `${String(out.read() ?? '')}${String(err.read() ?? '')}` };
}

const call = async (method: string, path: string, body?: unknown): Promise<any> => {
  const json =
    body === undefined ? {} : { headers: { 'content-type': 'application/json', 'if-match': '*' }, body: JSON.stringify(body) };
  return (await app.fetch(new Request(`http://headgate${path}`, { method, ...json }))).json();
};
const drained = async (): Promise<boolean> =>
  (await call('GET', '/v1/webhooks/endpoints')).items.every(({ pending }: any) => pending === 0);

it('tells a whole release, every word of it verified by the library of the standard', async () => {
  expect(await call('PUT', '/v1/services/checkout/stable', { version: 'v0' })).toMatchObject({ stableVersion: 'v0' });
  const plan = { name: 'p', service: 'checkout', hold: '1h', steps: ['5%', '50%'] };
  const started = await call('POST', '/v1/releases', { plan, version: 'v1' });
  expect(started).toMatchObject({ id: expect.any(String) });
  const { id } = started;
  await until(async () => (await call('GET', `/v1/releases/${id}`)).phase.kind === 'watching');
  await call('POST', `/v1/releases/${id}/commands/rollback`, { reason: 'that is enough' });
  await until(async () => (await call('GET', `/v1/releases/${id}`)).phase.kind === 'rolledBack');
  await until(drained);
  expect(receiver.wrong).toEqual([]);
  const { items } = await call('GET', `/v1/releases/${id}/events?limit=200`);
  const mine = receiver.heard.filter(({ subject }) => subject === id);
  const hooked = items.filter(({ type }: any) => type === 'release.rolledBack');
  expect(mine.map((heard) => heard.id).toSorted()).toEqual([...items, ...hooked].map((event: any) => event.id).toSorted());
  expect(mine.find(({ type }) => type === 'release.created')?.body).toContain('"steps"');
  expect(logged.join('\n')).not.toContain(receiver.url);
});

it('runs every command of the page', async () => {
  const lines = blocks('sh').flatMap((block) => block.trim().split('\n'));
  expect(lines.length).toBeGreaterThanOrEqual(7);
  for (const line of lines) {
    expect(await headgate(line.replace(/^headgate /, '')), line).toMatchObject({ code: 0 });
    await until(drained);
  }
  expect(receiver.heard.filter(({ type }) => type === 'headgate.test')).toHaveLength(1);
  expect(receiver.wrong).toEqual([]);
  const { items } = await call('GET', '/v1/audit');
  for (const action of ['webhook.test', 'webhook.enable', 'webhook.replay', 'webhook.redeliver'])
    expect(items.find((entry: any) => entry.action === action)?.origin, action).toMatchObject({ kind: 'person' });
});

it('says that a receiver fails, why, and what waits for it', async () => {
  receiver.behave(() => ({ status: 500 }));
  await headgate('webhook redeliver 1');
  const failing = async (): Promise<string> => (await headgate('webhook list')).out;
  await until(async () => (await failing()).includes('failing'));
  expect(await failing()).toMatch(/automation .* failing .* 1 wait .* since \S+: .*500.*, next try /);
  receiver.behave(() => ({ status: 204 }));
  await headgate('webhook enable automation');
  await until(drained);
  expect(await failing()).not.toContain('failing');
});

it('disables at 410, says so, and refuses to replay until it is enabled', async () => {
  receiver.behave(() => ({ status: 410 }));
  expect(await headgate('webhook test automation')).toMatchObject({ code: 69, out: expect.stringContaining('410') });
  const resend = async () => {
    const path = 'http://headgate/v1/webhooks/deliveries/1/redeliver';
    const answer = await app.fetch(new Request(path, { method: 'POST', headers: { 'idempotency-key': 'again-1' } }));
    return [answer.status, await answer.json(), answer.headers.get('idempotency-replayed')];
  };
  const [status, queued] = await resend();
  expect([status, await resend()]).toEqual([200, [200, queued, 'true']]);
  await until(async () => (await headgate('webhook list')).out.includes('disabled'));
  expect(await headgate('webhook replay automation')).toMatchObject({
    code: 79,
    out: expect.stringContaining('enable it first'),
  });
  receiver.behave(() => ({ status: 204 }));
  expect(await headgate('webhook enable automation')).toMatchObject({ code: 0, out: expect.stringContaining('enabled') });
  expect((await headgate('webhook replay automation')).out).toMatch(/^[1-9]\d* queued again/);
  await until(drained);
  expect((await headgate('webhook deliveries --state parked')).out).toContain('nothing');
});

it('says what is not there, what waits, and what makes no sense', async () => {
  expect(await headgate('webhook test nobody')).toMatchObject({ code: 2, out: expect.stringContaining('automation') });
  expect(await headgate('webhook redeliver 99999')).toMatchObject({ code: 2 });
  expect(await headgate('webhook redeliver x')).toMatchObject({ code: 2 });
  expect(await headgate('webhook replay automation --from nobody/1')).toMatchObject({ code: 2 });
  expect((await call('POST', '/v1/webhooks/endpoints/automation/replay', { form: 1 })).errors).toMatchObject([
    { pointer: '/form' },
  ]);
  expect((await call('GET', '/v1/webhooks/deliveries?state=lost')).status).toBe(422);
  const first = await call('GET', '/v1/webhooks/deliveries?limit=2&endpoint=automation');
  const second = await call('GET', `/v1/webhooks/deliveries?limit=2&endpoint=automation&cursor=${first.nextCursor}`);
  expect(second.items[0].seq).toBeLessThan(first.items[1].seq);
});

describe('headgate.yaml', () => {
  const config = (text: string, secret = SECRET) =>
    parseConfig({ text, secrets: { env: () => secret, file: () => secret }, dev: true });

  it('is what the page shows', () => {
    for (const block of blocks('yaml')) {
      // One text stands for every reference, and it cannot be an address and a secret.
      const parsed = config(
        block.replace('env:AUTOMATION_URL', 'http://127.0.0.1:9').replace('env:SLACK_WEBHOOK', 'http://127.0.0.1:9'),
      );
      expect(parsed.ok ? parsed.value.warnings : parsed.error, block).toEqual([]);
    }
  });

  it('refuses a secret that is none, at its line, and does not repeat it', () => {
    const text = `notify:\n  book: { type: webhook, url: "http://x.example", secret: env:S }\nsigning: { secrets: [env:S] }\n`;
    for (const secret of ['hush', `whsec_${Buffer.alloc(23).toString('base64')}`]) {
      const parsed = config(text, secret);
      expect(parsed.ok ? [] : parsed.error.map(({ path }) => path)).toEqual(['/notify/book/secret', '/signing/secrets/0']);
      expect(JSON.stringify(parsed)).not.toContain(secret);
    }
    const both = config(text.replace('secret: env:S }', 'secret: env:S, secrets: [env:S] }'));
    expect(both.ok ? [] : both.error.map(({ message }) => message)).toEqual(['either secret or secrets, not both']);
  });

  it('says of what goes out unsigned that it does', () => {
    const hooks = 'hooks: { beforeStart: "http://x.example" }';
    const text = `notify: { book: { type: webhook, url: "http://x.example" } }\nservices: { a: { ${hooks} }, b: {} }\n`;
    const warned = (of: string) => {
      const parsed = config(of);
      return parsed.ok ? parsed.value.warnings.map((each) => each.split(' ')[0]) : parsed.error;
    };
    expect(warned(text)).toEqual(['notify.book', 'services.a.hooks']);
    expect(warned(`${text}signing: { secret: env:S }\n`)).toEqual(['notify.book']);
    expect(warned(text.replace('hooks: {', 'hooks: { secret: env:S,'))).toEqual(['notify.book']);
  });
});

describe('the snippets of the page', () => {
  const atSeconds = Math.floor(Date.now() / 1_000);
  const body = '{"type":"release.promoted","timestamp":"2026-11-20T12:00:00Z","data":{"sentence":"größer & kleiner"}}';
  const other = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
  const headersOf = (signature: string, at = atSeconds) => ({
    'webhook-id': 'r1/7',
    'webhook-timestamp': String(at),
    'webhook-signature': signature,
  });
  const signature = sign({ id: 'r1/7', atSeconds, body }, [other, SECRET]);
  const old = atSeconds - 400;
  const cases = [
    { body, headers: headersOf(signature), good: true },
    { body: body.replace('promoted', 'demoted'), headers: headersOf(signature), good: false },
    { body, headers: headersOf(sign({ id: 'r1/7', atSeconds, body }, [other])), good: false },
    { body, headers: headersOf(sign({ id: 'r1/7', atSeconds: old, body }, [SECRET]), old), good: false },
    { body, headers: headersOf(''), good: false },
  ];
  const told = JSON.stringify(cases.map((each) => ({ body: each.body, headers: each.headers })));
  const run = (program: string, args: readonly string[], cwd = folder): unknown =>
    JSON.parse(
      execFileSync(program, args, {
        cwd,
        input: told,
        env: { ...process.env, WEBHOOK_SECRET: SECRET },
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
  const has = (program: string, args: readonly string[]): boolean => {
    try {
      execFileSync(program, args, { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  const wanted = cases.map(({ good }) => good);

  it.each([0, 1])('Node, number %i', (index) => {
    const library = new URL('../node_modules/standardwebhooks/dist/index.js', import.meta.url).href;
    const file = join(folder, `snippet${index}.mjs`);
    const asked = `import { readFileSync } from 'node:fs';
const tried = JSON.parse(readFileSync(0, 'utf8')).map(({ body, headers }) => { try { return verified(body, headers).type === 'release.promoted'; } catch { return false; } });
console.log(JSON.stringify(tried));`;
    writeFileSync(file, `${blocks('js')[index]?.replace("'standardwebhooks'", `'${library}'`)}\n${asked}`);
    expect(run(process.execPath, [file])).toEqual(wanted);
  });

  it.runIf(has('python3', ['--version']))('Python', () => {
    const asked = `import sys
def tried(case):
    try:
        return verified(case["body"].encode(), case["headers"])["type"] == "release.promoted"
    except ValueError:
        return False
print(json.dumps([tried(case) for case in json.load(sys.stdin)]))`;
    const file = join(folder, 'snippet.py');
    writeFileSync(file, `${blocks('python')[0]}\n${asked}\n`);
    expect(run('python3', [file])).toEqual(wanted);
  });

  // Compiling it with what it imports takes a minute where nobody has; its grammar takes none.
  it.runIf(has('gofmt', ['-h']))('Go', () => {
    const file = join(folder, 'snippet.go');
    writeFileSync(file, blocks('go')[0] ?? '');
    expect(execFileSync('gofmt', ['-l', file], { encoding: 'utf8' })).toBe('');
  });
});
