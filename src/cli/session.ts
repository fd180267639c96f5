/** What every command works with: the service, the terminal, and how it is asked. */
import { readFileSync } from 'node:fs';
import type { Result } from '../lib/result.ts';
import type { Client, ClientError } from './client.ts';
import { EXIT, exitOfStatus } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { errorText } from './output.ts';
import type { Printer } from './output.ts';

export type Session = {
  readonly api: Client;
  readonly print: Printer;
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onInterrupt?: OnInterrupt;
};

/** Something to say before the process is ended from outside; what it answers with takes that back. */
export type OnInterrupt = (say: () => void) => () => void;

/** Takes a command's exit code. */
export type Finish = (result: Promise<number>) => Promise<void>;

/** Said, and answered with the code for usage. */
export class UsageError extends Error {}

export function refused(print: Printer, error: ClientError): ExitCode {
  print.note(errorText(error));
  return error.kind === 'unreachable' ? EXIT.unreachable : exitOfStatus(error.status);
}

/** Data as JSON or in words, or why there is none. */
export function shown<T>(
  { print, json }: Pick<Session, 'print' | 'json'>,
  answer: Result<T, ClientError>,
  words: (value: T) => string,
): ExitCode {
  if (!answer.ok) return refused(print, answer.error);
  print.data(json ? JSON.stringify(answer.value) : words(answer.value));
  return EXIT.ok;
}

export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch {
    throw new UsageError(`${file} cannot be read`);
  }
}
