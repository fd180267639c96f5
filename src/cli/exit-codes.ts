/** What the command line answers a pipeline with. One table; the README and `docs/operating.md` show the same numbers. */
import type { ReleaseView } from '../contract/wire.ts';

export const EXIT = {
  ok: 0,
  ours: 1,
  usage: 2,
  rolledBack: 10,
  rolledBackByPerson: 11,
  unverified: 12,
  waitingForPerson: 20,
  deadline: 21,
  superseded: 30,
  unreachable: 69,
  timedOut: 75,
  /** The release goes on, and may not be followed any more. */
  lost: 76,
  forbidden: 77,
  conflict: 79,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The code for a release that has ended, or that cannot end; null while it is under way. */
export function exitOf({ phase, rollback, unverified }: ReleaseView): ExitCode | null {
  switch (phase.kind) {
    case 'promoted':
      return EXIT.ok;
    case 'superseded':
      return EXIT.superseded;
    case 'rolledBack':
      return causeExit(rollback?.cause.kind);
    default:
      return unverified ? EXIT.unverified : null;
  }
}

function causeExit(cause: string | undefined): ExitCode {
  if (cause === 'person' || cause === 'refused') return EXIT.rolledBackByPerson;
  return cause === 'deadline' ? EXIT.deadline : EXIT.rolledBack;
}

/** Of an answer that refuses. */
export function exitOfStatus(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.forbidden;
  if (status === 409 || status === 412) return EXIT.conflict;
  if (status === 429 || status === 503) return EXIT.unreachable;
  return status >= 500 ? EXIT.ours : EXIT.usage;
}
