/** Who asks has to say so: signing in with a token, what somebody sees who may only look, and signing out. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axe, openStage, tokenFor } from './stage.ts';
import type { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ dev: false });
}, 60_000);
afterAll(() => stage.close());

test('a viewer signs in, sees a release and why nothing can be done about it, and signs out', { timeout: 180_000 }, async () => {
  const id = await stage.release('shop', '1.1.0');
  const { page } = await stage.open(`/releases/${id}`);
  await page.getByRole('heading', { name: 'Sign in to Headgate' }).waitFor();
  expect(await axe(page)).toEqual([]);
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

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to Headgate' }).waitFor();
});
