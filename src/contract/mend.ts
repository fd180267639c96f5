/**
 * What can be read of a document whose shape is wrong in places: every flaw, and the rest of it without the flawed parts,
 * so that one run tells what is wrong with the rest, too.
 */
import type { z } from 'zod';
import { MAX_PROBLEMS, readShape } from './document.ts';
import type { Flaw, ParsedDocument } from './document.ts';
import { nearest } from './nearest.ts';
import type { Path, Problem } from './problem.ts';

export type Mended<T> = {
  readonly problems: readonly Problem[];
  /** Null when there is nothing left to judge. */
  readonly rest: T | null;
  /** The parts of which nothing is known: left out, stood in for, or perhaps meant by a misspelt one. */
  readonly unread: readonly Path[];
};

/** What stands in for a part that cannot just be missing; undefined where it can. */
export type StandIn = (path: Path) => unknown;

/** Leaving a part out may need the part above it left out: so many times at most. */
const ROUNDS = 12;

export function readMended<T>(schema: z.ZodType<T>, document: ParsedDocument, standIn: StandIn): Mended<T> {
  let draft: Draft = { value: document.value, problems: [], gone: [], unread: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const read = readShape(schema, draft.value);
    if (read.ok) return { problems: draft.problems, rest: read.value, unread: draft.unread };
    // Nobody reads more, and each part that is left out takes time.
    if (read.error.length >= MAX_PROBLEMS)
      return { ...draft, problems: read.error.map(({ path, message }) => document.problem(path, message)), rest: null };
    const { gone } = draft;
    for (const flaw of read.error) draft = without(flaw, draft, { document, standIn, gone });
    if (draft.problems.length >= MAX_PROBLEMS || draft.gone.some(({ length }) => length === 0)) break;
  }
  return { problems: draft.problems, rest: null, unread: draft.unread };
}

/** Whether what is known of one part says anything about the other: they are the same, or one is inside the other. */
export const overlaps = (one: Path, other: Path): boolean =>
  one.slice(0, other.length).every((key, index) => String(key) === String(other[index]));

type Draft = {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Left out, with nothing in their place. */
  readonly gone: readonly Path[];
  readonly unread: readonly Path[];
};
type Setting = { readonly document: ParsedDocument; readonly standIn: StandIn; readonly gone: readonly Path[] };

/** A flaw beside a part that was left out before comes of that, and is no mistake of anybody: then both go with what holds them. */
function without(flaw: Flaw, draft: Draft, { document, standIn, gone }: Setting): Draft {
  const above = flaw.path.slice(0, -1);
  const follows = gone.some((path) => above.length < path.length && overlaps(above, path));
  const path = follows ? above : flaw.path;
  const stand = follows || flaw.forms === undefined ? standIn(path) : formOf(flaw.forms);
  return {
    value: withPart(draft.value, path, stand),
    problems: follows ? draft.problems : [...draft.problems, document.problem(flaw.path, flaw.message)].slice(0, MAX_PROBLEMS),
    gone: stand === undefined ? [...draft.gone, path] : draft.gone,
    unread: [...draft.unread, path, ...(flaw.meant ? [flaw.meant] : [])],
  };
}

/** The form that was probably meant. */
const formOf = ({ known, said }: NonNullable<Flaw['forms']>): string | undefined =>
  typeof said === 'string' ? (nearest(said, known) ?? undefined) : undefined;

/** A copy with another value at the path; undefined leaves it out. */
function withPart(value: unknown, [key, ...rest]: Path, part: unknown): unknown {
  if (key === undefined) return part;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === Number(key) ? withPart(item, rest, part) : item));
  const { [key]: inner, ...others }: Readonly<Record<string, unknown>> =
    typeof value === 'object' && value !== null ? { ...value } : {};
  const changed = withPart(inner, rest, part);
  return changed === undefined ? others : { ...others, [key]: changed };
}
