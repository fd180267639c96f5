/** A full disk, a clock that is set, and a process that is stopped, each in the middle of a real release. */
import { expect, it } from 'vitest';
import { clockSteps, faketimeLibrary, fullDisk, smallDisk, stopped } from './chaos/hardships.ts';

it('takes a release back on a full disk, and starts nothing new until there is room', async (context) => {
  const disk = smallDisk(16);
  if (!disk) return context.skip('no file system may be mounted here');
  try {
    expect(await fullDisk(disk.dir)).toEqual([]);
  } finally {
    disk.remove();
  }
});

it('goes on with what is true after it was stopped', async () => {
  expect(await stopped(8_000)).toEqual([]);
});

it('holds no step for less or more because the clock was set', { timeout: 180_000 }, async (context) => {
  const library = faketimeLibrary();
  if (library === null) return context.skip('libfaketime is not installed');
  expect(await clockSteps(library, ['+1h', '-1d', '+10y'])).toEqual([]);
});
