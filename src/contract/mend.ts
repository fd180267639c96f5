/**
 * What can be read of a document whose shape is wrong in places: every flaw, and the rest of it without the flawed parts,
 * so that one run tells what is wrong with the rest, too.
 */
import type { z } from 'zod';
import type { ParsedDocument } from './document.ts';
import { nearest } from './nearest.ts';
import { pointerOf } from './problem.ts';
import type { Path, Problem } from './problem.ts';
import { MAX_PROBLEMS, readShape } from './shape.ts';
import type { Flaw } from './shape.ts';

export type Mended<T> = {
  readonly problems: readonly Problem[];
  /** Null when there is nothing left to judge. */
  readonly rest: T | null;
  /** The parts of which nothing is known: left out, stood in for, or perhaps meant by a misspelt one. */
  readonly unread: readonly Path[];
  /** As it was written, but what stands under a misspelt key stands where it was meant to; problems are still told where it is. */
  readonly document: ParsedDocument;
};

export type Leniency = {
  /** What stands in for a part that cannot just be missing; undefined where it can. */
  standIn?(path: Path): unknown;
  /** Parts that cannot be read, which is told already. */
  readonly told?: readonly Path[];
};

/** Leaving a part out may need the part above it left out: so many times at most. */
const ROUNDS = 12;

export function readMended<T>(schema: z.ZodType<T>, document: ParsedDocument, leniency: Leniency = {}): Mended<T> {
  let draft: Draft = { document, value: document.value, problems: [], gone: [], unread: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const read = readShape(schema, draft.value);
    if (read.ok) return { ...draft, rest: read.value };
    // Nobody reads more, and each part that is left out takes time.
    if (read.error.length >= MAX_PROBLEMS)
      return {
        ...draft,
        problems: read.error.map(({ path, message, place }) => draft.document.problem(path, message, place)),
        rest: null,
      };
    const { gone } = draft;
    for (const flaw of read.error) draft = without(flaw, draft, { leniency, gone });
    if (draft.problems.length >= MAX_PROBLEMS || draft.gone.some(({ length }) => length === 0)) break;
  }
  return { ...draft, rest: null };
}

/** Whether what is known of one part says anything about the other: they are the same, or one is inside the other. */
export const overlaps = (one: Path, other: Path): boolean =>
  one.slice(0, other.length).every((key, index) => String(key) === String(other[index]));

const isWithin = (path: Path, outer: Path): boolean => outer.length <= path.length && overlaps(path, outer);

type Draft = {
  readonly document: ParsedDocument;
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Left out, with nothing in their place. */
  readonly gone: readonly Path[];
  readonly unread: readonly Path[];
};
type Setting = { readonly leniency: Leniency; readonly gone: readonly Path[] };

function without(flaw: Flaw, draft: Draft, { leniency: { standIn = () => undefined, told = [] }, gone }: Setting): Draft {
  if (flaw.meant !== undefined) return withoutKey(flaw.path, flaw.meant, withProblem(flaw, draft));
  const { path: named } = flaw;
  if (flaw.isName && !draft.unread.some((part) => pointerOf(part) === pointerOf(named)))
    return renamed(named, withProblem(flaw, draft));
  const cause = causeOf(flaw, gone);
  const path = cause ?? flaw.path;
  const stand = cause !== null || flaw.forms === undefined ? standIn(path) : formOf(flaw.forms);
  const isNews = cause === null && !told.some((part) => isWithin(flaw.path, part));
  return {
    ...(isNews ? withProblem(flaw, draft) : draft),
    value: withPart(draft.value, path, stand),
    gone: stand === undefined ? [...draft.gone, path] : draft.gone,
    unread: [...draft.unread, path],
  };
}

const withProblem = ({ path, message, place }: Flaw, draft: Draft): Draft => ({
  ...draft,
  problems: [...draft.problems, draft.document.problem(path, message, place)].slice(0, MAX_PROBLEMS),
});

/**
 * What has to go, too, when a flaw is no mistake of anybody but comes of a part that was left out before; null when it is one.
 * A rule may look at anything beside the part that it speaks of.
 */
function causeOf({ path, isRule }: Flaw, gone: readonly Path[]): Path | null {
  const above = path.slice(0, -1);
  if (gone.some((part) => path.length < part.length && isWithin(part, path))) return path;
  return gone.some((part) => isWithin(part, isRule ? above : path)) ? above : null;
}

/** A key that is not known; what a misspelt one holds is read as what was meant, unless that is there as well. */
function withoutKey(path: Path, meant: Path | null, draft: Draft): Draft {
  const held = partAt(draft.value, path);
  const rest = { ...draft, value: withPart(draft.value, path, undefined) };
  if (meant === null || partAt(draft.value, meant) !== undefined) return rest;
  // Of a single value it is not sure enough what it was meant for.
  if (typeof held !== 'object' || held === null)
    return { ...rest, gone: [...draft.gone, meant], unread: [...draft.unread, path, meant] };
  return { ...rest, value: withPart(rest.value, meant, held), document: moved(draft.document, path, meant) };
}

/** Under a name that can be one, so that it is read; of what it means nothing is known. */
function renamed(path: Path, draft: Draft): Draft {
  const above = path.slice(0, -1);
  const name = `x-${String(path.at(-1))
    .replaceAll(/[^A-Za-z0-9]/g, '-')
    .slice(0, LONGEST_NAME)}`;
  const to = [...above, partAt(draft.value, [...above, name]) === undefined ? name : `${name}-`];
  const { value, problem } = moved({ ...draft.document, value: draft.value }, path, to);
  return { ...draft, value, document: { value: draft.document.value, problem }, unread: [...draft.unread, path, to] };
}

const LONGEST_NAME = 40;

function moved({ value, problem }: ParsedDocument, from: Path, to: Path): ParsedDocument {
  return {
    value: withPart(withPart(value, from, undefined), to, partAt(value, from)),
    problem: (path, message, place) => problem(isWithin(path, to) ? [...from, ...path.slice(to.length)] : path, message, place),
  };
}

/** The form that was probably meant. */
const formOf = ({ known, said }: NonNullable<Flaw['forms']>): string | undefined =>
  typeof said === 'string' ? (nearest(said, known) ?? undefined) : undefined;

/** What stands at the path; undefined where nothing does. */
export const partAt = (value: unknown, path: Path): unknown =>
  path.reduce(
    (part: unknown, key) =>
      typeof part === 'object' && part !== null && Object.hasOwn(part, key)
        ? (part as Readonly<Record<string | number, unknown>>)[key]
        : undefined,
    value,
  );

/** A copy with another value at the path; undefined leaves it out. Where nothing holds the part, nothing changes. */
export function withPart(value: unknown, [key, ...rest]: Path, part: unknown): unknown {
  if (key === undefined) return part;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === Number(key) ? withPart(item, rest, part) : item));
  const { [key]: inner, ...others }: Readonly<Record<string, unknown>> = { ...value };
  const changed = withPart(inner, rest, part);
  return changed === undefined ? others : { ...others, [key]: changed };
}
