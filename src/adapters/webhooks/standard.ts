/** Anybody who signs by Standard Webhooks: where in the body the flag is named is for the operator to say. */
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { Hint } from '../../ports/webhook-source.ts';
import { parsed } from '../outgoing/json.ts';
import { at, pointer } from '../outgoing/pointer.ts';
import { hint } from './common.ts';

/** JSON pointers into the body. */
export const standardPointers = {
  flag: pointer.default('/data/flag'),
  by: pointer.default('/data/by'),
  what: pointer.default('/type'),
};

export type StandardPointers = { readonly flag: string; readonly by: string; readonly what: string };

export function standardHints(body: string, { flag, by, what }: StandardPointers): Result<readonly Hint[], string> {
  const json = parsed(body);
  if (json === undefined) return err('the body is no JSON');
  const said = (pointer: string): string | null => {
    const found = at(json, pointer);
    return found.ok && typeof found.value === 'string' ? found.value : null;
  };
  const name = said(flag);
  return name === null ? err(`the body names no flag at ${flag}`) : ok([hint(name, said(what), said(by))]);
}
