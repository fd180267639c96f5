import { expect, it } from 'vitest';
import { closestShare, logRates, logShares } from './likelihood.ts';
import type { Arm } from './likelihood.ts';
import { advance, begin, grid, worth } from './process.ts';
import { shareAlternatives } from './alternatives.ts';

const TICKS = [
  [120, 1080, 0, 1],
  [118, 1090, 1, 1],
  [121, 1075, 2, 0],
  [119, 1083, 1, 2],
  [240, 960, 3, 1],
  [0, 1200, 0, 2],
  [238, 955, 2, 1],
  [602, 598, 6, 1],
] as const;
it('golden', () => {
  const g = grid(1.15, 64, 24);
  for (const [name, factor, floor, every, restarts, cap, phi, form] of [
    ['G1', 1, 0, 1, 0, Infinity, 1, logShares],
    ['G3', 1, 0, 3, 2, Math.log(100) / 2, 1, logShares],
    ['G4', 1, 0, 1, 0, Infinity, 2, logShares],
    ['A1', 1.1, 1e-4, 1, 0, Infinity, 1, logShares],
    ['A2', 1.1, 1e-4, 3, 2, Math.log(100) / 2, 1, logShares],
    ['G5', 1, 0, 1, 0, Infinity, 1, logRates],
  ] as const) {
    const schedule = { every, restarts, cap };
    let p = begin(g, schedule);
    let stable: Arm = { n: 50, bad: 0.5 };
    const out = [];
    for (const [nc, nb, xc, xb] of TICKS) {
      const canary = { n: nc, bad: xc };
      const st = { n: nb, bad: xb };
      const alt = shareAlternatives(stable.bad / stable.n, { factor, floor });
      p = advance(p, g, schedule, (r) => {
        const a = alt(r);
        return nc === 0 || a === null ? 0 : form(canary, st, a, { factor, floor }) / phi;
      });
      stable = { n: stable.n + nb, bad: stable.bad + xb };
      out.push(worth(p, g).toFixed(6));
    }
    console.log(name, out.join(' '));
  }
  console.log(
    closestShare(120, 1080, { canary: 0.05, stable: 0.01 }, { factor: 1.25, floor: 0 }),
    closestShare(120, 1080, { canary: 0.05, stable: 0.01 }, { factor: 1.1, floor: 1e-4 }),
  );
});
