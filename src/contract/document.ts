/** YAML or JSON text to a value whose every part knows its line, and zod's issues to sentences that say what would be right. */
import { isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { pointerOf } from './problem.ts';
import type { Path, Problem } from './problem.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';

export type ParsedDocument = { readonly value: unknown; problem(path: Path, message: string): Problem };

export const MAX_DOCUMENT_BYTES = 256 * 1024;
/** Nobody reads more of them at once, and finding the place of each takes time. */
export const MAX_PROBLEMS = 50;

/** Text as it was written, or a value that came as JSON and has no lines. */
export function readDocument(input: unknown): Result<ParsedDocument, readonly Problem[]> {
  const forbidden = `${PROTO} is no key of any document`;
  if (typeof input !== 'string') {
    if (hasProto(input)) return err([{ path: '', message: forbidden, line: null, column: null }]);
    return ok({
      value: input,
      problem: (path, message) => ({ path: pointerOf(path), message, line: null, column: null }),
    });
  }
  const whole = (message: string): Problem => ({ path: '', message, line: 1, column: 1 });
  if (MAX_DOCUMENT_BYTES < Buffer.byteLength(input))
    return err([whole(`the document is larger than ${MAX_DOCUMENT_BYTES / 1024} kB`)]);
  const lines = new LineCounter();
  // The parser's own search for a key that is there twice takes quadratic time.
  const document = parseDocument(input, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  const at = (offset: number | undefined) => {
    const found = lines.linePos(offset ?? 0);
    return { line: Math.max(1, found.line), column: Math.max(1, found.col) };
  };
  if (document.errors.length > 0)
    return err(
      document.errors.slice(0, MAX_PROBLEMS).map(({ message, pos }) => ({
        path: '',
        message: message.split('\n')[0] ?? message,
        ...at(pos[0]),
      })),
    );
  const twice = keyTwice(document);
  if (twice !== null) return err([{ path: '', message: 'Map keys must be unique', ...at(twice) }]);
  const problem = (path: Path, message: string): Problem => ({
    path: pointerOf(path),
    message,
    ...at(offsetOf(document, path)),
  });
  try {
    // Aliases could make a small text enormous; no document here needs one.
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return hasProto(value) ? err([whole(forbidden)]) : ok({ value, problem });
  } catch {
    return err([whole('anchors and aliases are not supported: write the values out')]);
  }
}

export const PROTO = '__proto__';

/** Zod leaves this key out of maps without a word: a check of that name would be gone, and nothing would be judged by it. */
export function hasProto(value: unknown): boolean {
  const waiting = [value];
  for (let at = waiting.pop(); at !== undefined || waiting.length > 0; at = waiting.pop()) {
    if (typeof at !== 'object' || at === null) continue;
    if (Object.hasOwn(at, PROTO)) return true;
    for (const inner of Object.values(at)) waiting.push(inner);
  }
  return false;
}

/** Where the first key begins that its map has already, or null. */
function keyTwice(document: ReturnType<typeof parseDocument>): number | null {
  let found: number | null = null;
  visit(document, {
    Map(_, { items }) {
      const names = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (names.has(key.value)) {
          found = key.range?.[0] ?? 0;
          return visit.BREAK;
        }
        names.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}

/** Where the value of a path begins; for a key that is missing, the nearest place above it. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** Checks a value; every issue becomes one problem. */
export function checkShape<T>(schema: z.ZodType<T>, document: ParsedDocument): Result<T, readonly Problem[]> {
  const read = readShape(schema, document.value);
  return read.ok ? read : err(read.error.map(({ path, message }) => document.problem(path, message)));
}

/** What is wrong with one part. */
export type Flaw = {
  readonly path: Path;
  readonly message: string;
  /** The part that was probably meant by a key that is not known. */
  readonly meant?: Path;
  /** Where a value says which form its neighbours have: the forms that there are, and what was said. */
  readonly forms?: { readonly known: readonly string[]; readonly said: unknown };
};

export function readShape<T>(schema: z.ZodType<T>, value: unknown): Result<T, readonly Flaw[]> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return ok(parsed.data);
  const flaws = parsed.error.issues.slice(0, MAX_PROBLEMS).flatMap((issue) => flawsOf(issue, []));
  return err(flaws.slice(0, MAX_PROBLEMS));
}

type Issue = z.core.$ZodIssue;

function flawsOf(issue: Issue, above: Path): readonly Flaw[] {
  const path = [...above, ...issue.path.filter((key) => typeof key !== 'symbol')];
  if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, MAX_PROBLEMS).map((key) => unknownKey(key, path, issue));
  if (issue.code === 'invalid_key')
    return [{ path, message: `the name "${String(path.at(-1))}": ${decapitalised(issue.issues[0]?.message ?? issue.message)}` }];
  if (issue.code === 'invalid_union') return bestBranch(issue, path);
  if (path.length === 0 && issue.input === null) return [{ path, message: 'the document is empty' }];
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    const last = path.at(-1);
    return [{ path, message: last === undefined ? 'the document is empty' : `${String(last)} is missing` }];
  }
  return [{ path, message: decapitalised(issue.message) }];
}

/** Of several allowed forms the one that was meant: whose own type fits, with the fewest things wrong. */
function bestBranch(issue: Extract<Issue, { code: 'invalid_union' }>, path: Path): readonly Flaw[] {
  const fitting = issue.errors.filter(
    (branch) =>
      !branch.some((inner) => inner.path.length === 0 && (inner.code === 'invalid_type' || inner.code === 'invalid_value')),
  );
  const best = fitting.toSorted((a, b) => weight(a) - weight(b))[0];
  if (best && best.length > 0) return best.flatMap((inner) => flawsOf(inner, path));
  return [{ path, message: decapitalised(issue.message), ...formsOf(issue) }];
}

function formsOf(issue: Extract<Issue, { code: 'invalid_union' }>): Pick<Flaw, 'forms'> {
  if (!('options' in issue) || !issue.discriminator) return {};
  const said = typeof issue.input === 'object' && issue.input !== null ? fieldOf(issue.input, issue.discriminator) : undefined;
  return { forms: { known: (issue.options ?? []).map(String), said } };
}

const fieldOf = (value: object, key: string): unknown => Object.entries(value).find(([name]) => name === key)?.[1];

/** An unknown key speaks against a form more than a wrong value does. */
const weight = (branch: readonly Issue[]): number =>
  branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1), 0);

function unknownKey(key: string, above: Path, issue: Issue): Flaw {
  const path = [...above, key];
  const near = nearest(key, knownKeys(issue));
  if (near === null) return { path, message: `unknown key "${key}"` };
  return { path, message: `unknown key "${key}", did you mean "${near}"?`, meant: [...above, near] };
}

/** Schemas put the keys that they know into the message of their unrecognized-key error (`strict`). */
const knownKeys = ({ message }: Issue): readonly string[] => /known: (.*)$/.exec(message)?.[1]?.split(', ') ?? [];

const decapitalised = (text: string): string => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);
