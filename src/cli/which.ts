/**
 * Which release is meant: by its whole id, by the beginning of it, or as the one that moves a service now. A whole id is never
 * looked up, so that nothing more than the command itself has to work for it.
 */
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { ReleaseView } from '../contract/wire.ts';
import { again } from './again.ts';
import type { Patience } from './again.ts';
import type { Client, ClientError } from './client.ts';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { refused, UsageError } from './session.ts';
import type { Session } from './session.ts';

export type Named = { readonly id: string | null; readonly service: string | null };

/** The id, or the exit code of what has been said instead. */
export async function whichRelease(
  session: Pick<Session, 'api' | 'print'>,
  { id, service }: Named,
  patience: Patience,
): Promise<Result<string, ExitCode>> {
  if ((id === null) === (service === null))
    throw new UsageError('say which release: by its id, or with --service NAME the one that moves that service now');
  if (service !== null) return movingNow(session, service, patience);
  return id !== null && BEGINNING.test(id) ? beginningWith(session, id, patience) : ok(id ?? '');
}

/** Enough to mean one release, and less than a whole id. */
const BEGINNING = /^[\da-f][\da-f-]{7,34}$/;

async function movingNow(
  { api, print }: Pick<Session, 'api' | 'print'>,
  name: string,
  patience: Patience,
): Promise<Result<string, ExitCode>> {
  const found = await again(() => api.service(name), patience);
  if (!found.ok) return err(refused(print, found.error));
  if (found.value.activeRelease !== null) return ok(found.value.activeRelease);
  print.note(`no release moves ${name} now`);
  return err(EXIT.conflict);
}

async function beginningWith(
  { api, print }: Pick<Session, 'api' | 'print'>,
  id: string,
  patience: Patience,
): Promise<Result<string, ExitCode>> {
  const found = await again(() => all(api, id), patience);
  if (!found.ok) {
    print.note(`${id} is the beginning of an id, which has to be looked up; a whole id has not`);
    return err(refused(print, found.error));
  }
  const [only, ...others] = found.value;
  // Of none it is the service that says so.
  if (others.length === 0) return ok(only?.id ?? id);
  print.note(
    [
      `${id} is the beginning of ${found.value.length} releases, say more of it:`,
      ...found.value.map((release) => `  ${release.id}  ${release.service} ${release.version}  ${release.phase.kind}`),
    ].join('\n'),
  );
  return err(EXIT.usage);
}

/** The search finds the text anywhere; the beginning of an id is wanted. */
async function all(api: Client, id: string): Promise<Result<readonly ReleaseView[], ClientError>> {
  const found: ReleaseView[] = [];
  let cursor: string | null = null;
  do {
    const query: Readonly<Record<string, string>> = { q: id, limit: '200', ...(cursor === null ? {} : { cursor }) };
    const page: Awaited<ReturnType<Client['releases']>> = await api.releases(query);
    if (!page.ok) return page;
    found.push(...page.value.items.filter((release) => release.id.startsWith(id)));
    cursor = page.value.nextCursor;
  } while (cursor !== null);
  return ok(found);
}
