/** Two hundred disks as a power cut may leave them, and two controls; thousands are `npm run chaos:power-cut`. */
import { beforeAll, expect, test } from 'vitest';
import { cutPower } from './power-cut/images.ts';
import { DATABASE, recordWorkload, syncsOf, walRestarts, whyNoTrace } from './power-cut/trace.ts';
import type { Operation } from './power-cut/trace.ts';

let why: string | null = null;
let full: readonly Operation[] = [];
let normal: readonly Operation[] = [];

beforeAll(async () => {
  why = await whyNoTrace();
  if (why !== null) return console.warn(`power cuts are not tested: ${why}`);
  full = await recordWorkload({ synchronous: 'FULL', seed: 1 });
  normal = await recordWorkload({ synchronous: 'NORMAL', seed: 1 });
});

test('a power cut loses nothing that was acknowledged', async ({ skip }) => {
  if (why !== null) skip(why);
  const report = await cutPower(full, { images: 200, seed: 1 });
  expect(report).toMatchObject({ details: [], lost: 0, corrupt: 0 });
  expect(report.acknowledged).toBeGreaterThan(100);
  expect(walRestarts(full), 'a checkpoint in the middle').toBeGreaterThan(0);
});

test('with synchronous=NORMAL the same cuts lose acknowledged commits, and that is seen', async ({ skip }) => {
  if (why !== null) skip(why);
  expect((await cutPower(normal, { images: 200, seed: 1 })).lost).toBeGreaterThan(0);
});

test('on a disk that ignores syncs of the database file it is found corrupt', async ({ skip }) => {
  if (why !== null) skip(why);
  const ignored = syncsOf(full, DATABASE);
  const lied = full.filter((operation) => !ignored.has(operation));
  expect((await cutPower(lied, { images: 50, seed: 1 })).corrupt).toBeGreaterThan(0);
});
