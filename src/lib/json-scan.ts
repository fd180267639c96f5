/**
 * What is wrong with the shape of a JSON text before anybody makes values of it: nested too deep, too many values, a key
 * twice in one object (of which a parser keeps either), or a key that reaches into every object. One pass, no recursion.
 */
export type ScanLimits = { readonly depth: number; readonly values: number };

const STRING = /"(?:[^"\\]|\\.)*"/y;
const ANY = /[[\]{},:"]/g;

/** One sentence, or null. Text that is no JSON at all is left to the parser. */
export function misshapen(text: string, { depth, values }: ScanLimits): string | null {
  /** Keys of the objects around; null for an array. */
  const around: (Set<string> | null)[] = [];
  let count = 0;
  ANY.lastIndex = 0;
  for (let found = ANY.exec(text); found !== null; found = ANY.exec(text)) {
    const sign = found[0];
    if (sign === '"') {
      STRING.lastIndex = found.index;
      const string = STRING.exec(text)?.[0];
      if (string === undefined) return null;
      ANY.lastIndex = STRING.lastIndex;
      const keys = around.at(-1);
      if (keys && isKey(text, STRING.lastIndex)) {
        const key = unquoted(string);
        if (key === '__proto__') return '__proto__ is no key of any document';
        if (keys.has(key)) return `the key "${key.slice(0, 100)}" is there twice in one object`;
        keys.add(key);
      }
      continue;
    }
    if (sign === '{' || sign === '[') {
      around.push(sign === '{' ? new Set() : null);
      if (depth < around.length) return `values are nested ${depth} deep at most`;
    }
    if (sign === '}' || sign === ']') around.pop();
    else if (sign !== ':') count += 1;
    if (values < count) return `a body has ${values} values at most`;
  }
  return null;
}

function isKey(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && /\s/.test(text.charAt(at))) at += 1;
  return text.charAt(at) === ':';
}

function unquoted(string: string): string {
  if (!string.includes('\\')) return string.slice(1, -1);
  try {
    return String(JSON.parse(string));
  } catch {
    return string; // no JSON: the parser says so
  }
}
