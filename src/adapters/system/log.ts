/** One line of JSON per thing worth telling, on standard output or error, with the ids of what it is about. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { pino, stdTimeFunctions } from 'pino';
import type { Log, Scope } from '../../ports/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const about = new AsyncLocalStorage<Readonly<Record<string, string>>>();

/** Follows the work through whatever it awaits; a scope within another adds to it. */
export const logScope: Scope = {
  run: (fields, work) => about.run({ ...about.getStore(), ...fields }, work),
};

export function jsonLog({ level, fd = 1 }: { readonly level: LogLevel; readonly fd?: number }): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: () => ({ ...about.getStore() }), // a line's own fields win
    redact: ['token', 'secret', '*.token', '*.secret', '*.authorization'],
  };
  // Synchronous: the last line before a crash is the one that is wanted.
  const logger = pino(options, pino.destination({ fd, sync: true }));
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
