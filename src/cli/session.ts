/** What every command works with: the service, the terminal, and how it is asked. */
import { readFileSync } from 'node:fs';
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
};

/** Takes a command's exit code. */
export type Finish = (result: Promise<number>) => Promise<void>;

/** Said, and answered with the code for usage. */
export class UsageError extends Error {}

export function refused(print: Printer, error: ClientError): ExitCode {
  print.note(errorText(error));
  return error.kind === 'unreachable' ? EXIT.unreachable : exitOfStatus(error.status);
}

export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch {
    throw new UsageError(`${file} cannot be read`);
  }
}
