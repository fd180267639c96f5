/** A place to die at that the sources have no more would end a campaign in its middle. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { POINTS } from './kill-points.ts';

test.each(Object.entries(POINTS))('%s: the sources have the place', (_, { file, find }) => {
  expect(readFileSync(new URL(`../..${file}`, import.meta.url), 'utf8')).toContain(find);
});
