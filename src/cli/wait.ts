/**
 * Waiting for a release. It survives a service that restarts and a connection that breaks, until its own time is up; then
 * it says so and leaves the release alone: a wait that timed out never takes anything back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ReleaseView } from '../contract/wire.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Client } from './client.ts';
import { EXIT, exitOf, exitOfStatus } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { errorText } from './output.ts';
import type { Printer } from './output.ts';

export type WaitOptions = { readonly until: string; readonly timeoutMs: number };

const LOOK = '2s';
const RETRY = { firstMs: 250, maxMs: 5_000 };

export async function waitFor(client: Client, id: string, { until, timeoutMs }: WaitOptions, print: Printer): Promise<ExitCode> {
  const endMs = performance.now() + timeoutMs;
  let last: ReleaseView | null = null;
  for (let failures = 0; performance.now() < endMs;) {
    const answer = await client.wait(id, until, LOOK);
    if (!answer.ok) {
      if (answer.error.kind === 'refused' && answer.error.status < 500) {
        print.note(errorText(answer.error));
        return exitOfStatus(answer.error.status);
      }
      if (failures === 0) print.note(`${errorText(answer.error)}; the release goes on, waiting for the service`);
      failures += 1;
      await delay(Math.min(backoffMs(RETRY, failures, 0.5), Math.max(0, endMs - performance.now())));
      continue;
    }
    failures = 0;
    last = answer.value.release;
    print.progress(last);
    const ended = exitOf(last);
    if (ended !== null || answer.value.reached) return finish(last, ended, print);
  }
  print.done();
  return timedOut(last, print);
}

function finish(release: ReleaseView, ended: ExitCode | null, print: Printer): ExitCode {
  print.note(release.sentence);
  return ended ?? EXIT.ok;
}

function timedOut(last: ReleaseView | null, print: Printer): ExitCode {
  print.note(`the wait timed out; the release goes on${last ? `: ${last.sentence}` : ''}`);
  if (last === null) return EXIT.unreachable;
  return last.phase.kind === 'paused' || last.phase.kind === 'awaitingApproval' ? EXIT.waitingForPerson : EXIT.timedOut;
}
