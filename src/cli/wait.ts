/**
 * Waiting for a release. It survives a service that restarts and a connection that breaks, until its own time is up; then
 * it says so and leaves the release alone: a wait that timed out never takes anything back.
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

export type WaitOptions = { readonly until: string; readonly timeoutMs: number };

const LOOK_MS = 2_000;
/** Whoever renews a token may be a little later than its end. */
const RENEWAL_MS = 3_000;

export async function waitFor({ api, print, json }: Session, id: string, { until, timeoutMs }: WaitOptions): Promise<ExitCode> {
  const endMs = performance.now() + timeoutMs;
  let last: ReleaseView | null = null;
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
      if (!mayPass(answer.error)) return refused(print, answer.error);
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
    if (!json) print.progress(last);
    if (news !== told && until === 'terminal' && isWithPeople(last)) print.note(waitsFor(last));
    told = news;
    const ended = exitOf(last);
    if (ended !== null || answer.value.reached) return finish(last, ended, print);
  }
  print.done();
  return timedOut(last, print);
}

const isUnknown = (error: ClientError): boolean => error.kind === 'refused' && error.status === 401;

function finish(release: ReleaseView, ended: ExitCode | null, print: Printer): ExitCode {
  print.note(release.sentence);
  return ended ?? EXIT.ok;
}

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
