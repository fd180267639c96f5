/** YAML or JSON text to a value whose every part knows its line. */
import { isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { pointerOf } from './problem.ts';
import type { Path, Problem } from './problem.ts';
import { MAX_PROBLEMS } from './shape.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';

export type ParsedDocument = {
  readonly value: unknown;
  /** Told at the value of the path, or at its key where that is what is wrong. */
  problem(path: Path, message: string, place?: 'key'): Problem;
};

export const MAX_DOCUMENT_BYTES = 256 * 1024;

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
  const twice = keysTwice(document);
  if (twice.length > 0)
    return err(twice.map(({ key, offset }) => ({ path: '', message: `the key "${key}" is there already`, ...at(offset) })));
  const problem: ParsedDocument['problem'] = (path, message, place) => ({
    path: pointerOf(path),
    message,
    ...at((place === 'key' ? keyOffset(document, path) : undefined) ?? offsetOf(document, path)),
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

/** Every key that its map has already, and where it begins. */
function keysTwice(document: ReturnType<typeof parseDocument>): readonly { readonly key: string; readonly offset: number }[] {
  const found: { key: string; offset: number }[] = [];
  visit(document, {
    Map(_, { items }) {
      const names = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (names.has(key.value)) found.push({ key: String(key.value), offset: key.range?.[0] ?? 0 });
        names.add(key.value);
      }
      return found.length < MAX_PROBLEMS ? undefined : visit.BREAK;
    },
  });
  return found.slice(0, MAX_PROBLEMS);
}

/** Where the key itself begins. */
function keyOffset(document: ReturnType<typeof parseDocument>, path: Path): number | undefined {
  const map = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const own = isMap(map) ? map.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1))) : undefined;
  return isScalar(own?.key) ? own.key.range?.[0] : undefined;
}

/** Where the value of a path begins; for a key that is missing, the nearest place above it. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
