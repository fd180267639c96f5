/** A release as somebody on call meets it: started and steered on its pages, and taken back with its evidence on them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BAD } from '../../src/demo/world.ts';
import { agree, ASKED_AGAIN, axe, BETTER, openStage } from './stage.ts';
import type { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ perSecond: 80 });
});
afterAll(() => stage.close());

const checks = `checks:
  errors: { kind: ratio, minRequests: 20, hardMax: 50% }
  latency: { kind: latency, minRequests: 20, tolerance: 100% }
`;

test(
  'a release is started, walks, is paused and resumed over a reload, is sent on, and is promoted',
  { timeout: 180_000 },
  async () => {
    await stage.world.deploy('shop', '1.1.0', BETTER);
    const { page, complaints } = await stage.open('/');
    await page.getByRole('navigation').getByRole('link', { name: 'New release' }).click();
    const start = page.getByRole('button', { name: 'Start the release' });

    // A plan that is none is told of at its line, and cannot be started.
    const plan = page.getByRole('textbox', { name: /The plan/ });
    await plan.fill('service: shop\ninterval: 1s\nstep: [5%, 25%, 50%]\n');
    await page.getByRole('button', { name: 'line 3' }).waitFor();
    expect(await start.isDisabled()).toBe(true);
    // It walks by itself to the step at which somebody meets it, however slow the machine is, and stands there.
    await plan.fill(
      `service: shop\ninterval: 1s\nhold: 3s\nsteps: [5%, { weight: 25%, hold: 20m }, { weight: 50%, hold: 3s }]\n${checks}`,
    );
    await page.getByRole('textbox', { name: 'Version' }).fill('1.1.0');
    await page.getByText(/moves shop from 1\.0\.0 to 1\.1\.0 in the slot green/).waitFor();
    await start.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click();

    await page.getByRole('heading', { level: 1 }).filter({ hasText: '1.1.0' }).waitFor();
    await page.waitForURL(/\/releases\/[\w-]+$/);
    const badge = page.locator('.release-head .badge').first();
    await page.locator('.rail .current').filter({ hasText: /25.%/ }).waitFor();
    await page.keyboard.press('p');
    const dialog = page.getByRole('dialog', { name: /Pause/ });
    await dialog.getByRole('textbox', { name: /Reason/ }).fill('a look at the logs');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await badge.filter({ hasText: 'paused' }).waitFor();

    await page.reload();
    await badge.filter({ hasText: 'paused' }).waitFor();
    await page
      .getByText(/a look at the logs/)
      .first()
      .waitFor();
    // Paused is paused: it stands at its step, and the page offers the way on and the way back.
    await page.getByRole('button', { name: /^Roll back/ }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await agree(page, 'Resume');

    await badge.filter({ hasText: 'paused' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Go on', exact: true }).click();
    await agree(page, 'Go on');
    await badge.filter({ hasText: 'promoted' }).waitFor();
    await page.getByText('It has ended: nothing can be done with it.').waitFor();
    const id = page.url().split('/').at(-1);
    const answer = await fetch(`${stage.world.url}/v1/releases/${id}`);
    expect(await answer.json()).toMatchObject({ phase: { kind: 'promoted' }, createdBy: 'anonymous' });
    expect(complaints.filter((text) => !ASKED_AGAIN.test(text))).toEqual([]);
  },
);

test('a bad canary is taken back while its page is open, and the page says by what evidence', { timeout: 180_000 }, async () => {
  const id = await stage.release('checkout', '1.1.0', {
    plan: `service: checkout\ninterval: 1s\nhold: 5m\nsteps: [25%, 50%]\n${checks}`,
    behaviour: BAD,
  });
  const { page, complaints } = await stage.open(`/releases/${id}`);
  await page.locator('.release-head .badge').filter({ hasText: 'rolled back' }).waitFor();
  await page
    .locator('.lead.bad')
    .filter({ hasText: /rolled back at 25.%/ })
    .waitFor();
  // Whichever check it was, it is named in the sentence, and its tile has both versions, their samples, and what it weighs.
  const answer = await fetch(`${stage.world.url}/v1/releases/${id}`);
  const { rollback } = (await answer.json()) as { rollback: { cause: { kind: string } } };
  expect(rollback.cause.kind).toBe('check');
  await page.locator('.rail .turned').filter({ hasText: 'rolled back here' }).waitFor();
  const failing = page.locator('.tile.failing').first();
  await failing.waitFor();
  expect(await failing.locator('.badge').first().textContent()).toContain('fail');
  for (const arm of ['canary', 'stable']) {
    const row = failing.getByRole('row', { name: new RegExp(`^${arm}`) });
    expect(await row.textContent()).toMatch(/\d/);
    expect(await row.textContent()).not.toContain('none');
  }
  expect(await failing.getByRole('row', { name: /^difference/ }).textContent()).toMatch(/[+−]\d/);
  await failing.getByText('Over time, and what is asked').click();
  await failing
    .getByRole('table', { name: /The newest looks/ })
    .getByRole('row')
    .nth(1)
    .waitFor();
  await page.locator('.timeline li').filter({ hasText: 'is rolled back' }).first().waitFor();
  expect(await axe(page)).toEqual([]);
  expect(complaints).toEqual([]);
});
