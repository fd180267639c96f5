/** What has to be known of a query's text: whether it is one, which series it selects, and where a value may be put into it. */
import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';

/** Values that a query may ask for, by name. */
export type Values = { readonly service: string; readonly canary: string; readonly stable: string; readonly interval: string };

const PLACEHOLDER = /\{\{\s*([A-Za-z]+)\s*\}\}/g;
const NAMES: readonly (keyof Values)[] = ['service', 'canary', 'stable', 'interval'];
const isName = (name: string): name is keyof Values => NAMES.some((known) => known === name);

/** Why it is no query, or null. Placeholders count as what will stand there. */
export function syntaxError(template: string): string | null {
  for (const [whole, name = ''] of template.matchAll(PLACEHOLDER))
    if (!isName(name)) return `${whole} is none of ${NAMES.map((known) => `{{${known}}}`).join(', ')}`;
  const text = stand(template);
  let at: number | null = null;
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) at ??= node.from;
    },
  });
  if (at !== null) return `not understood from "${text.slice(at, at + 20) || 'its end'}" on`;
  const loose = [...template.matchAll(PLACEHOLDER)].find(
    ({ 1: name, index }) => name !== 'interval' && literalAt(text, index) === null,
  );
  return loose ? `${loose[0]} stands for a label's value: put it between quotes` : null;
}

/** The query with its values, each escaped for the place where it stands. */
export function filled(template: string, values: Values): Result<string, string> {
  const wrong = syntaxError(template);
  if (wrong !== null) return err(wrong);
  const text = stand(template);
  return ok(
    template.replaceAll(PLACEHOLDER, (_, name: string, index: number) => {
      if (!isName(name)) return '';
      const value = values[name];
      if (name === 'interval') return value;
      const literal = literalAt(text, index);
      const inRegex = literal !== null && /[=!]~$/.test(text.slice(0, literal.from).trimEnd());
      return escaped(inRegex ? value.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`) : value);
    }),
  );
}

const escaped = (value: string): string =>
  value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll("'", String.raw`\'`)
    .replaceAll('\n', String.raw`\n`);

/** The same length, and what the grammar wants there: a duration, or letters. */
const stand = (template: string): string =>
  template.replaceAll(PLACEHOLDER, (whole, name: string) =>
    name === 'interval' ? `${'1'.repeat(whole.length - 1)}s` : 'x'.repeat(whole.length),
  );

function literalAt(text: string, index: number): SyntaxNode | null {
  const node = parser.parse(text).resolveInner(index, 1);
  return node.name === 'StringLiteral' && !text.startsWith('`', node.from) ? node : null;
}

/** One plain selector, with no function around it. */
export function isSelector(query: string): boolean {
  const only = parser.parse(stand(query)).topNode.firstChild;
  return only?.name === 'VectorSelector' && only.nextSibling === null;
}

/** Every selector whose newest sample is about now: those with an offset or a fixed time are about another day on purpose. */
export function selectorsIn(query: string): readonly string[] {
  const found: string[] = [];
  parser.parse(query).iterate({
    enter(node) {
      if (node.name === 'OffsetExpr' || node.name === 'StepInvariantExpr') return false;
      if (node.name === 'VectorSelector') found.push(query.slice(node.from, node.to));
      return undefined;
    },
  });
  return [...new Set(found)];
}

/** `name{...}` to `name_bucket{...}`. */
export const bucketsOf = (selector: string): string => {
  const name = /^\s*[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(selector)?.[0] ?? '';
  return name.endsWith('_bucket') ? selector : `${name}_bucket${selector.slice(name.length)}`;
};

/** Several answers in one: each part carries its name in a label, so that the union keeps them apart. */
export const together = (parts: Readonly<Record<string, string>>): string =>
  Object.entries(parts)
    .map(([part, query]) => `label_replace(${query}, "${PART}", "${part}", "", "")`)
    .join(' or ');

export const PART = 'headgate_part';

export const isLabel = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);

/** Whether an aggregation around the whole query takes this label away. */
export function losesLabel(query: string, label: string): boolean {
  const text = stand(query);
  let node: SyntaxNode | null = parser.parse(text).topNode.firstChild;
  while (node?.name === 'ParenExpr') node = node.firstChild;
  if (node?.name !== 'AggregateExpr') return false;
  const operator = node.getChild('AggregateOp');
  const modifier = node.getChild('AggregateModifier');
  if (operator && /^(topk|bottomk|limitk)$/i.test(text.slice(operator.from, operator.to))) return false;
  if (!modifier) return true;
  const words = text.slice(modifier.from, modifier.to).match(/\w+/g) ?? [];
  const isNamed = words.slice(1).includes(label);
  return words[0]?.toLowerCase() === 'without' ? isNamed : !isNamed;
}
