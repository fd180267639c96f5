/** The known word that was probably meant. */

/** Comparing takes time that grows with the length, and no name that is known is as long as this. */
const LONGEST = 100;

/** Null when nothing is near enough to be a slip of the finger. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (LONGEST < word.length) return null;
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : null;
}

export const listed = (words: readonly string[]): string => (words.length === 0 ? 'there is none' : `known: ${words.join(', ')}`);

/** `"chekout" (did you mean "checkout"?)`, or with what there is. */
export function unknownName(kind: string, word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return `no ${kind} named "${word}"${near === null ? `; ${listed(known)}` : `, did you mean "${near}"?`}`;
}

/** Damerau-Levenshtein with adjacent swaps (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
