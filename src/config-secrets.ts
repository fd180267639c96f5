/** References to secrets (`env:NAME`, `file:PATH`) resolved, here and nowhere else: over the API they would read any secret. */
import type { Path } from './contract/problem.ts';

/** Where secrets come from; tests hand in their own. */
export type Secrets = { env(name: string): string | undefined; file(path: string): string | undefined };

export type Resolved = {
  /** The same with every reference replaced by what it refers to; null where that is not there. */
  readonly value: unknown;
  readonly missing: readonly { readonly path: Path; readonly message: string }[];
};

export function resolved(document: unknown, secrets: Secrets): Resolved {
  const missing: Resolved['missing'][number][] = [];
  const visit = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return secretOf(value, path);
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]));
  };
  const secretOf = (value: string, path: Path): string | null => {
    const [, kind, name = ''] = /^(env|file):(.+)$/.exec(value) ?? [];
    if (kind === undefined) return value;
    const found = kind === 'env' ? secrets.env(name) : secrets.file(name);
    if (found !== undefined) return found.trim();
    missing.push({ path, message: kind === 'env' ? `the environment has no ${name}` : `the file ${name} cannot be read` });
    return null;
  };
  return { value: visit(document, []), missing };
}
