/** Places in a text as people and documents name them, and as a text field knows them. */

/** Where a line and a column begin, both from 1; what lies beyond the text is its end. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
  const inLine = Math.min(Math.max(0, column - 1), lines[line - 1]?.length ?? 0);
  return Math.min(text.length, before + inLine);
}
