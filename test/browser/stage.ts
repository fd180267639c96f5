/**
 * The console as people meet it: the real service with its built pages, in Debian's Chromium. What a page says on its
 * console, and what its policy forbids, fails the story that it happens in.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openWorld } from '../../src/demo/world.ts';
import type { World, WorldOptions } from '../../src/demo/world.ts';

const PATIENCE_MS = 60_000;
const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Makes a token with the first one, as an administrator does. */
export async function tokenFor({ url, adminToken }: World, name: string, role: string): Promise<string> {
  const answer = await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${adminToken}`,
      'idempotency-key': crypto.randomUUID(),
    },
    body: JSON.stringify({ name, kind: 'person', role }),
  });
  const body = (await answer.json()) as { secret: string };
  if (!answer.ok) throw new Error(JSON.stringify(body));
  return body.secret;
}

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

export type ReleaseOptions = { readonly plan?: string; readonly behaviour?: Parameters<World['deploy']>[2] };

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
      await meanwhile();
      world = await openWorld({ folder, ...options, listen: host });
    },
    async open(path, contextOptions = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...contextOptions });
      // A machine that does much else is slow, and that is no failure.
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`${world.url}${path}`);
      return { page, complaints };
    },
    async release(service, version, { plan = slowPlan(service), behaviour } = {}) {
      await world.deploy(service, version, behaviour);
      const answer = await fetch(`${world.url}/v1/releases`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-headgate-actor': 'ci:pipeline',
          ...(world.adminToken === null ? {} : { authorization: `Bearer ${world.adminToken}` }),
          'idempotency-key': crypto.randomUUID(),
        },
        body: JSON.stringify({ plan, version }),
      });
      const body = (await answer.json()) as { id: string };
      if (!answer.ok) throw new Error(JSON.stringify(body));
      return body.id;
    },
    async close() {
      await browser.close();
      await world.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
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
