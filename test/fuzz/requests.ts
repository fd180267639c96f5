/** Requests made of the API's own description: such as it says, nearly such, and rubbish. */
import fc from 'fast-check';
import { fitting, word } from './schema.ts';
import type { Schema, Schemas } from './schema.ts';

type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
};
type Content = Readonly<Record<string, { readonly schema: Schema }>>;
export type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
};
export type Description = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Schemas };
};

export type Fuzzed = {
  readonly method: string;
  readonly route: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};

/** What is there, for requests that find something. */
export type Known = { readonly id: readonly string[]; readonly name: readonly string[]; readonly plan: readonly unknown[] };

/** Works for seconds when it is asked well: asked seldom. */
const COSTLY = /:(preview|simulate|backtest)$/;

export function requests(description: Description, known: Known): fc.Arbitrary<Fuzzed> {
  const all = description.components.schemas;
  const operations = Object.entries(description.paths).flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      weight: COSTLY.test(route) ? 1 : method === 'get' ? 10 : 25,
      arbitrary: requestOf({ route, method: method.toUpperCase(), operation }, all, known),
    })),
  );
  const nowhere = fc
    .record({ path: word, method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH') })
    .map(({ path, method }): Fuzzed => ({ method, route: '', path: `/v1/${encodeURIComponent(path)}`, headers: {}, body: null }));
  return fc.oneof(...operations, { weight: 3, arbitrary: nowhere });
}

type Place = { readonly route: string; readonly method: string; readonly operation: Operation };

function requestOf({ route, method, operation }: Place, all: Schemas, known: Known): fc.Arbitrary<Fuzzed> {
  const { parameters = [], requestBody } = operation;
  const of = (where: Parameter['in']) => parameters.filter((parameter) => parameter.in === where);
  const value = ({ name, schema }: Parameter): fc.Arbitrary<string> => valueOf(name, schema, all, known);
  const record = (where: 'path' | 'query' | 'header', requiredKeys: string[]) =>
    fc.record(Object.fromEntries(of(where).map((parameter) => [parameter.name, value(parameter)])), { requiredKeys });
  const body = requestBody ? bodyOf(requestBody.content['application/json']?.schema ?? {}, all, known) : fc.constant(null);
  return fc
    .record({
      path: record(
        'path',
        of('path').map(({ name }) => name),
      ),
      // A wait is to be short here; it is half a minute when nothing is said.
      query: record(
        'query',
        of('query')
          .map(({ name }) => name)
          .filter((name) => name === 'timeout'),
      ),
      strays: fc.option(fc.tuple(word, word), { freq: 8 }),
      headers: record('header', []),
      type: fc.oneof(
        { weight: 20, arbitrary: fc.constant('application/json') },
        { weight: 1, arbitrary: fc.constantFrom('text/yaml', 'rubbish', '') },
      ),
      body,
    })
    .map(({ path, query, strays, headers, type, body: sent }) => {
      const filled = route.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
      const asked = new URLSearchParams(Object.entries(query));
      if (strays) asked.append(...strays);
      const visible = Object.entries(headers).map(([name, text]) => [name, text.replaceAll(/[^\x20-\x7e]/g, '?')]);
      return {
        method,
        route,
        path: `${filled}${asked.size > 0 ? `?${asked.toString()}` : ''}`,
        headers: { ...Object.fromEntries(visible), ...(sent === null || type === '' ? {} : { 'content-type': type }) },
        body: sent,
      };
    });
}

function valueOf(name: string, schema: Schema, all: Schemas, known: Known): fc.Arbitrary<string> {
  const fits = fitting(schema, all).map(String);
  if (name === 'timeout') return fc.constantFrom('0s', '1ms', '20ms', '61s', 'rubbish', '-1s');
  if (name === 'if-match')
    return fc.oneof(
      { weight: 4, arbitrary: fc.constant('*') },
      fc.nat(20).map((at) => `"${at}"`),
      word,
    );
  if (name === 'idempotency-key')
    return fc.oneof(
      fc.nat(500).map((at) => `k${at}`),
      word,
    );
  const there = name === 'id' ? known.id : name === 'name' || name === 'service' ? known.name : [];
  return there.length === 0 ? fits : fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...there) }, fits, word);
}

function bodyOf(schema: Schema, all: Schemas, known: Known): fc.Arbitrary<string | null> {
  const fits = fitting(schema, all).map((value) => withPlan(value, null));
  const plans = fc.tuple(fitting(schema, all), fc.constantFrom(...known.plan)).map(([value, plan]) => withPlan(value, plan));
  const good = fc.oneof(fits, plans);
  return fc.oneof(
    { weight: 6, arbitrary: good.map((value) => JSON.stringify(value) ?? 'null') },
    {
      weight: 2,
      arbitrary: fc
        .tuple(good, word, fc.jsonValue({ maxDepth: 2 }))
        .map(([value, key, other]) => JSON.stringify(spoiled(value, key, other))),
    },
    { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
    { weight: 1, arbitrary: fc.tuple(good, fc.nat()).map(([value, at]) => cut(JSON.stringify(value) ?? '', at)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

/** A body that takes a plan mostly gets one that is one. */
function withPlan(value: unknown, plan: unknown): unknown {
  if (plan === null || typeof value !== 'object' || value === null) return value;
  return { ...value, ...('plan' in value ? { plan } : {}), ...('document' in value ? { document: plan } : {}) };
}

const spoiled = (value: unknown, key: string, other: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, [key]: other } : other;

const cut = (text: string, at: number): string => text.slice(0, at % (text.length + 1));
