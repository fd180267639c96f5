/** Options that several commands have: how they are read, and how their defaults are shown. */
import { InvalidArgumentError, Option } from 'commander';
import { formatDuration, parseDuration } from '../lib/duration.ts';

export function wholeFlag(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
}

/** Of a wait. A step that a plan does not have is for the service to say. */
export const untilOption = (): Option => new Option('--until <condition>', UNTIL).argParser(condition).default('terminal');

const UNTIL = 'terminal, promoted, paused or step:N';

function condition(text: string): string {
  if (/^(?:terminal|promoted|paused|step:[1-9]\d{0,2})$/.test(text)) return text;
  throw new InvalidArgumentError(UNTIL);
}

/** With its default said as one writes it. */
export const spanOption = (flags: string, description: string, defaultMs: number): Option =>
  new Option(flags, description).argParser(span).default(defaultMs, formatDuration(defaultMs));

function span(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('a duration such as 30s, 5m or 1h');
  return ms;
}
