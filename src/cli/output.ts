/** Data on standard output, progress on standard error: one redrawn line on a terminal, one line per change in a log. */
import type { ReleaseView } from '../contract/wire.ts';
import type { ClientError } from './client.ts';

export type Terminal = {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
};

export type Printer = {
  data(text: string): void;
  note(text: string): void;
  progress(release: ReleaseView): void;
  /** The last line of a wait, whole on a terminal as well. */
  last(release: ReleaseView): void;
  /** Ends a redrawn line. */
  done(): void;
};

/** Some runners of pipelines give their jobs a terminal: what is drawn there is a log all the same. */
export function printer({ out, err }: Terminal, isLog: boolean): Printer {
  let last = '';
  let drawn = false;
  const isDrawn = err.isTTY && !isLog;
  const end = (): void => {
    if (drawn) err.write('\n');
    drawn = false;
  };
  return {
    data(text) {
      end();
      out.write(`${text}\n`);
    },
    note(text) {
      end();
      err.write(`${text}\n`);
    },
    progress(release) {
      const line = progressLine(release);
      const news = newsOf(release);
      if (isDrawn) {
        err.write(`\r\u001b[2K${line.slice(0, Math.max(40, (err.columns ?? 120) - 1))}`);
        drawn = true;
      } else if (news !== last) err.write(`${line}\n`);
      last = news;
    },
    last(release) {
      err.write(`${isDrawn ? '\r\u001b[2K' : ''}${progressLine(release)}\n`);
      drawn = false;
    },
    done: end,
  };
}

/** What makes a new line in a log: not the countdown, and no count that grows. */
export const newsOf = ({ phase, step, wantedBp, checks, hold, unverified, quarantined }: ReleaseView): string =>
  JSON.stringify([
    [phase.kind, phase['anew'], step, wantedBp, hold?.detail, unverified, quarantined],
    Object.entries(checks).map(([name, { verdict }]) => [name, verdict]),
  ]);

export function progressLine({ service, stableVersion, version, step, steps, wantedBp, checks, sentence }: ReleaseView): string {
  const verdicts = Object.entries(checks).map(([name, { verdict }]) => `${name} ${verdict === 'pass' ? 'ok' : verdict}`);
  return `${service} ${stableVersion ?? '-'} -> ${version}   step ${step}/${steps}  ${(wantedBp / 100).toFixed(2)} % wanted   ${verdicts.join('  ')}   ${sentence}`;
}

export function errorText(error: ClientError): string {
  if (error.kind !== 'refused') return error.detail;
  const { detail, errors = [] } = error.problem;
  return [
    detail,
    ...errors.map((each) => `  ${each.line === null ? each.pointer : `${each.line}:${each.column ?? 1}`} ${each.detail}`),
  ].join('\n');
}
