/**
 * Two hundred hostile texts, written by the API wherever people and other programs may write, and read on every page, on a
 * phone: they are text there, and nothing else.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOSTILE } from './hostile-texts.ts';
import { ask, openStage, SENDER, slowPlan, tellHeadgate, tried } from './stage.ts';
import type { Opened, Stage } from './stage.ts';

const PHONE = { viewport: { width: 390, height: 844 } };
const PATIENCE = { timeout: 240_000 };
/** As many as a service takes. */
const flags = HOSTILE.filter((_, index) => index % 4 === 0).map((text) => text.slice(0, 100));

let stage: Stage;
let foreign: Foreign;
beforeAll(async () => {
  foreign = await openForeign();
  stage = await openStage({
    perSecond: 5,
    more: {
      sections: `notify: { team: { type: github, repository: acme/shop, token: none, api: ${foreign.url} } }
webhooks: { own: { type: standard, secret: ${SENDER} } }
`,
      providers: [
        `stats: { type: web, checks: { errors: { kind: ratio, url: ${foreign.url}/stats, at: now, canary: { total: /n, bad: /bad }, stable: { total: /n, bad: /bad } } } }`,
      ],
      service: ['notify: [team]', `flags: [${flags.map((flag) => `{ source: own, flag: ${JSON.stringify(flag)} }`).join(', ')}]`],
    },
  });
});
afterAll(async () => {
  await stage.close();
  await foreign.close();
});

test('two hundred of them, each another', () => {
  expect(new Set(HOSTILE).size).toBe(200);
});

test('as versions, reasons and names of who asks, on the overview, in the history and in the audit log', PATIENCE, async () => {
  const { world } = stage;
  const ids: string[] = [];
  // A version that turns around what stands after it is not the version that one reads.
  for (const version of ['1.0\u202E0.2', '\u2066x', 'a\u0007b'])
    expect((await tried(world, '/v1/releases', { body: { plan: slowPlan('shop'), version } })).status).toBe(422);
  for (const text of packed(200, (one) => writable(one).replaceAll(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, ''))) {
    const body = { plan: slowPlan('shop'), version: text, reason: text, onBusy: 'queue', paused: true };
    ids.push((await ask<{ id: string }>(world, '/v1/releases', { body, actor: headerOf(text) })).id);
  }
  const opened = await stage.open('/', PHONE);
  await walk(opened, '.run', PLAIN);
  const reasons = packed(400, writable);
  for (const [index, id] of ids.toReversed().entries())
    await ask(world, `/v1/releases/${id}/commands/rollback`, { body: { reason: reasons[index] ?? '' } });
  for (const path of ['/history', '/audit']) {
    await opened.page.goto(`${world.url}${path}`);
    await walk(opened, 'tbody tr', PLAIN);
  }
});

test('as reasons of commands and answers of a metric source, on the page of a release', PATIENCE, async () => {
  const { world } = stage;
  const plan = `service: search
interval: 1s
hold: 10m
steps: [25%]
checks: { errors: { kind: ratio, provider: stats } }
`;
  const id = await stage.release('search', '2.0.0', { plan });
  await fetch(`${world.url}/v1/releases/${id}/wait?until=step:1&timeout=60s`);
  for (const [index, reason] of packed(400, writable).entries())
    await ask(world, `/v1/releases/${id}/commands/${index % 2 === 0 ? 'pause' : 'resume'}`, { body: { reason } });
  const { page, complaints } = await stage.open(`/releases/${id}`, PHONE);
  await page.locator('.timeline li').nth(20).waitFor();
  // Texts where numbers should be: the source has failed.
  await page.locator('.tile.missing .tile-sentence').waitFor();
  await inert({ page, complaints }, PLAIN);
});

test('as names of flags, senders and tokens, as what was sent and answered, in plans and in addresses', PATIENCE, async () => {
  const { world } = stage;
  for (const [index, text] of packed(400, (one) => one).entries()) {
    const body = index % 2 === 0 ? text : JSON.stringify({ type: text, data: { flag: flags[index % flags.length], by: text } });
    await tellHeadgate(world, 'own', body);
  }
  for (const name of HOSTILE) {
    const { status } = await tried(world, '/v1/tokens', { body: { name, kind: 'person', role: 'viewer' } });
    expect([name, status === 201 || status === 422]).toEqual([name, true]);
  }
  const comments = HOSTILE.map((text) => `# ${writable(text).replaceAll(/[\r\n\u2028\u2029]/g, ' ')}\n`).join('');
  await ask(world, '/v1/plans', { body: { document: `${comments}name: stored\n${slowPlan('checkout')}` } });

  const opened = await stage.open('/tokens', PHONE);
  const { page } = opened;
  await walk(opened, 'tbody tr', null);
  await page.goto(`${world.url}/deliveries?side=in`);
  await walk(opened, 'tbody tr', PLAIN);
  await page.goto(`${world.url}/deliveries`);
  await walk(opened, 'tbody tr', null);
  await page.goto(`${world.url}/connections`);
  await walk(opened, '.place', '<script>alert(1)</script>');
  await page.goto(`${world.url}/new`);
  await page.getByRole('combobox', { name: 'Plan' }).selectOption('stored');
  await page.getByText('The plan stored is valid.').waitFor();
  await inert(opened, null);
  await page.getByRole('textbox', { name: 'Version' }).fill(PLAIN);
  await page.getByRole('textbox', { name: /Reason/ }).fill(HOSTILE.map(writable).join(' ').slice(0, 2_000));
  await page.getByRole('button', { name: 'Start the release' }).click({ trial: true });
  await inert(opened, PLAIN);
  for (const text of HOSTILE.filter((_, index) => index % 20 === 0)) {
    await page.goto(`${world.url}/history?q=${encodeURIComponent(text)}&service=${encodeURIComponent(text)}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await inert(opened, null);
  }
});

const PLAIN = '<script>alert(1)</script>';

/** Several in one, as many as a field takes, so that a page shows all of them. */
function packed(most: number, made: (text: string) => string): readonly string[] {
  const found: string[] = [];
  for (const text of HOSTILE.map(made)) {
    const last = found.at(-1);
    if (last !== undefined && last.length + text.length < most) found[found.length - 1] = `${last} ${text}`;
    else found.push(text);
  }
  return found;
}

/** What may be a reason: all of it but control characters, which are refused. */
const writable = (text: string): string => text.replaceAll(/[^\P{Cc}\s]/gu, '');
/** What a header can carry of it, for who asks. */
const headerOf = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '').trim();

/** Every page of a list, each once it has rows; one of them shows the text as it was written. */
async function walk(opened: Opened, row: string, shown: string | null): Promise<void> {
  const { page } = opened;
  let seen = '';
  for (let pages = 0; pages < 12; pages++) {
    await page.locator(row).first().waitFor();
    await inert(opened, null);
    seen += await page.locator('main').textContent();
    const older = page.getByRole('link', { name: 'Older' }).first();
    if ((await older.count()) === 0) break;
    const before = await page.locator(row).first().textContent();
    await older.click();
    await page.waitForFunction(
      ([where, text]) => {
        const { document } = globalThis as unknown as { document: { querySelector(at: string): { textContent: string } | null } };
        const found = document.querySelector(where ?? '');
        return found !== null && found.textContent !== text;
      },
      [row, before] as const,
    );
  }
  if (shown !== null) expect(seen).toContain(shown);
}

/** Nothing on the page is there because somebody wrote it, nothing ran, and nothing is wider than the phone. */
async function inert({ page, complaints }: Opened, shown: string | null): Promise<void> {
  expect(complaints).toEqual([]);
  expect(await page.evaluate<readonly string[]>(FOUND)).toEqual([]);
  expect(await page.evaluate<readonly string[]>(WIDE)).toEqual([]);
  if (shown !== null)
    expect(
      await page.evaluate<string>(
        `document.body.innerText + [...document.querySelectorAll('input, textarea')].map((field) => field.value)`,
      ),
    ).toContain(shown);
}

const FOUND = `[...document.querySelectorAll('*')].filter((element) =>
  [...element.attributes].some(({ name }) => /^(on|srcdoc|formaction|ping|background)/.test(name)) ||
  /^(iframe|object|embed|base|portal|math|foreignobject|animate|set|img|video|audio|marquee)$/i.test(element.localName) ||
  (element.localName === 'script' && !element.src.startsWith(location.origin + '/console/')) ||
  (element.localName === 'style' && element.textContent !== '') ||
  (element.localName === 'a' && (element.origin !== location.origin || !/^https?:$/.test(element.protocol))),
).map((element) => element.outerHTML.slice(0, 200))`;

const WIDE = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1).map((element) => element.outerHTML.slice(0, 160))`;

type Foreign = { readonly url: string; close(): Promise<void> };

/** A metric source and a receiver that answer with one of the texts, each time another. */
async function openForeign(): Promise<Foreign> {
  let asked = 0;
  const server: Server = createServer((request, response) => {
    const text = HOSTILE[asked++ % HOSTILE.length] ?? '';
    request.resume();
    if (request.url === '/stats') response.end(JSON.stringify({ n: text, bad: text }));
    else {
      response.statusCode = 400;
      response.end(JSON.stringify({ message: text }));
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
