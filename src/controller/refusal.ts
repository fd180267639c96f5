/** Why a use case said no, for the ways in to translate: HTTP to a status (`http/problem.ts`), the CLI to an exit code. */
export type Refusal = {
  readonly kind: 'not_found' | 'invalid' | 'busy' | 'not_accepted' | 'precondition' | 'unavailable';
  /** What was wrong and what to do, one sentence. */
  readonly detail: string;
  readonly problems: readonly Problem[];
};

/** One thing wrong in a document or a request. `path` is a JSON pointer; line and column count from 1, where known. */
export type Problem = {
  readonly path: string;
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
};

export const refusal = (kind: Refusal['kind'], detail: string, problems: readonly Problem[] = []): Refusal => ({
  kind,
  detail,
  problems,
});
