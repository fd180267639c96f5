/** The pages of whoever runs Headgate, in a real browser: a release started, places tested, notices sent again, what was done looked up. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axe, openStage } from './stage.ts';
import type { Stage } from './stage.ts';

/** A receiver that says it is gone, until it is told to be well, and remembers what it took; and a flag platform beside it. */
type Receiver = { readonly server: Server; readonly url: string; readonly took: string[]; isWell: boolean; tellsFlags: boolean };

async function openReceiver(): Promise<Receiver> {
  const took: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.startsWith('/api/admin/')) {
      response.writeHead(receiver.tellsFlags ? 200 : 503, { 'content-type': 'application/json' }).end(FLAG);
      return;
    }
    if (receiver.isWell) took.push(String(request.headers['webhook-id']));
    response.writeHead(receiver.isWell ? 204 : 410).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const receiver: Receiver = { server, url: `http://127.0.0.1:${port}`, took, isWell: false, tellsFlags: false };
  return receiver;
}

const FLAG = JSON.stringify({ enabled: true, strategies: [{ name: 'flexibleRollout', parameters: { rollout: '40' } }] });
const HOOK_TOKEN = 'a token for a test';

let stage: Stage;
let desk: Receiver;
beforeAll(async () => {
  desk = await openReceiver();
  stage = await openStage({
    more: {
      providers: ['prom: { type: prometheus, url: "http://127.0.0.1:1" }'],
      sections: `notify: { desk: { type: webhook, url: "${desk.url}" } }
webhooks:
  platform: { type: unleash, secret: ${HOOK_TOKEN}, api: { url: "${desk.url}", token: t, environment: production } }
`,
      service: ['notify: [desk]', 'flags: [{ source: platform, flag: new-ranking }]'],
    },
  });
});
afterAll(async () => {
  await stage.close();
  desk.server.closeAllConnections();
  desk.server.close();
});

/** What the browser itself says of an answer that is a refusal is no complaint of the page. */
const own = (complaints: readonly string[]): readonly string[] =>
  complaints.filter(
    (text) =>
      !text.startsWith('Failed to load resource: the server responded with a status of 4') && !text.includes('a status of 503'),
  );

const WRONG = 'service: shop\nhold: 10m\nsteps: [5%, 25%]\nchecks: [errors, latenzy]\n';

test('a plan is put right at its line, previewed, and started; the draft outlives a reload', async () => {
  const { page, complaints } = await stage.open('/new');
  // Nothing is stored, so there is nothing to choose.
  const plan = page.getByRole('textbox', { name: /The plan, as YAML/ });
  await plan.fill(WRONG);
  await page.getByText('One thing keeps it from being a plan.').waitFor();
  expect(await page.getByRole('button', { name: 'Start the release' }).isDisabled()).toBe(true);
  expect(await axe(page)).toEqual([]);
  await page.reload();
  await page.getByText('One thing keeps it from being a plan.').waitFor();
  await page.getByRole('button', { name: 'line 4' }).click();
  const caret = await plan.evaluate((field) => (field as unknown as { readonly selectionStart: number }).selectionStart);
  expect(WRONG.slice(caret)).toMatch(/^latenzy/);

  await plan.fill(WRONG.replace('latenzy', 'latency'));
  await page.getByText('The plan shop is valid.').waitFor();
  await page.getByRole('textbox', { name: 'Version' }).fill('1.0.0');
  await page.getByRole('textbox', { name: 'Version' }).and(page.locator('[aria-invalid="true"]')).waitFor();
  await page.getByRole('textbox', { name: 'Version' }).fill('1.1.0');
  await page.getByText(/The whole way: takes 5.% and 25.% of the traffic for 10m each/).waitFor();
  await page.getByText('headgate release start -f plan.yaml --version 1.1.0').waitFor();

  await page.getByRole('textbox', { name: 'Requests per second' }).fill('100');
  await page.getByRole('button', { name: 'Look ahead' }).click();
  await page.getByRole('table', { name: 'What each step can show within its hold' }).waitFor({ timeout: 90_000 });
  expect(await axe(page)).toEqual([]);

  await stage.world.deploy('shop', '1.1.0');
  await page.getByRole('button', { name: 'Start the release' }).click();
  const question = page.getByRole('dialog', { name: 'Start shop 1.1.0?' });
  await question
    .getByText(/moves shop from 1\.0\.0 to 1\.1\.0 in the slot green\. First it takes 5.% of the traffic\./)
    .waitFor();
  expect(await axe(page)).toEqual([]);
  await question.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('heading', { level: 1 }).filter({ hasText: '1.1.0' }).waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/releases\//);

  // The next one would have to wait, which the service says before anybody asks it to start.
  await page.getByRole('link', { name: 'New release' }).click();
  await plan.fill(WRONG.replace('latenzy', 'latency'));
  await page.getByRole('textbox', { name: 'Version' }).fill('1.2.0');
  await page.getByRole('alert').filter({ hasText: 'shop is busy with release' }).waitFor();
  expect(await page.getByRole('button', { name: 'Start the release' }).isDisabled()).toBe(true);
  await page.getByLabel('When another release moves the service').selectOption('queue');
  await page.getByText(/When the release before it has ended, it moves shop from 1\.0\.0/).waitFor();
  expect(own(complaints)).toEqual([]);
});

test('a receiver that was gone is enabled, hears what it missed, and hears one notice again', async () => {
  await stage.release('checkout', '1.1.0');
  const { page, complaints } = await stage.open('/deliveries');
  const receivers = page.getByRole('table', { name: 'Receivers of notices' });
  await receivers.getByText('disabled').waitFor();
  await receivers.getByRole('button', { name: 'Replay to desk' }).waitFor();
  expect(await axe(page)).toEqual([]);

  desk.isWell = true;
  await receivers.getByRole('button', { name: 'Enable desk' }).click();
  await page.getByRole('dialog', { name: 'Enable: desk?' }).getByRole('button', { name: 'Enable' }).click();
  await page.getByText('desk is delivered to again.').waitFor();
  await receivers.getByRole('button', { name: 'Replay to desk' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
  await page.getByText(/queued again for desk/).waitFor();
  await expect.poll(() => desk.took.length).toBeGreaterThan(3);

  await page.goto(`${stage.world.url}/deliveries?state=delivered`);
  const again = page.getByRole('button', { name: /^Redeliver/ }).last();
  const name = await again.getAttribute('aria-label');
  const event = name?.split(' ')[2] ?? '';
  const before = desk.took.filter((id) => id === event).length;
  await again.click();
  await page.getByText('Queued again for desk').waitFor();
  await expect.poll(() => desk.took.filter((id) => id === event).length).toBe(before + 1);

  await page.getByRole('link', { name: 'Incoming' }).click();
  await page.getByText('No webhook has come in yet.').waitFor();
  const told = await fetch(`${stage.world.url}/v1/webhooks/in/platform`, {
    method: 'POST',
    headers: { authorization: HOOK_TOKEN, 'content-type': 'application/json' },
    body: '{"type":"feature-up',
  });
  expect(told.status).toBe(202);
  const row = page.getByRole('row').filter({ hasText: 'platform' });
  await row.getByText('given up').waitFor();
  const settledAt = async (): Promise<number> => {
    const { items } = (await (await fetch(`${stage.world.url}/v1/webhooks/inbox?state=parked`)).json()) as Inbox;
    return items[0]?.settledAt ?? 0;
  };
  const settled = await settledAt();
  await row.getByRole('button', { name: /^Try again/ }).click();
  await page.getByText(/^Webhook \d+ of platform is tried again\.$/).waitFor();
  await expect.poll(settledAt).toBeGreaterThan(settled);
  expect(await axe(page)).toEqual([]);
  expect(own(complaints)).toEqual([]);
});

test('routers, providers and receivers are tested, and say what is wrong', async () => {
  const { page, complaints } = await stage.open('/connections');
  await page.getByRole('button', { name: 'Test the router front' }).click();
  await page.getByText(/all 3 targets: nodes answer/).waitFor();
  await page.getByRole('table', { name: 'What its nodes said' }).waitFor();
  await page.getByRole('button', { name: 'Test the provider prom' }).click();
  await page.getByText(/Does not work: asked for vector\(1\)/).waitFor();
  await page.getByRole('button', { name: 'Test the receiver desk' }).click();
  await page.getByText(/desk took it/).waitFor();
  await page.getByText('What it can and cannot do').click();
  await page.getByText('Shifts in steps of').waitFor();
  const flag = page.getByRole('row').filter({ hasText: 'new-ranking' });
  const read = flag.getByRole('button', { name: 'Read again: new-ranking of platform' });
  await read.click();
  await flag.getByText('not readable').waitFor();
  desk.tellsFlags = true;
  await read.click();
  await page.getByText(/^Read again: new-ranking of platform is on .*40.%/).waitFor();
  await flag.getByText(/ago$/).waitFor();
  expect(await axe(page)).toEqual([]);
  expect(own(complaints)).toEqual([]);
});

test('what ended and what was done is found by its address', async () => {
  const id = await stage.release('search', '3.0.0');
  await fetch(`${stage.world.url}/v1/releases/${id}/commands/rollback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-headgate-actor': 'ann' },
    body: JSON.stringify({ reason: 'the <b>payment</b> desk rang' }),
  });
  const { page, complaints } = await stage.open('/history?service=search&outcome=rolledBack');
  const row = page.getByRole('row').filter({ hasText: 'search 3.0.0' });
  await row.getByRole('cell', { name: /^search 3\.0\.0 is rolled back .* by ann/ }).waitFor();
  expect(await axe(page)).toEqual([]);
  await page.getByRole('combobox', { name: 'Outcome' }).selectOption('promoted');
  await page.getByText('No release that ended matches.').waitFor();
  expect(new URL(page.url()).search).toBe('?service=search&outcome=promoted');
  await page.getByRole('link', { name: 'Show all' }).click();
  await row.waitFor();

  await page.getByRole('link', { name: 'Audit' }).click();
  await page.getByRole('searchbox').fill('payment');
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'the <b>payment</b> desk rang' }).waitFor();
  await expect.poll(() => page.getByRole('row').count()).toBe(2);
  await page.getByText('headgate audit verify').waitFor();
  expect(await axe(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

type Inbox = { readonly items: readonly { readonly settledAt: number | null }[] };
