/** Answers that nobody should give: wounds of an honest one, the same for a seed, and what is left of its numbers. */
import type { Measurement } from '../../src/domain/analysis/measurement.ts';

const STRANGE = [
  null,
  true,
  {},
  [],
  'NaN',
  '+Inf',
  '-Inf',
  'abc',
  '',
  '-5',
  '1e999',
  '0x10',
  '1,000',
  ' 7',
  '12',
  [1],
  ['1', 1],
  Number.MAX_VALUE,
  -1,
  { a: 1 },
  [[1, 2]],
];

/** One wound: text is cut, doubled or exchanged, or a value in the tree becomes one of another kind. */
export function wounded(honest: string, random: () => number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const at = Math.floor(random() * honest.length);
  switch (Math.floor(random() * 5)) {
    case 0:
      return honest.slice(0, at);
    case 1:
      return (
        honest.slice(0, at) + pick(['"', '{', '}', '[', ']', ',', ':', '\\', '\0', 'é', 'NaN', 'null', 'e9']) + honest.slice(at)
      );
    case 2:
      return honest.slice(0, at) + honest.slice(at + 1 + Math.floor(random() * 8));
    default:
      return JSON.stringify(exchanged(JSON.parse(honest), random, pick));
  }
}

/** Exchanges one value somewhere in a tree for a strange one, or renames one of its keys. */
function exchanged(tree: unknown, random: () => number, pick: <T>(from: readonly T[]) => T): unknown {
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value as Record<string, unknown>, key });
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(tree);
  const { holder, key } = pick(places);
  if (random() < 0.2 && !Array.isArray(holder)) {
    holder[`${key}x`] = holder[key];
    delete holder[key];
  } else holder[key] = pick(STRANGE);
  return tree;
}

/** What an honest answer could also have been: another number of another size is no rubbish. */
export function isHonest(body: string, honest: string): boolean {
  const shape = (text: string): string =>
    JSON.stringify(JSON.parse(text), (_, value: unknown) =>
      typeof value === 'number' && 0 <= value && value < 1e15 ? 0 : value,
    );
  try {
    return shape(body) === shape(honest);
  } catch {
    return false;
  }
}

/** The canary's requests and bad ones in a measurement, each instance by itself; null where it measures nothing. */
export function canaryOf(measurement: Measurement): string | null {
  if (measurement.kind !== 'counters') return null;
  return measurement.series
    .filter(({ role }) => role === 'canary')
    .map(({ key, total, bad }) => `${key}: ${bad} of ${total}`)
    .join(', ');
}
