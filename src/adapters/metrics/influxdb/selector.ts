/**
 * What a check may ask of InfluxDB: one field of one measurement, under conditions on tags (`requests from http where
 * service = '{{service}}'`). It is read by its grammar and written anew, so that nothing else can be in it, and a value
 * that is put into it stays a value.
 */
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import { filled, unknownPlace } from '../../outgoing/template.ts';

export type Selector = {
  /** `max(load)`: aggregates what it selects; null for the field itself. */
  readonly call: { readonly name: string; readonly argument: string | null } | null;
  /** All three as InfluxQL, names quoted; the condition with its placeholders. */
  readonly field: string;
  readonly source: string;
  readonly condition: string | null;
};

const FUNCTIONS = ['max', 'min', 'mean', 'median', 'sum', 'count', 'last', 'spread', 'stddev', 'percentile'];
const PLACES = ['service', 'canary', 'stable'];

type Token = {
  readonly kind: 'text' | 'name' | 'regex' | 'number' | 'word' | 'sign';
  readonly text: string;
  readonly at: number;
};

const TOKEN =
  /\s*(?:(?<text>'(?:[^'\\\n]|\\['\\n])*')|(?<name>"(?:[^"\\\n]|\\["\\])*")|(?<regex>\/(?:[^/\\\n]|\\.)+\/)|(?<number>-?\d+(?:\.\d+)?)|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<sign>=~|!~|!=|<>|<=|>=|[=<>(),.]))/y;

export function parseSelector(text: string): Result<Selector, string> {
  const strange = unknownPlace(text, PLACES);
  if (strange !== null) return err(strange);
  const tokens = tokensOf(text);
  if (!tokens.ok) return tokens;
  try {
    return ok(selectorOf(reader(text, tokens.value)));
  } catch (error) {
    if (error instanceof NotUnderstood) return err(error.message);
    throw error;
  }
}

function tokensOf(text: string): Result<readonly Token[], string> {
  const tokens: Token[] = [];
  for (let at = 0; text.slice(at).trim() !== '';) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(text)?.groups;
    const found = Object.entries(groups ?? {}).find((entry): entry is [Token['kind'], string] => entry[1] !== undefined);
    if (!found) {
      const rest = text.slice(at).trimStart();
      return err(
        rest.startsWith('{{')
          ? `${/^\{\{[^}]*\}\}/.exec(rest)?.[0]} stands for a text: put it between single quotes`
          : `not understood from "${rest.slice(0, 20)}" on`,
      );
    }
    tokens.push({ kind: found[0], text: found[1], at });
    at = TOKEN.lastIndex;
  }
  return ok(tokens);
}

class NotUnderstood extends Error {}

type Reader = {
  peek(): Token | undefined;
  next(): Token;
  is(word: string): boolean;
  take(word: string): void;
  fail(wanted: string): never;
};

function reader(text: string, tokens: readonly Token[]): Reader {
  let position = 0;
  const fail = (wanted: string): never => {
    const rest = text.slice(tokens[position]?.at ?? text.length).trim();
    throw new NotUnderstood(`${wanted} is missing at "${rest.slice(0, 20) || 'its end'}"`);
  };
  const is = (word: string): boolean => tokens[position]?.text.toLowerCase() === word;
  return {
    peek: () => tokens[position],
    next: () => tokens[position++] ?? fail('more'),
    is,
    take: (word) => void (is(word) ? position++ : fail(word)),
    fail,
  };
}

const RESERVED = [
  'select',
  'from',
  'where',
  'group',
  'order',
  'limit',
  'into',
  'and',
  'or',
  'time',
  'tz',
  'fill',
  'slimit',
  'offset',
];

function nameAt(read: Reader, wanted: string): string {
  const token = read.peek();
  if (token?.kind === 'name') return read.next().text;
  if (token?.kind !== 'word') return read.fail(wanted);
  if (token.text.toLowerCase() === 'time') throw new NotUnderstood('the range of time is set by Headgate: leave it out');
  if (RESERVED.includes(token.text.toLowerCase())) return read.fail(wanted);
  return `"${read.next().text}"`;
}

function selectorOf(read: Reader): Selector {
  const first = nameAt(read, 'a field');
  let call: Selector['call'] = null;
  let field = first;
  if (read.is('(')) {
    const name = first.slice(1, -1).toLowerCase();
    if (!FUNCTIONS.includes(name)) throw new NotUnderstood(`${name}() is none of ${FUNCTIONS.join(', ')}`);
    read.take('(');
    field = nameAt(read, 'a field');
    let argument: string | null = null;
    if (read.is(',')) {
      read.take(',');
      argument = read.peek()?.kind === 'number' ? read.next().text : read.fail('a number');
    }
    if ((name === 'percentile') !== (argument !== null))
      throw new NotUnderstood('percentile(field, 95) takes a number, and nothing else does');
    read.take(')');
    call = { name, argument };
  }
  read.take('from');
  const source = [nameAt(read, 'a measurement')];
  while (read.is('.')) {
    read.take('.');
    source.push(nameAt(read, 'a measurement'));
  }
  let condition: string | null = null;
  if (read.is('where')) {
    read.take('where');
    condition = conditionOf(read, 0);
  }
  if (read.peek()) read.fail('the end');
  return { call, field, source: source.join('.'), condition };
}

const DEEPEST = 20;

function conditionOf(read: Reader, depth: number): string {
  if (DEEPEST < depth) throw new NotUnderstood('a condition too deep');
  const parts = [termOf(read, depth)];
  while (read.is('and') || read.is('or')) parts.push(read.next().text.toUpperCase(), termOf(read, depth));
  return parts.join(' ');
}

function termOf(read: Reader, depth: number): string {
  if (read.is('(')) {
    read.take('(');
    const inner = conditionOf(read, depth + 1);
    read.take(')');
    return `(${inner})`;
  }
  const name = nameAt(read, 'a tag');
  const sign = read.next();
  if (sign.kind !== 'sign' || !/^(=~|!~|!=|<>|<=|>=|[=<>])$/.test(sign.text))
    throw new NotUnderstood(`${name} is compared by =, !=, =~ or !~`);
  const value = read.next();
  const isPattern = sign.text.endsWith('~');
  if (isPattern ? value.kind !== 'regex' : value.kind !== 'text' && value.kind !== 'number')
    throw new NotUnderstood(
      isPattern ? `${name} ${sign.text} takes a /pattern/` : `${name} ${sign.text} takes a 'text' or a number`,
    );
  if (isPattern && value.text.includes('{{')) throw new NotUnderstood('a value cannot be put into a pattern: compare it with =');
  return `${name} ${sign.text} ${value.text}`;
}

/** A text of InfluxQL that is this value, whatever is in it. */
export const literal = (value: string): string => `'${escaped(value)}'`;
/** A name of InfluxQL, quoted. */
export const quoted = (name: string): string => `"${name.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`;

const escaped = (value: string): string =>
  value
    .replaceAll('\\', '\\\\')
    .replaceAll("'", String.raw`\'`)
    .replaceAll('\n', String.raw`\n`);

export const conditionWith = (condition: string, values: Readonly<Record<string, string>>): string =>
  filled(condition, ({ name }) => escaped(values[name] ?? ''));
