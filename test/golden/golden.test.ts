/** Every story in this folder is told again, and must come out word for word. `UPDATE_GOLDEN=1` writes what came out; read the difference. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { retell } from './language.ts';

const FOLDER = new URL('./', import.meta.url);
const stories = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.txt'))
  .sort();

it('finds the stories', () => {
  expect(stories.length).toBeGreaterThanOrEqual(15);
});

for (const name of stories) {
  it(`tells ${name.replace('.txt', '').replaceAll('-', ' ')} word for word`, () => {
    const file = new URL(name, FOLDER);
    const before = readFileSync(file, 'utf8');
    const after = retell(before);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, after);
    else expect(after).toBe(before);
  });
}
