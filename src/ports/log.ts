/** One line of JSON per thing worth telling; fields carry ids, never secrets. */
export type Log = {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
};

/** What the work at hand is about: every line that is written while it runs carries these fields, whoever writes it. */
export type Scope = { run<T>(fields: Readonly<Record<string, string>>, work: () => T): T };

export const noScope: Scope = { run: (_fields, work) => work() };
