/** Twenty thousand requests made of the API's own description. More of them: `npm run fuzz:api`. */
import { expect, test } from 'vitest';
import { fuzz } from './fuzz/run.ts';

test(
  'twenty thousand requests, good and bad: no mistake of ours, nothing written where it refuses, every answer as declared',
  { timeout: 240_000 },
  async () => {
    const { requests, statuses, wrong } = await fuzz({ runs: 20_000, seed: 5 });
    expect(wrong).toBeNull();
    expect(requests).toBe(20_000);
    // Some of everything: otherwise nothing was tried.
    for (const status of [200, 201, 400, 404, 409, 412, 415, 422, 428])
      expect(statuses[status] ?? 0, `${status}`).toBeGreaterThan(2);
  },
);
