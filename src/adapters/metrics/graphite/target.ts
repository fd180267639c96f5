/**
 * What a check may ask of Graphite. Counters and gauges are a path, or `seriesByTag(...)`, with `{{version}}` where the
 * version stands; a threshold is any target. Graphite's language has no way to escape: what a value may not contain is
 * replaced in a path, where nobody could have written it either, and refused between quotes.
 */
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import { filled, placesIn, unknownPlace } from '../../outgoing/template.ts';

export type Values = Readonly<Record<string, string>>;

const SERIES = ['version', 'service', 'le', 'interval'];
const ANY = ['service', 'canary', 'stable', 'version', 'interval'];

export const isTagged = (template: string): boolean => /^\s*seriesByTag\s*\(/.test(template);

/** Why it does not select the plain series of one version, or null. */
export function wrongSeries(template: string, { isHistogram }: { readonly isHistogram: boolean }): string | null {
  const strange = unknownPlace(template, SERIES);
  if (strange !== null) return strange;
  const has = (name: string): boolean => placesIn(template).some((place) => place.name === name);
  const bare = filled(template, () => 'x').trim();
  if (isTagged(template)) {
    if (!/^seriesByTag\s*\(\s*'[^'"\\]*'(\s*,\s*'[^'"\\]*')*\s*\)$/.test(bare))
      return `seriesByTag('name=...', ...) and nothing around it`;
    const pattern = placesIn(template).find(({ index }) => template.slice(0, index).endsWith('~'));
    if (pattern) return `${pattern.whole} is no pattern: compare it with =`;
  } else if (!/^[\w:@+*?[\]{},-]+(\.[\w:@+*?[\]{},-]+)*$/.test(bare))
    return 'a path such as shop.{{version}}.*.requests, without functions: Headgate takes sums and differences itself';
  if (!has('version')) return 'say with {{version}} where the version stands, so that canary and stable are told apart';
  if (isTagged(template) ? has('le') : isHistogram !== has('le'))
    return isHistogram && !isTagged(template)
      ? 'say with {{le}} where the bound of a bucket stands'
      : '{{le}} is for the path of a histogram';
  return null;
}

/** Why it is no target, or null. */
export function wrongTarget(template: string): string | null {
  const strange = unknownPlace(template, ANY);
  if (strange !== null) return strange;
  const bare = filled(template, () => 'x');
  let depth = 0;
  let quote = '';
  for (const sign of bare) {
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === '(') depth++;
    else if (sign === ')' && --depth < 0) return 'a bracket is closed that was not opened';
    else if (sign === ';') return 'a ; is only between quotes';
  }
  return quote === '' && depth === 0 ? null : 'a quote or a bracket is not closed';
}

/** The target with its values. */
export function targetWith(template: string, values: Values): Result<string, string> {
  let refused: string | null = null;
  const text = filled(template, ({ name, index }) => {
    if (name === 'le') return '*';
    const value = values[name] ?? '';
    if (!isQuoted(template, index)) return nodeOf(value);
    if (!/^[^'"\\;~`{}()\p{Cc}]*$/u.test(value))
      refused ??= `${name} is ${JSON.stringify(value)}, which cannot be said in a target`;
    return value;
  });
  return refused === null ? ok(text.trim()) : err(refused);
}

/** One node of a path that this value is written as; dots and everything else that paths are made of become `_`. */
export const nodeOf = (value: string): string => value.replaceAll(/[^A-Za-z0-9_-]/g, '_');

function isQuoted(template: string, index: number): boolean {
  let quote = '';
  for (const sign of template.slice(0, index)) {
    if (quote === '') quote = sign === '"' || sign === "'" ? sign : '';
    else if (sign === quote) quote = '';
  }
  return quote !== '';
}

export type Found = { readonly key: string; readonly le: string | undefined };

/** Which instance a found path is of: its nodes where the template has a `*`. Null when it is not of this template. */
export function foundIn(template: string, values: Values, path: string): Found | null {
  const wanted = nodesOf(template);
  const nodes = path.split('.');
  if (wanted.length !== nodes.length) return null;
  const key: string[] = [];
  let le: string | undefined;
  for (const [index, node] of wanted.entries()) {
    const found = nodes[index] ?? '';
    const [before = '', after] = node.split(/\{\{\s*le\s*\}\}/);
    if (after !== undefined) {
      const [start, end] = [before, after].map((text) => filled(text, ({ name }) => nodeOf(values[name] ?? '')));
      if (!found.startsWith(start ?? '') || !found.endsWith(end ?? '')) return null;
      le = found.slice(start?.length, found.length - (end?.length ?? 0));
    } else if (node.includes('*')) key.push(found);
  }
  return { key: key.join('.'), le };
}

/** Dots inside `{{...}}` or `{a.b,c}` part no nodes. */
const nodesOf = (template: string): readonly string[] => template.trim().match(/(?:\{\{[^{}]*\}\}|\{[^{}]*\}|[^.])+/g) ?? [];

/** `250`, `le_0_25`, `inf`: a bound as nodes can write it, or as a tag does. */
export function boundOf(text: string | undefined): number {
  if (text === undefined) return Number.NaN;
  if (/^\+?inf(inity)?$/i.test(text)) return Infinity;
  return /^\d+([._]\d+)?$/.test(text) ? Number(text.replace('_', '.')) : Number.NaN;
}
