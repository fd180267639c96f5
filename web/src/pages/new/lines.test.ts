/** A line and a column lead to their place in the text, and never beyond it. */
import { expect, it } from 'vitest';
import { offsetOf } from './lines.ts';

const TEXT = 'service: shop\nsteps: [5%]\n';

it('finds the place of a line and a column', () => {
  expect(offsetOf(TEXT, 1, 1)).toBe(0);
  expect(TEXT.slice(offsetOf(TEXT, 2, 1))).toBe('steps: [5%]\n');
  expect(TEXT.slice(offsetOf(TEXT, 2, 8))).toBe('[5%]\n');
});

it('stays in the line, and in the text', () => {
  expect(TEXT.slice(offsetOf(TEXT, 1, 99))).toBe('\nsteps: [5%]\n');
  expect(offsetOf(TEXT, 99, 1)).toBe(TEXT.length);
  expect(offsetOf(TEXT, 1, 0)).toBe(0);
  expect(offsetOf('', 1, 5)).toBe(0);
});
