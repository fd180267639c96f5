/**
 * Waiting for a release. It survives a service that restarts and a connection that breaks, until its own time is up; then
 * it says so and leaves the release alone: a wait that ends early, for whatever reason, never takes anything back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ReleaseView } from '../contract/wire.ts';
import { mayPass, pauseOf } from './again.ts';
import { EXIT, exitOf } from './exit-codes.ts';
import type { ClientError } from './client.ts';
import type { ExitCode } from './exit-codes.ts';
import { errorText, newsOf } from './output.ts';
import type { Printer } from './output.ts';
import { refused } from './session.ts';
import type { Session } from './session.ts';

export type WaitOptions = {
  readonly until: string;
  readonly timeoutMs: number;
  /** The release as it was started, for who has just done so: whatever happens to the wait, there is one that goes on. */
  readonly started?: ReleaseView;
};

const LOOK_MS = 2_000;
/** Whoever renews a token may be a little later than its end. */
const RENEWAL_MS = 3_000;

export async function waitFor(session: Session, id: string, options: WaitOptions): Promise<ExitCode> {
  const forget = session.onInterrupt?.(() => session.print.note(`the release goes on; ${waysOf(id)}`));
  try {
    return await followed(session, id, options);
  } finally {
    forget?.();
  }
}

async function followed({ api, print, json }: Session, id: string, options: WaitOptions): Promise<ExitCode> {
  const { until, timeoutMs, started = null } = options;
  const endMs = performance.now() + timeoutMs;
  let last: ReleaseView | null = started;
  let told = '';
  let unknown = 0;
  const pause = (ms: number): Promise<void> => delay(Math.min(ms, Math.max(0, endMs - performance.now())));
  for (let failures = 0; performance.now() < endMs;) {
    const answer = await api.wait(id, until, lookOf(endMs - performance.now()));
    if (!answer.ok) {
      if (isUnknown(answer.error) && unknown === 0) {
        unknown = 1;
        print.note(`${errorText(answer.error)}; the release goes on, and whoever renews the token is given a moment`);
        await pause(RENEWAL_MS);
        continue;
      }
      if (!mayPass(answer.error) && !(last && isInBetween(answer.error))) return lost({ id, print, last }, answer.error);
      if (failures === 0) print.note(`${errorText(answer.error)}; the release goes on, waiting for the service`);
      failures += 1;
      await pause(pauseOf(answer.error, failures));
      continue;
    }
    failures = 0;
    unknown = 0;
    last = answer.value.release;
    const news = newsOf(last);
    if (json && news !== told) print.data(JSON.stringify(last));
    const ended = exitOf(last);
    if (ended !== null || answer.value.reached) {
      if (json) print.note(last.sentence);
      else print.last(last);
      return ended ?? EXIT.ok;
    }
    if (!json) print.progress(last);
    if (news !== told && until === 'terminal' && isWithPeople(last)) print.note(waitsFor(last));
    told = news;
  }
  print.done();
  return timedOut(last, print);
}

const isUnknown = (error: ClientError): boolean => error.kind !== 'unreachable' && error.status === 401;

/** The page of a proxy, where the service answered before: it is back when the service is. */
const isInBetween = (error: ClientError): boolean => error.kind === 'foreign' && error.status !== 401 && error.status !== 403;

type Followed = { readonly id: string; readonly print: Printer; readonly last: ReleaseView | null };

/** Whoever may not look any more has started something all the same, which a code for "nothing was done" would hide. */
function lost({ id, print, last }: Followed, error: ClientError): ExitCode {
  if (last === null) return refused(print, error);
  print.note(`${errorText(error)}\nit cannot be followed any longer, and goes on: ${last.sentence}; ${waysOf(id)}`);
  return EXIT.lost;
}

const waysOf = (id: string): string =>
  `headgate release wait ${id} follows it again, headgate release rollback ${id} takes it back`;

function timedOut(last: ReleaseView | null, print: Printer): ExitCode {
  print.note(`the wait timed out; the release goes on${last ? `: ${last.sentence}` : ''}`);
  if (last === null) return EXIT.unreachable;
  return isWithPeople(last) ? EXIT.waitingForPerson : EXIT.timedOut;
}

const isWithPeople = ({ phase }: ReleaseView): boolean => phase.kind === 'paused' || phase.kind === 'awaitingApproval';

const waitsFor = ({ id, phase }: ReleaseView): string =>
  `it waits for a person, and so does this: headgate release ${phase.kind === 'paused' ? 'resume' : 'approve'} ${id}`;

/** So often at least what goes on is shown; the service answers at once when what is waited for came true. */
const lookOf = (leftMs: number): string => `${Math.max(1, Math.round(Math.min(LOOK_MS, leftMs)))}ms`;
