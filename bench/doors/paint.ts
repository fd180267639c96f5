/** What the overview asks for until it shows its releases, in a fresh browser, and when it is painted beside a page with nothing on it. */
import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import type { Bench } from './harness.ts';

const ROUNDS = 9;

export async function paint({ api }: Pick<Bench, 'api'>): Promise<void> {
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const seen: Seen[] = [];
  const empty: number[] = [];
  // In turns, so that a machine that is busy is busy for both.
  for (let round = 0; round < ROUNDS; round++) {
    seen.push(await fresh(browser, (page) => overview(page, api)));
    empty.push(await fresh(browser, (page) => plain(page, api)));
  }
  await browser.close();
  const [painted, useful, blank] = [median(seen.map((one) => one.painted)), median(seen.map((one) => one.useful)), median(empty)];
  process.stdout.write(
    `overview: ${seen[0]?.requests} requests, ${((seen[0]?.bytes ?? 0) / 1000).toFixed(1)} kB as sent, until its releases are shown; ` +
      `first paint ${painted.toFixed(0)} ms, releases ${useful.toFixed(0)} ms, a plain page of the same service ${blank.toFixed(0)} ms ` +
      `(${(painted / blank).toFixed(1)} and ${(useful / blank).toFixed(1)} times)\n`,
  );
}

type Seen = { readonly requests: number; readonly bytes: number; readonly painted: number; readonly useful: number };

async function fresh<T>(browser: Browser, look: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const found = await look(await context.newPage());
  await context.close();
  return found;
}

async function overview(page: Page, api: string): Promise<Seen> {
  const wire = await page.context().newCDPSession(page);
  await wire.send('Network.enable');
  let [requests, bytes] = [0, 0];
  wire.on('Network.responseReceived', () => (requests += 1));
  wire.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto(`${api}/`);
  await page.locator('.run').first().waitFor();
  const useful = await page.evaluate<number>('performance.now()');
  return { requests, bytes, painted: await firstPaint(page), useful };
}

/** What the service serves and a browser paints as it is. */
async function plain(page: Page, api: string): Promise<number> {
  await page.goto(`${api}/healthz`);
  return firstPaint(page);
}

const firstPaint = (page: Page): Promise<number> =>
  page.evaluate<number>(`new Promise((done) => {
    const at = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    const look = () => (at() === undefined ? requestAnimationFrame(look) : done(at()));
    look();
  })`);

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
