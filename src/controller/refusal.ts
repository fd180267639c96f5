/** Why a use case said no, for the ways in to translate: HTTP to a status (`http/problem.ts`), the CLI to an exit code. */
import type { Problem } from '../contract/problem.ts';

export type Refusal = {
  readonly kind: 'not_found' | 'forbidden' | 'invalid' | 'busy' | 'not_accepted' | 'precondition' | 'unavailable';
  /** What was wrong and what to do, one sentence. */
  readonly detail: string;
  readonly problems: readonly Problem[];
};

export const refusal = (kind: Refusal['kind'], detail: string, problems: readonly Problem[] = []): Refusal => ({
  kind,
  detail,
  problems,
});
