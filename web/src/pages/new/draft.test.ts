/** What was typed comes back after a reload as far as it can be trusted, and the line for a terminal is safe to paste. */
import { expect, it } from 'vitest';
import { bodyOf, draftFor, draftOf, freshDraft, isUntouched, startLine } from './draft.ts';

it('takes of what was kept only what fits', () => {
  const kept = { from: 'text', text: 'service: shop', version: 7, first: true, key: 'k1', stranger: 'x' };
  const draft = draftOf(JSON.stringify(kept));
  expect(draft).toMatchObject({ from: 'text', text: 'service: shop', version: '', first: true, key: 'k1' });
  expect(draft).not.toHaveProperty('stranger');
  expect(draftOf('{"from":"elsewhere"}').from).toBe('');
  for (const rubbish of [null, '', '{', '"text"', 'null', '[]'])
    expect(draftOf(rubbish)).toEqual({ ...freshDraft(), key: expect.any(String) });
});

it('sends what was said and leaves out what was not', () => {
  const draft = { ...freshDraft(), from: 'stored' as const, stored: 'careful', version: ' 1.2.0 ' };
  expect(bodyOf(draft)).toEqual({ plan: 'careful', version: '1.2.0' });
  expect(bodyOf({ ...draft, first: true, paused: true, onBusy: 'queue', reason: ' new tax rules ' })).toEqual({
    plan: 'careful',
    version: '1.2.0',
    first: true,
    paused: true,
    onBusy: 'queue',
    reason: 'new tax rules',
  });
});

it('a plan of one line is a plan and not the name of one', () => {
  expect(bodyOf({ ...freshDraft(), from: 'text', text: '{ service: shop }' }).plan).toContain('\n');
});

it('writes the line that starts the same release', () => {
  const draft = { ...freshDraft(), from: 'stored' as const, stored: 'careful', version: '1.2.0' };
  expect(startLine(draft)).toBe('headgate release start --plan careful --version 1.2.0');
  expect(startLine({ ...draft, from: 'text', version: '', paused: true, onBusy: 'queue' })).toBe(
    'headgate release start -f plan.yaml --version VERSION --paused --on-busy queue',
  );
  expect(startLine({ ...draft, version: '1; rm -rf ~', reason: "it's $(fine)" })).toBe(
    String.raw`headgate release start --plan careful --version '1; rm -rf ~' --reason 'it'\''s $(fine)'`,
  );
});

it('has nothing wrong in it before anything was typed', () => {
  const fresh = freshDraft();
  expect(isUntouched({ ...fresh, from: 'text' })).toBe(true);
  expect(isUntouched({ ...fresh, from: 'text', text: `${fresh.text} ` })).toBe(false);
  expect(isUntouched({ ...fresh, from: 'stored', stored: 'careful' })).toBe(false);
});

it('begins with the service that somebody comes with, and loses nothing that was written', () => {
  const plans = [
    { name: 'fast', service: 'shop' },
    { name: 'careful', service: 'shop' },
  ];
  const fresh = freshDraft();
  expect(draftFor(fresh, 'shop', plans)).toEqual({ from: 'stored', stored: 'fast' });
  expect(draftFor({ ...fresh, stored: 'careful' }, 'shop', plans)).toEqual({ from: 'stored', stored: 'careful' });
  expect(draftFor(fresh, 'cart', plans).text).toMatch(/^service: cart\n/);
  expect(draftFor({ ...fresh, text: 'service: other' }, 'cart', plans)).toEqual({ from: 'text' });
});

it('names what is missing in the line for a terminal', () => {
  expect(startLine({ ...freshDraft(), from: 'stored' })).toBe('headgate release start --plan PLAN --version VERSION');
});
