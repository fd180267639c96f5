/** Every judge of the bench, in the order of its tables. */
import type { Judge } from '../judge.ts';
import { argoDefault, argoDocs } from './argo.ts';
import { dkwBands } from './dkw.ts';
import { flagger10, flagger5, flaggerLatency, flaggerOracle } from './flagger.ts';
import { growthbook1, growthbook10, growthbook1Strict } from './growthbook.ts';
import { headgate } from './headgate.ts';
import { kayentaGrowing, kayentaLevel, kayentaMean, kayentaOnce, kayentaP99 } from './kayenta.ts';
import { lindonMalek } from './lindon-malek.ts';
import { pipecdEither, pipecdHigh, pipecdLevel, pipecdP99 } from './pipecd.ts';
import { sprtOracle } from './sprt.ts';

export const JUDGES: readonly Judge[] = [
  ...headgate,
  flagger5,
  flagger10,
  flaggerOracle,
  argoDocs,
  argoDefault,
  kayentaOnce,
  kayentaGrowing,
  pipecdHigh,
  pipecdEither,
  growthbook10,
  growthbook1,
  growthbook1Strict,
  lindonMalek,
  sprtOracle,
  flaggerLatency,
  kayentaP99,
  kayentaMean,
  pipecdP99,
  dkwBands,
  kayentaLevel,
  pipecdLevel,
];
