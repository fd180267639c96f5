/** Durations as people write them: `500ms`, `30s`, `5m`, `1h30m`, `2d`. Exact milliseconds inside. */
const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const SHAPE = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Milliseconds, or null when the text is not a duration. `0s` is one; an empty text is not. */
export function parseDuration(text: string): number | null {
  const match = SHAPE.exec(text.trim());
  if (!match || text.trim() === '') return null;
  const [, d = '0', h = '0', m = '0', s = '0', ms = '0'] = match;
  const total = Number(d) * UNIT_MS.d + Number(h) * UNIT_MS.h + Number(m) * UNIT_MS.m + Number(s) * UNIT_MS.s + Number(ms);
  return Number.isSafeInteger(total) ? total : null;
}

/** The shortest exact way to write it: `90000` is `1m30s`. `parseDuration` reads it back to the same number. */
export function formatDuration(durationMs: number): string {
  let rest = Math.max(0, Math.round(durationMs));
  if (rest === 0) return '0s';
  let text = '';
  for (const [unit, unitMs] of Object.entries(UNIT_MS)) {
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}
