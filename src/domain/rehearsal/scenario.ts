/**
 * What becomes of the traffic while a release is rehearsed: which version is how bad, from which weight or time on, and
 * what else happens. A world without any of it is a good release on a calm day.
 */
import type { Weight } from '../ids.ts';
import type { Traffic } from './figures.ts';

/** From the start of the release. */
export type Window = { readonly fromMs: number; readonly toMs: number };

export type Scenario = {
  readonly traffic: Traffic;
  /** Share of bad requests of a canary that is bad; null: as good as stable. */
  readonly bad: number | null;
  /** How many times as long its requests take, and how many times as high its levels are: 1 for the same. */
  readonly slower: number;
  /** It is bad from this weight on, and not before this time; then by and by over so long. */
  readonly fromWeight: Weight;
  readonly afterMs: number;
  readonly growsMs: number;
  /** What both versions share: so many times the bad requests, reached by and by over so long; null: nothing. */
  readonly drift: { readonly factor: number; readonly overMs: number } | null;
  /** The canary gets no request. */
  readonly silent: Window | null;
  /** The provider does not answer. */
  readonly away: Window | null;
};

export const isIn = (window: Window | null, ms: number): boolean => window !== null && window.fromMs <= ms && ms < window.toMs;

/** How bad a bad canary is by now, from 0 to 1. */
export function severity({ fromWeight, afterMs, growsMs }: Scenario, weight: Weight, ms: number): number {
  if (weight < fromWeight || ms < afterMs) return 0;
  return growsMs > 0 ? Math.min(1, (ms - afterMs) / growsMs) : 1;
}

/** What both versions have more of by now. */
export const shared = ({ drift }: Scenario, ms: number): number =>
  drift === null ? 1 : 1 + (drift.factor - 1) * Math.min(1, ms / Math.max(1, drift.overMs));
