/** A platform that can be asked what a flag is. Tried once, within the caller's signal; it never guesses what it was not told. */
import type { FlagState } from '../domain/flag.ts';
import type { Result } from '../lib/result.ts';

export type FlagError = {
  /** `unreachable`: another try may help. `refused`: the platform said no. `unreadable`: it said something else than it should. */
  readonly kind: 'unreachable' | 'refused' | 'unreadable';
  readonly detail: string;
};

export type FlagSource = {
  /** A flag that the platform does not know is a state, too: it does not exist. */
  read(flag: string, signal: AbortSignal): Promise<Result<FlagState, FlagError>>;
};
