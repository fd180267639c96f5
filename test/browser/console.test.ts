/** The console in a real browser: a release that runs is seen, and is rolled back by keyboard alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, axe, openStage } from './stage.ts';
import type { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

test('nobody has released anything: the page says how to', { timeout: 180_000 }, async () => {
  const { page, complaints } = await stage.open('/');
  await page.getByText('No release yet.').waitFor();
  expect(await page.locator('code').first().textContent()).toContain('headgate release start');
  expect(await axe(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('a release that runs is opened from the overview and rolled back by keyboard', { timeout: 180_000 }, async () => {
  const id = await stage.release('shop', '1.1.0');
  const { page, complaints } = await stage.open('/');
  await page.getByRole('link', { name: /shop 1\.0\.0 to 1\.1\.0/ }).press('Enter');
  await page.getByRole('heading', { level: 1 }).filter({ hasText: '1.1.0' }).waitFor();
  await page
    .getByText(/stands at step 1 of 3/)
    .first()
    .waitFor();
  await page.getByRole('article', { name: 'Check errors' }).waitFor();
  expect(await axe(page)).toEqual([]);

  // While somebody types, a letter is a letter.
  await page.getByRole('button', { name: /^Pause/ }).press('Enter');
  await page.getByRole('textbox', { name: /Reason/ }).pressSequentially('rrr');
  expect(await page.getByRole('dialog').count()).toBe(1);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await page.keyboard.press('r');
  const dialog = page.getByRole('dialog', { name: /Roll back/ });
  await dialog.getByText(/gives all traffic back to 1\.0\.0 at once/).waitFor();
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page
    .getByText(/rolled back at 5.% by anonymous/)
    .first()
    .waitFor();
  await page.locator('.badge').filter({ hasText: 'rolled back' }).waitFor();
  await page.getByText('It has ended: nothing can be done with it.').waitFor();
  const answer = await fetch(`${stage.world.url}/v1/releases/${id}`);
  expect(await answer.json()).toMatchObject({ phase: { kind: 'rolledBack' }, rollback: { cause: { kind: 'person' } } });
  expect(complaints).toEqual([]);
});

test('a service that is gone leaves a page that says since when, and one that is back is caught up with', async () => {
  await stage.release('search', '2.0.0');
  const { page } = await stage.open('/');
  await page.locator('.contact.live').waitFor();
  await page.getByRole('link', { name: /search 1\.0\.0 to 2\.0\.0/ }).waitFor();
  await stage.away(async () => {
    await page.getByText(/Stale since \d\d:\d\d:\d\d/).waitFor();
    // Nothing is counted down to that may have been changed since, while what is over goes on being longer ago.
    const card = page.locator('.run').filter({ hasText: 'search' });
    const left = card.locator('.run-next time.stopped');
    const before = await left.textContent();
    const asked = card.locator('.run-foot time');
    const ago = await asked.textContent();
    await expect.poll(() => asked.textContent()).not.toBe(ago);
    expect(await left.textContent()).toBe(before);
  });
  await stage.release('shop', '1.2.0');
  await page.getByRole('link', { name: /shop 1\.0\.0 to 1\.2\.0/ }).waitFor();
  await page.locator('.contact.live').waitFor();
  expect(await page.locator('time.stopped').count()).toBe(0);
  expect(await page.getByText(/Stale since/).count()).toBe(0);
});

test('where no events get through, the page says that it polls, and follows a release all the same', async () => {
  const { page } = await stage.open('/');
  await page.locator('.contact.live').waitFor();
  // A proxy that takes the request and passes nothing on.
  await page.route('**/v1/events*', () => undefined);
  await page.reload();
  await page.locator('.contact.polling').filter({ hasText: 'polling every few seconds' }).waitFor();
  const id = await stage.release('checkout', '3.0.0');
  await page.getByRole('link', { name: /checkout 1\.0\.0 to 3\.0\.0/ }).waitFor();
  await ask(stage.world, `/v1/releases/${id}/commands/rollback`, { body: {} });
  const ended = page.getByRole('row').filter({ hasText: 'checkout 3.0.0' });
  await ended.getByText('rolled back', { exact: true }).waitFor();
  expect(await page.locator('.contact').textContent()).toMatch(/^polling/);

  // And one that breaks it off.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.route('**/v1/events*', (route) => route.abort());
  await page.reload();
  await page.locator('.contact.polling').waitFor();
});
