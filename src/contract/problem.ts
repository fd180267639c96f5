/** One thing wrong in a document or a request, and where. Everything that refuses input answers with all of them at once. */
export type Problem = {
  /** JSON pointer (RFC 6901) to the value; empty for the whole document. */
  readonly path: string;
  /** What was wrong and what would be right. */
  readonly message: string;
  /** From 1, where the input was text. */
  readonly line: number | null;
  readonly column: number | null;
};

export type Path = readonly (string | number)[];

export const pointerOf = (path: Path): string =>
  path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** `plan.yaml:5:14: message`, or with the pointer where there are no lines. */
export const problemLine = (file: string, { path, message, line, column }: Problem): string =>
  line === null ? `${file}${path === '' ? '' : ` ${path}`}: ${message}` : `${file}:${line}:${column ?? 1}: ${message}`;

/** As one reads; what has no line stays where it was. */
export const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
