/** JSON Schema as the API's description uses it: what fits one, and what is wrong with what does not. */
import fc from 'fast-check';

export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
};

export type Schemas = Readonly<Record<string, Schema>>;

const named = (schema: Schema, all: Schemas): Schema => {
  if (schema.$ref === undefined) return schema;
  const found = all[schema.$ref.split('/').at(-1) ?? ''];
  if (!found) throw new Error(`no schema ${schema.$ref}`);
  return found;
};

/** Where the value does not fit, the first place; null when it does. */
export function misfit(value: unknown, given: Schema, all: Schemas, at = ''): string | null {
  const schema = named(given, all);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches && !branches.some((branch) => misfit(value, branch, all, at) === null)) return `${at}: none of the branches`;
  for (const part of schema.allOf ?? []) {
    const wrong = misfit(value, part, all, at);
    if (wrong !== null) return wrong;
  }
  if (schema.const !== undefined && schema.const !== value) return `${at}: is not ${String(schema.const)}`;
  if (schema.enum && !schema.enum.includes(value)) return `${at}: ${JSON.stringify(value)} is none of ${schema.enum.join()}`;
  const types = schema.type === undefined ? null : [schema.type].flat();
  if (types && !types.some((type) => isOf(value, type)))
    return `${at}: ${JSON.stringify(value)?.slice(0, 60)} is no ${types.join()}`;
  if (Array.isArray(value)) return misfitItem(value, schema, all, at);
  if (typeof value === 'object' && value !== null) return misfitKey(value as Record<string, unknown>, schema, all, at); // no array, not null
  return typeof value === 'number' && (value < (schema.minimum ?? -Infinity) || (schema.maximum ?? Infinity) < value)
    ? `${at}: ${value} is out of its range`
    : null;
}

function misfitItem(value: readonly unknown[], { items, prefixItems = [] }: Schema, all: Schemas, at: string): string | null {
  for (const [index, item] of value.entries()) {
    const schema = prefixItems[index] ?? (items === false ? undefined : items);
    const wrong = schema ? misfit(item, schema, all, `${at}/${index}`) : null;
    if (wrong !== null) return wrong;
  }
  return null;
}

function misfitKey(value: Record<string, unknown>, schema: Schema, all: Schemas, at: string): string | null {
  const { properties = {}, required = [], additionalProperties } = schema;
  const missing = required.find((key) => !(key in value));
  if (missing !== undefined) return `${at}: ${missing} is missing`;
  for (const [key, inner] of Object.entries(value)) {
    const known = properties[key];
    if (!known && additionalProperties === false) return `${at}: ${key} is not declared`;
    const of = known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    const wrong = of ? misfit(inner, of, all, `${at}/${key}`) : null;
    if (wrong !== null) return wrong;
  }
  return null;
}

function isOf(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

/** Strings that are somewhere the right ones, and some that are nowhere. */
const WORDS = [
  ...['1', '2', '1.0.0', '5%', '0.5%', '50%', '100%', '30s', '5m', '1h', 'errors', 'latency', 'one', 'two', 'kept'],
  ...['watching', 'terminal', 'step:1', 'reject', 'queue', 'supersede', '2026-11-20T09:00:00Z', '', ' ', '0', '-1', '1e9'],
  ...['__proto__', 'constructor', '../../etc/passwd', "' or 1=1 --", '\u0000', '\u202e', '💥', '%', 'null', 'true'],
];

export const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
);

/** What fits the schema, mostly: patterns are left to luck and to the words above. */
export function fitting(given: Schema, all: Schemas, depth = 0): fc.Arbitrary<unknown> {
  const schema = named(given, all);
  const branches = schema.anyOf ?? schema.oneOf ?? (schema.allOf ? schema.allOf.slice(-1) : undefined);
  if (branches && branches.length > 0) return fc.oneof(...branches.map((branch) => fitting(branch, all, depth)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch ([schema.type].flat()[0]) {
    case 'integer':
      return fc.integer(span(schema));
    case 'number':
      return fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constantFrom(0, -1, 1e308, 1_795_000_000_000));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return schema.items && depth < 6 ? fc.array(fitting(schema.items, all, depth + 1), { maxLength: 4 }) : fc.constant([]);
    case 'object':
      return objectOf(schema, all, depth);
    case 'string':
      return word;
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: Schema,
  all: Schemas,
  depth: number,
): fc.Arbitrary<unknown> {
  if (depth > 6) return fc.constant({});
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, fitting(schema, all, depth + 1)])),
    { requiredKeys: [...required] },
  );
  if (typeof additionalProperties !== 'object' || Object.keys(additionalProperties).length === 0) return known;
  return fc.dictionary(word, fitting(additionalProperties, all, depth + 1), { maxKeys: 3 });
}

function span({ minimum = -5, maximum = 300 }: Schema): { min: number; max: number } {
  const min = Math.max(minimum, -5);
  return { min, max: Math.max(min, Math.min(maximum, min + 300)) };
}
