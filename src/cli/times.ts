/** Instants as the command line prints them: always UTC, and said so, since a log is read elsewhere than it was written. */

/** `2026-11-20T09:00:05Z`. */
export const timeWords = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** `2026-11-20T09:00Z`: where the minute is enough. */
export const minuteWords = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`;
