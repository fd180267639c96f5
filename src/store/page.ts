/** One more row than asked for tells whether there is a next page. */
export function page<T>(
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => number,
): { readonly rows: readonly T[]; readonly next: number | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { rows: shown, next: rows.length > limit && last !== undefined ? keyOf(last) : null };
}
