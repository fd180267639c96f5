/** Five rounds of `kill -9` on the real process under real requests; a hundred are `npm run chaos:kill`. */
import { expect, test } from 'vitest';
import { killRounds } from './e2e/kill-rounds.ts';

test(
  'five kills under load lose nothing that was acknowledged, and the edge is as intended soon after each',
  { timeout: 240_000 },
  async () => {
    const report = await killRounds({ rounds: 5, seed: 7 });
    expect(report.broken).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(0);
    expect(report.requests).toBeGreaterThan(500);
  },
);
