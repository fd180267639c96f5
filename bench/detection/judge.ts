/**
 * What every judge in the bench is: something that is started for a release, sees each interval once, and says what
 * should become of the canary. It sees what its original would see, at the pace at which its original would look.
 */
import type { Scenario } from './scenarios.ts';
import type { Kind, Tick } from './tick.ts';

/** `hold`: no more traffic for now. `promote`: it has seen enough. */
export type Decision = 'go on' | 'hold' | 'promote' | 'rollback';

export type Trial = (tick: Tick) => Decision;

export type Setting = {
  readonly scenario: Pick<Scenario, 'group' | 'kind' | 'known' | 'minutes'>;
  /** The hour of stable alone before the release, for judges that learn from it. */
  readonly history: () => readonly Tick[];
};

export type Judge = {
  readonly name: string;
  readonly kinds: readonly Kind[];
  /** Null where this judge cannot be set up for the scenario. */
  readonly start: (setting: Setting) => Trial | null;
  /** Knows what nobody knows outside a bench, and is left out of comparisons. */
  readonly oracle?: true;
  /** Promises to let a tolerated difference pass, and is held to it. */
  readonly tolerates?: true;
};

/** Looks at every `minutes`-th closed minute only. */
export function everyMinutes(minutes: number, atS: number): boolean {
  return atS % (minutes * 60) === 0;
}

export const shareOf = ({ n, bad }: { readonly n: number; readonly bad: number }): number => (n === 0 ? NaN : bad / n);
