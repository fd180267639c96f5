/** `npm run pictures`: every page of the console with something on it, in both themes and on a phone, into `docs/images/`. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openGallery } from '../test/browser/gallery.ts';
import { shoot, signIn } from '../test/browser/stage.ts';

/** Those that the documentation shows. A folder as an argument: all of them, into that. */
const KEPT = [
  ...['overview', 'release', 'new', 'connections', 'deliveries', 'incoming'].map((name) => `${name}-light`),
  ...['rolled-back', 'history', 'audit', 'tokens', 'sign-in'].map((name) => `${name}-dark`),
  ...['overview-phone', 'release-phone', 'rolled-back-phone-dark'],
];
const wanted = (name: string): boolean => process.argv[2] !== undefined || KEPT.includes(name);

const folder = process.argv[2] ?? join(import.meta.dirname, '../docs/images');
const SIZES = [
  ['light', { colorScheme: 'light', viewport: { width: 1280, height: 800 } }],
  ['dark', { colorScheme: 'dark', viewport: { width: 1280, height: 800 } }],
  ['phone', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
  ['phone-dark', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }],
] as const;

mkdirSync(folder, { recursive: true });
const gallery = await openGallery();
for (const [theme, options] of SIZES) {
  const { page } = await gallery.stage.open('/', options);
  await page.getByLabel('Token').waitFor();
  if (wanted(`sign-in-${theme}`)) await shoot(page, join(folder, `console-sign-in-${theme}.webp`));
  await signIn(page, gallery.adminToken);
  for (const [name, path] of gallery.pages) {
    if (!wanted(`${name}-${theme}`)) continue;
    await page.goto(`${gallery.stage.world.url}${path}`);
    await page.locator('.contact.live').waitFor();
    await page.locator('main h1').waitFor();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
    if (name === 'new') {
      await page.getByRole('combobox', { name: 'Plan' }).selectOption('checkout');
      await page.getByText('The plan checkout is valid.').waitFor();
    }
    await shoot(page, join(folder, `console-${name}-${theme}.webp`));
  }
}
await gallery.close();
