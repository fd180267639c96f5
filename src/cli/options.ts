/** Options that several commands have: how they are read, and how their defaults are shown. */
import { InvalidArgumentError, Option } from 'commander';
import { formatDuration, parseDuration } from '../lib/duration.ts';

export function wholeFlag(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
}

/** With its default said as one writes it. */
export const spanOption = (flags: string, description: string, defaultMs: number): Option =>
  new Option(flags, description).argParser(span).default(defaultMs, formatDuration(defaultMs));

function span(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('a duration such as 30s, 5m or 1h');
  return ms;
}
