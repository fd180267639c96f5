/** One at a time per key, in the order of asking; different keys do not wait for each other. */
export type KeyedMutex = { run<T>(key: string, work: () => Promise<T>): Promise<T> };

export function keyedMutex(): KeyedMutex {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(key, work) {
      const before = tails.get(key) ?? Promise.resolve();
      // Whether the one before succeeded is its own caller's affair.
      const mine = before.then(work, work);
      tails.set(key, mine);
      try {
        return await mine;
      } finally {
        if (tails.get(key) === mine) tails.delete(key);
      }
    },
  };
}
