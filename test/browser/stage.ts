/**
 * The console as people meet it: the real service with its built pages, in Debian's Chromium. What a page says on its
 * console, and what its policy forbids, fails the story that it happens in.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openWorld } from '../../src/demo/world.ts';
import type { World, WorldOptions } from '../../src/demo/world.ts';
import { sign } from '../../src/lib/standard-webhooks.ts';

const PATIENCE_MS = 90_000;
const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Asks the API as whoever holds the token; the administrator when nobody is named. What it refuses ends the story. */
export async function ask<T>(world: World, path: string, { body, token = world.adminToken, ...rest }: Asked): Promise<T> {
  const { status, answer } = await tried(world, path, { body, token, ...rest });
  if (status >= 300) throw new Error(JSON.stringify(answer));
  return answer as T;
}

type Asked = {
  readonly body: unknown;
  readonly method?: 'POST' | 'PUT' | 'DELETE';
  readonly token?: string | null;
  /** Who it is, where nobody proves it. */
  readonly actor?: string;
};
type Tried = { readonly status: number; readonly answer: unknown };

/** The same, where a refusal is an answer. */
export async function tried({ url, adminToken }: World, path: string, asked: Asked): Promise<Tried> {
  const { body, method = 'POST', token = adminToken, actor = 'ci:pipeline' } = asked;
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      'if-match': '*',
      'idempotency-key': crypto.randomUUID(),
      'x-headgate-actor': actor,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return { status: answer.status, answer: await answer.json() };
}

/** The secret of those whose webhooks come in, for the configuration of a stage. */
export const SENDER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A webhook that comes in, signed as its sender does; one that is not taken ends the story. */
export async function tellHeadgate({ url }: World, source: string, body: string): Promise<void> {
  const message = { id: crypto.randomUUID(), atSeconds: Math.floor(Date.now() / 1000), body };
  const answer = await fetch(`${url}/v1/webhooks/in/${source}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': message.id,
      'webhook-timestamp': String(message.atSeconds),
      'webhook-signature': sign(message, [SENDER]),
    },
    body,
  });
  if (!answer.ok) throw new Error(`the webhook of ${source} was answered ${answer.status}: ${await answer.text()}`);
}

/** Makes a token with the first one, as an administrator does. */
export const tokenFor = async (world: World, name: string, role: string, kind: 'person' | 'ci' = 'person'): Promise<string> =>
  (await ask<{ readonly secret: string }>(world, '/v1/tokens', { body: { name, kind, role } })).secret;

export type Stage = {
  /** The service as it is now: another object after it was away. */
  readonly world: World;
  readonly browser: Browser;
  /** A page of its own browser context; `complaints` fills with what it says and must not. */
  open(path: string, options?: BrowserContextOptions): Promise<Opened>;
  /** Deploys a version and starts its release over the API; the answer is its id. */
  release(service: string, version: string, options?: ReleaseOptions): Promise<string>;
  /** The service goes, and comes back at the same address with the same database. */
  away(meanwhile: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
};

export type Opened = { readonly page: Page; readonly complaints: readonly string[] };

export type ReleaseOptions = {
  readonly plan?: string;
  readonly behaviour?: Parameters<World['deploy']>[2];
  /** Whose token asks for it. */
  readonly token?: string | null;
};

/** Than what is served already, so that no chance of the traffic speaks against it. */
export const BETTER = { errorShare: 0, medianMs: 20 };

/** As a person does: what has changed between the question and the answer is asked again, and agreed to again. */
export async function agree(page: Page, name: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  const soon = { timeout: 2_000 };
  for (let tries = 0; tries < PATIENCE_MS / soon.timeout; tries++) {
    await dialog
      .getByRole('button', { name, exact: true })
      .click(soon)
      .catch(() => undefined);
    await dialog.waitFor({ state: 'detached', ...soon }).catch(() => undefined);
    if ((await dialog.count()) === 0) return;
  }
  throw new Error(`"${name}" was never taken: ${await dialog.textContent()}`);
}

/** A browser's own line about such a refusal, which is no complaint. */
export const ASKED_AGAIN = /status of 412/;

/** Stands at 5 % until somebody does something. */
export const slowPlan = (service: string): string => `service: ${service}
interval: 1s
hold: 10m
steps: [5%, 25%, 50%]
checks:
  errors: { kind: ratio, minRequests: 20, hardMax: 50% }
  latency: { kind: latency, minRequests: 20, tolerance: 100% }
`;

export async function openStage(options: Partial<WorldOptions> = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-stage-'));
  let world = await openWorld({ folder, ...options });
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  return {
    get world() {
      return world;
    },
    browser,
    async away(meanwhile) {
      const { host } = new URL(world.url);
      await world.close();
      try {
        await meanwhile();
      } finally {
        world = await openWorld({ folder, ...options, listen: host });
      }
    },
    async open(path, contextOptions = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...contextOptions });
      // A machine that does much else is slow, and that is no failure.
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      const complaints = await listen(page, world.url);
      await page.goto(`${world.url}${path}`);
      return { page, complaints };
    },
    async release(service, version, { plan = slowPlan(service), behaviour = BETTER, token = world.adminToken } = {}) {
      await world.deploy(service, version, behaviour);
      return (await ask<{ readonly id: string }>(world, '/v1/releases', { body: { plan, version }, token })).id;
    },
    async close() {
      await browser.close();
      await world.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whatever a page must not do: errors and warnings of its own, what its policy forbids, questions, and requests to anybody else. */
async function listen(page: Page, origin: string): Promise<readonly string[]> {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) complaints.push(`a request to ${request.url()}`);
  });
  await page.exposeFunction('complain', (text: string) => void complaints.push(text));
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (seen) => complain(seen.violatedDirective + ' forbids ' + seen.blockedURI));`,
  );
  return complaints;
}

/** The whole page as a picture, small enough for a repository. Chromium makes it: it writes WebP, and playwright does not. */
export async function shoot(page: Page, file: string): Promise<void> {
  const [width, height] = await page.evaluate<readonly [number, number]>(
    '[innerWidth, Math.min(1600, Math.max(innerHeight, document.documentElement.scrollHeight))]',
  );
  const { data } = await (
    await page.context().newCDPSession(page)
  ).send('Page.captureScreenshot', {
    format: 'webp',
    quality: 80,
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width, height, scale: 1 },
  });
  writeFileSync(file, data, 'base64');
}

/** Signs in on a page that asks for it. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page
    .locator('.contact.live')
    .waitFor()
    .catch(async (cause: unknown) => {
      throw new Error(`signed in, and the page does not come to life; it says: ${await page.innerText('body')}`, { cause });
    });
}

/** Rules of accessibility that the page breaks, with what breaks them; empty when it is clean. */
export async function axe(page: Page): Promise<readonly string[]> {
  // Through the debugger, not through a script tag: the page's policy would refuse that, as it should.
  const source = await import('node:fs').then(({ readFileSync }) => readFileSync(axeFile, 'utf8'));
  await page.evaluate(source);
  const found = await page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as { axe: { run(): Promise<AxeResult> } };
    return run.run();
  });
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

type AxeResult = {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
};

const chromiumPath = (): string => execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
