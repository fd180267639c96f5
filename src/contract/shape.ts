/** Whether a value has the shape that a document needs, and what is wrong with it in sentences that say what would be right. */
import type { z } from 'zod';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { nearest } from './nearest.ts';
import { pointerOf } from './problem.ts';
import type { Path } from './problem.ts';

/** Nobody reads more of them at once, and finding the place of each takes time. */
export const MAX_PROBLEMS = 50;

/** What is wrong with one part. */
export type Flaw = {
  readonly path: Path;
  readonly message: string;
  /** Not the value is wrong, but the key that it stands under. */
  readonly place?: 'key';
  /** What stands under a name that cannot be one was not looked at. */
  readonly isName?: true;
  /** There is nothing where something has to be. */
  readonly isMissing?: true;
  /** It breaks a rule that may look at what stands beside it, too. */
  readonly isRule?: true;
  /** The part that was probably meant by a key that is not known; null when it could be any. */
  readonly meant?: Path | null;
  /** Where a value says which form its neighbours have: the forms that there are, and what was said. */
  readonly forms?: { readonly known: readonly string[]; readonly said: unknown };
};

export function readShape<T>(schema: z.ZodType<T>, value: unknown): Result<T, readonly Flaw[]> {
  const parsed = schema.safeParse(value, { reportInput: true });
  return parsed.success ? ok(parsed.data) : err(flawsIn(parsed.error.issues));
}

type Issue = z.core.$ZodIssue;

/** In the order in which they were found: of each part the first one, and none that a misspelt key beside it would explain. */
export function flawsIn(issues: readonly Issue[]): readonly Flaw[] {
  const flaws = issues.slice(0, MAX_PROBLEMS).flatMap((issue) => flawsOf(issue, []));
  const meant = flaws.flatMap((flaw) => (flaw.meant ? [flaw.meant] : []));
  const told = new Set<string>();
  const isNews = ({ path, isMissing, isRule }: Flaw): boolean => {
    const place = pointerOf(path);
    if (told.has(place)) return false;
    if (isMissing && meant.some((part) => pointerOf(part) === place)) return false;
    if (isRule && meant.some((part) => aboveOf(part) === aboveOf(path))) return false;
    told.add(place);
    return true;
  };
  return flaws.filter(isNews).slice(0, MAX_PROBLEMS);
}

const aboveOf = (path: Path): string => pointerOf(path.slice(0, -1));

function flawsOf(issue: Issue, above: Path): readonly Flaw[] {
  const path = [...above, ...issue.path.filter((key) => typeof key !== 'symbol')];
  const last = path.at(-1);
  if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, MAX_PROBLEMS).map((key) => unknownKey(key, path, issue));
  if (issue.code === 'invalid_key')
    return [{ path, message: `the name "${String(last)}": ${sentence(issue.issues[0] ?? issue)}`, place: 'key', isName: true }];
  if (issue.code === 'invalid_union') return bestBranch(issue, path);
  if (issue.code === 'invalid_type') {
    if (isAbsent(issue))
      return [{ path, message: last === undefined ? 'the document is empty' : `${String(last)} is missing`, isMissing: true }];
    if (issue.input === null)
      return [{ path, message: last === undefined ? 'the document is empty' : `${String(last)} has no value` }];
  }
  return [{ path, message: sentence(issue), ...(isRule(issue) ? { isRule: true } : {}) }];
}

/** What is said of a single value is about nothing beside it. */
const isRule = (issue: Issue): boolean =>
  issue.code === 'custom' && (!('input' in issue) || (typeof issue.input === 'object' && issue.input !== null));

/** Where the value itself was not kept beside the issue, the usual words say it. */
const isAbsent = (issue: Extract<Issue, { code: 'invalid_type' }>): boolean =>
  'input' in issue ? issue.input === undefined : issue.message.endsWith('received undefined');

/** Of several allowed forms the one that was meant: whose own type fits, with the fewest things wrong. */
function bestBranch(issue: Extract<Issue, { code: 'invalid_union' }>, path: Path): readonly Flaw[] {
  const fitting = issue.errors.filter(
    (branch) =>
      !branch.some((inner) => inner.path.length === 0 && (inner.code === 'invalid_type' || inner.code === 'invalid_value')),
  );
  const best = fitting.toSorted((a, b) => weight(a) - weight(b))[0];
  if (best && best.length > 0) return best.flatMap((inner) => flawsOf(inner, path));
  const isMissing = 'input' in issue && issue.input === undefined;
  return [{ path, message: sentence(issue), ...formsOf(issue), ...(isMissing ? { isMissing } : {}) }];
}

function formsOf(issue: Extract<Issue, { code: 'invalid_union' }>): Pick<Flaw, 'forms'> {
  if (!('options' in issue) || !issue.discriminator) return {};
  const said = typeof issue.input === 'object' && issue.input !== null ? fieldOf(issue.input, issue.discriminator) : undefined;
  return { forms: { known: (issue.options ?? []).map(String), said } };
}

const fieldOf = (value: object, key: string): unknown => Object.entries(value).find(([name]) => name === key)?.[1];

/** An unknown key speaks against a form more than a wrong value does, if it is not a slip. */
const weight = (branch: readonly Issue[]): number => branch.reduce((sum, issue) => sum + weightOf(issue), 0);

function weightOf(issue: Issue): number {
  if (issue.code !== 'unrecognized_keys') return 1;
  const known = knownKeys(issue);
  return issue.keys.slice(0, MAX_PROBLEMS).reduce((sum, key) => sum + (nearest(key, known) === null ? 2 : 1), 0);
}

function unknownKey(key: string, above: Path, issue: Issue): Flaw {
  const path = [...above, key];
  // Of two that are equally near, one that is there already is less likely.
  const isThere = (known: string): boolean => typeof issue.input === 'object' && issue.input !== null && known in issue.input;
  const near = nearest(
    key,
    knownKeys(issue).toSorted((a, b) => Number(isThere(a)) - Number(isThere(b))),
  );
  if (near === null) return { path, message: `unknown key "${key}"`, place: 'key', meant: null };
  return { path, message: `unknown key "${key}", did you mean "${near}"?`, place: 'key', meant: [...above, near] };
}

/** Schemas put the keys that they know into the message of their unrecognized-key error (`strict`). */
const knownKeys = ({ message }: Issue): readonly string[] => /known: (.*)$/.exec(message)?.[1]?.split(', ') ?? [];

/** The schema's own words where it has some. */
function sentence(issue: Issue): string {
  const { message } = issue;
  if (issue.code === 'invalid_type' && message.startsWith('Invalid input: expected')) {
    const given = / received (\w+)$/.exec(message)?.[1] ?? '';
    return `${TYPES[issue.expected] ?? issue.expected}, not ${TYPES[given] ?? given}`;
  }
  if (issue.code === 'too_small' && message.startsWith('Too small'))
    return issue.origin === 'string' && issue.minimum === 1
      ? 'not an empty text'
      : `${issue.inclusive === false ? 'more than ' : ''}${issue.minimum}${counted(issue.origin)}${issue.inclusive === false ? '' : ' at least'}`;
  if (issue.code === 'too_big' && message.startsWith('Too big'))
    return `${issue.inclusive === false ? 'less than ' : ''}${issue.maximum}${counted(issue.origin)}${issue.inclusive === false ? '' : ' at most'}`;
  return /^[A-Z][a-z]/.test(message) ? message.charAt(0).toLowerCase() + message.slice(1) : message;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
  tuple: 'a list',
};

const counted = (origin: string): string => ({ string: ' letters', array: ' in the list' })[origin] ?? '';
