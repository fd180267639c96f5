/** Rights in a real browser: an administrator makes and revokes a token; whoever may only look is told why that is all. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axe, openStage, tokenFor } from './stage.ts';
import type { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ dev: false });
});
afterAll(() => stage.close());

async function signedIn(path: string, token: string): Promise<Page> {
  const { page } = await stage.open(path);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.locator('.who').waitFor();
  return page;
}

const asks = async (secret: string): Promise<number> =>
  (await fetch(`${stage.world.url}/v1/releases`, { headers: { authorization: `Bearer ${secret}` } })).status;

test('a token is made, shown once, works, and is revoked', async () => {
  const page = await signedIn('/tokens', stage.world.adminToken ?? '');
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog', { name: 'New token' });
  await dialog.getByLabel('Whose it is').fill('<img>');
  await dialog.getByLabel('Expires after').fill('soon');
  await dialog.getByRole('button', { name: 'Make the token' }).click();
  await dialog.getByText(/a name of letters/).waitFor();
  await dialog.getByText(/a duration such as/).waitFor();
  expect(await axe(page)).toEqual([]);

  await dialog.getByLabel('Whose it is').fill('carla');
  await dialog.getByLabel('Expires after').fill('12h');
  await dialog.getByLabel('Role').selectOption('responder');
  await dialog.getByLabel('shop').check();
  await page.keyboard.press('Enter');
  const made = page.getByRole('dialog', { name: 'The token of carla' });
  const secret = (await made.locator('code').textContent()) ?? '';
  expect(secret).toMatch(/^hg_/);
  expect(await axe(page)).toEqual([]);
  await made.getByRole('button', { name: 'I have it' }).click();
  await page.getByText('The token of carla is made.').waitFor();
  expect(await page.content()).not.toContain(secret);
  expect(await asks(secret)).toBe(200);

  const row = page.getByRole('row').filter({ hasText: 'carla' });
  await row.getByText('shop').waitFor();
  await row.getByRole('button', { name: 'Revoke the token of carla' }).click();
  await page.getByRole('dialog', { name: 'Revoke the token of carla?' }).getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('The token of carla is revoked.').waitFor();
  await row.getByText('revoked').waitFor();
  expect(await asks(secret)).toBe(401);

  await page.getByRole('link', { name: 'Audit' }).click();
  for (const act of ['token.create', 'token.revoke'])
    await page
      .getByRole('row')
      .filter({ hasText: act })
      .filter({ hasText: /carla \(\w+\)/ })
      .waitFor();
});

test('whoever may only look sees what cannot be done, and why', async () => {
  const page = await signedIn('/tokens', await tokenFor(stage.world, 'vera', 'viewer'));
  await page.getByRole('alert').filter({ hasText: 'vera has no right to admin' }).waitFor();
  expect(await page.getByRole('button', { name: 'New token' }).isDisabled()).toBe(true);
  await page.getByText('vera is signed in without the right to admin.').waitFor();
  expect(await axe(page)).toEqual([]);
  await page.getByRole('link', { name: 'Audit' }).click();
  await page.getByRole('alert').filter({ hasText: 'vera has no right to audit' }).waitFor();
  await page.getByRole('link', { name: 'New release' }).click();
  await page.getByText('vera is signed in without the right to raise.').waitFor();
  expect(await page.getByRole('button', { name: 'Start the release' }).isDisabled()).toBe(true);
  await page.getByRole('link', { name: 'Connections' }).click();
  // To look is all that a test does.
  await page.getByRole('button', { name: 'Test the router front' }).click();
  await page.getByText(/nodes answer/).waitFor();
  expect(await axe(page)).toEqual([]);
});
