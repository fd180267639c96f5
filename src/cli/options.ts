/** Options that several commands have: how they are read, and how their defaults are shown. */
import { InvalidArgumentError, Option } from 'commander';
import { UNTIL_SHAPE, untilOf } from '../contract/until.ts';
import { formatDuration, parseDuration } from '../lib/duration.ts';

export function wholeFlag(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
}

/** With its default said as one writes it. */
export const spanOption = (flags: string, description: string, defaultMs: number): Option =>
  new Option(flags, description).argParser(span).default(defaultMs, formatDuration(defaultMs));

/** Checked here, so that a slip of the pen does not start a release that nobody waits for. */
export const untilOption = (): Option => new Option('--until <condition>', UNTIL_SHAPE).argParser(until).default('terminal');

function until(text: string): string {
  if (untilOf(text) === null) throw new InvalidArgumentError(UNTIL_SHAPE);
  return text;
}

function span(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('a duration such as 30s, 5m or 1h');
  return ms;
}
