/** Who asks has to say so: signing in with a token, what somebody sees who may only look, and signing out. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agree, ask, ASKED_AGAIN, axe, openStage, signIn, tokenFor } from './stage.ts';
import type { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ dev: false });
});
afterAll(() => stage.close());

test('a viewer signs in, sees a release and why nothing can be done about it, and signs out', { timeout: 180_000 }, async () => {
  const id = await stage.release('shop', '1.1.0');
  const { page, complaints } = await stage.open(`/releases/${id}`);
  await page.getByRole('heading', { name: 'Sign in to Headgate' }).waitFor();
  expect(await axe(page)).toEqual([]);
  // Who is asking is asked, and nothing else before that is known.
  expect(complaints).toEqual([expect.stringMatching(REFUSED)]);
  await page.getByLabel('Token').fill('hg_no_such');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();

  await page.getByLabel('Token').fill(await tokenFor(stage.world, 'vera', 'viewer'));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1 }).filter({ hasText: '1.1.0' }).waitFor();
  await page.locator('.who').filter({ hasText: 'vera' }).waitFor();
  await page.locator('.contact.live').waitFor();
  expect(await page.getByRole('button', { name: /^Roll back/ }).isDisabled()).toBe(true);
  await page.keyboard.press('r');
  expect(await page.getByRole('dialog').count()).toBe(0);
  // What the page holds against a script that should not be there: it has no way to the token.
  expect(await page.evaluate('document.cookie + JSON.stringify(localStorage)')).not.toContain('hg_');

  await page.getByRole('link', { name: 'New release' }).click();
  await page.getByRole('textbox', { name: /The plan/ }).fill('service: a secret');
  await expect.poll(() => page.evaluate('JSON.stringify(sessionStorage)')).toContain('a secret');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to Headgate' }).waitFor();
  // What was typed is not the next one's to read.
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
  // The browser itself tells of answers that refuse; nothing else may be said.
  expect(complaints.filter((text) => !REFUSED.test(text))).toEqual([]);
});

test(
  'a page whose token is revoked says so and believes nothing any longer; signing in brings it back',
  { timeout: 180_000 },
  async () => {
    const { page } = await stage.open('/new');
    await signIn(page, await tokenFor(stage.world, 'rita', 'operator'));
    await page.getByRole('textbox', { name: /The plan/ }).fill('service: half written');
    await expect.poll(() => page.evaluate('JSON.stringify(sessionStorage)')).toContain('half written');
    await page.goto(`${stage.world.url}/history?q=rita`);
    await page.locator('.contact.live').waitFor();
    // This page asks nothing by itself: that its stream was ended has to be enough.
    await revoke(stage.world, 'rita');
    await page.getByText('Signed out: the session was revoked').waitFor();
    expect(await page.locator('.who, .contact').count()).toBe(0);
    expect(await axe(page)).toEqual([]);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));

    await page.getByLabel('Token').fill(await tokenFor(stage.world, 'rita', 'operator'));
    expect(asked).toEqual([]);
    await page.keyboard.press('Enter');
    await page.locator('.who').filter({ hasText: 'rita' }).waitFor();
    expect(new URL(page.url()).search).toBe('?q=rita');
    await page.goto(`${stage.world.url}/new`);
    expect(await page.getByRole('textbox', { name: /The plan/ }).inputValue()).toContain('half written');
  },
);

test(
  'who asked for a release cannot approve it; a second person can, and the first one sees it go on',
  { timeout: 180_000 },
  async () => {
    const requester = await stage.open('/');
    await signIn(requester.page, await tokenFor(stage.world, 'olga', 'admin'));
    const approver = await stage.open('/');
    await signIn(approver.page, await tokenFor(stage.world, 'anna', 'approver'));

    await stage.world.deploy('search', '1.1.0');
    await requester.page.goto(`${stage.world.url}/new`);
    await requester.page.getByRole('textbox', { name: /The plan/ }).fill(APPROVED);
    await requester.page.getByRole('textbox', { name: 'Version' }).fill('1.1.0');
    await requester.page.getByRole('button', { name: 'Start the release' }).click();
    await requester.page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click();
    await requester.page.locator('.release-head .badge').filter({ hasText: 'approval' }).waitFor();
    const own = requester.page.getByRole('button', { name: 'Approve' });
    expect(await own.isDisabled()).toBe(true);
    await requester.page
      .getByText(/somebody else/)
      .first()
      .waitFor();

    await approver.page.getByRole('link', { name: /search 1\.0\.0 to 1\.1\.0/ }).click();
    await approver.page.getByRole('button', { name: 'Approve' }).click();
    const dialog = approver.page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: /Reason/ }).fill('looked at it');
    await agree(approver.page, 'Approve');
    await dialog.waitFor({ state: 'detached' });

    const onward = requester.page.locator('.timeline li').filter({ hasText: 'anna' }).first();
    await onward.waitFor();
    await requester.page.locator('.rail .current').filter({ hasText: /50.%/ }).waitFor();
    expect(
      [...requester.complaints, ...approver.complaints].filter((text) => !REFUSED.test(text) && !ASKED_AGAIN.test(text)),
    ).toEqual([]);
  },
);

async function revoke(world: Stage['world'], name: string): Promise<void> {
  const answer = await fetch(`${world.url}/v1/tokens?limit=200`, { headers: { authorization: `Bearer ${world.adminToken}` } });
  const { items } = (await answer.json()) as { readonly items: readonly { readonly id: string; readonly name: string }[] };
  const id = items.find((token) => token.name === name)?.id ?? '';
  await ask(world, `/v1/tokens/${id}`, { body: {}, method: 'DELETE' });
}

const REFUSED = /^Failed to load resource: the server responded with a status of 401/;
// The approval comes first: it waits for nobody's traffic.
const APPROVED = `service: search
interval: 1s
steps: [{ approve: { within: 10m } }, { weight: 50%, hold: 10m }]
checks: [errors]
`;
