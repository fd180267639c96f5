import { expect, it } from 'vitest';
import { keyedMutex } from './keyed-mutex.ts';

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

it('runs one at a time under one key, in the order of asking', async () => {
  const mutex = keyedMutex();
  const log: string[] = [];
  const first = Promise.withResolvers<void>();
  const runs = ['a', 'b', 'c'].map((name) =>
    mutex.run('key', async () => {
      log.push(`${name} begins`);
      if (name === 'a') await first.promise;
      log.push(`${name} ends`);
      return name;
    }),
  );
  await settled();
  expect(log).toEqual(['a begins']);
  first.resolve();
  expect(await Promise.all(runs)).toEqual(['a', 'b', 'c']);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

it('does not make one key wait for another', async () => {
  const mutex = keyedMutex();
  const blocked = Promise.withResolvers<void>();
  const slow = mutex.run('slow', () => blocked.promise);
  await expect(mutex.run('other', () => Promise.resolve('done'))).resolves.toBe('done');
  blocked.resolve();
  await slow;
});

it('goes on after a failure, which only its own caller hears of', async () => {
  const mutex = keyedMutex();
  const failing = mutex.run('key', () => Promise.reject(new Error('refused')));
  const next = mutex.run('key', () => Promise.resolve('next'));
  await expect(failing).rejects.toThrow('refused');
  await expect(next).resolves.toBe('next');
});

it('lets nobody in between two that wait, even when asked as the first one ends', async () => {
  const mutex = keyedMutex();
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside++;
    most = Math.max(most, inside);
    await settled();
    inside--;
  };
  await Promise.all([mutex.run('key', work), mutex.run('key', work), settled().then(() => mutex.run('key', work))]);
  expect(most).toBe(1);
});
