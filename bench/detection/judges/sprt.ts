/**
 * Wald's sequential test with both shares known at every moment: no test that errs as seldom can be faster on average,
 * so this is how far away the rest is from what is possible.
 * Source: Wald, "Sequential Tests of Statistical Hypotheses", 1945.
 */
import type { Judge } from '../judge.ts';
import type { CountTick } from '../tick.ts';

const ALPHA = 0.01;

export const sprtOracle: Judge = {
  name: 'SPRT, both shares known',
  kinds: ['counts'],
  oracle: true,
  start: ({ scenario: { known, group } }) => {
    let evidence = 0;
    return (tick) => {
      if (tick.kind !== 'counts') return 'go on';
      const { right, wrong } = group === 'bad' ? whatIs(tick) : whatCouldBe(tick, known?.wrong);
      const { n, bad } = tick.canary;
      if (right !== wrong) evidence += bad * Math.log(wrong / right) + (n - bad) * (Math.log1p(-wrong) - Math.log1p(-right));
      return evidence >= Math.log(1 / ALPHA) ? 'rollback' : 'go on';
    };
  },
};

type Shares = { readonly right: number; readonly wrong: number };

const whatIs = ({ truth }: CountTick): Shares => ({ right: truth.stable, wrong: truth.canary });

/** On a good canary it looks for the share of the bad release whose twin it is, or for twice what is right. */
const whatCouldBe = ({ truth }: CountTick, wrong: number | undefined): Shares => ({
  right: truth.canary,
  wrong: wrong ?? Math.min(0.99, 2 * truth.canary),
});
