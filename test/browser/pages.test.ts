/** Every page with something on it, light and dark, wide and on a phone: nothing that shuts anybody out, nothing cut off. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGallery } from './gallery.ts';
import type { Gallery } from './gallery.ts';
import { axe, signIn } from './stage.ts';

let gallery: Gallery;
beforeAll(async () => {
  gallery = await openGallery();
}, 180_000);
afterAll(() => gallery.close());

const SIGHTS = [
  { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
] as const;

test.each(SIGHTS)('$colorScheme, $viewport.width wide: axe finds nothing', { timeout: 240_000 }, async (options) => {
  const { page, complaints } = await gallery.stage.open('/', options);
  await page.getByRole('heading', { name: 'Sign in to Headgate' }).waitFor();
  expect(await axe(page), 'sign-in').toEqual([]);
  await signIn(page, gallery.adminToken);
  const before = complaints.length;
  for (const [name, path] of gallery.pages) {
    await page.goto(`${gallery.stage.world.url}${path}`);
    await page.locator('main h1').waitFor();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
    expect(await axe(page), name).toEqual([]);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'), name).toBeLessThanOrEqual(0);
  }
  expect(complaints.slice(before)).toEqual([]);
});
