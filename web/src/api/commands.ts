/** Commands on a release: how one is sent, what it is called, and the line that does the same in a terminal. */
import type { ReleaseView } from '../../../src/contract/wire.ts';
import type { Answer } from './client.ts';
import { call, idempotencyKey } from './client.ts';

export type Offer = ReleaseView['acceptedCommands'][number];

/** Going down wants no precondition: whoever sees a bad canary may be looking at an old page. */
const AT_ONCE: ReadonlySet<string> = new Set(['pause', 'rollback']);

export function sendCommand(release: ReleaseView, offer: Offer, sent: { readonly reason: string; readonly key: string }) {
  const { verb, option } = offer;
  const path = `/v1/releases/${encodeURIComponent(release.id)}`;
  const reason = sent.reason.trim();
  const to = verb === 'confirmReplaced' ? `${path}/stable-replaced` : `${path}/commands/${encodeURIComponent(verb)}`;
  return call<ReleaseView>(to, {
    method: 'POST',
    body: { ...(reason === '' ? {} : { reason }), ...(option === null ? {} : { [option]: true }) },
    headers: AT_ONCE.has(verb) ? {} : { 'if-match': `"${release.stateVersion}"`, 'idempotency-key': sent.key },
  }) satisfies Promise<Answer<ReleaseView>>;
}

export const newKey = idempotencyKey;

type Said = { readonly name: string; readonly key: string | null; readonly tone: 'danger' | 'warned' | 'primary' | 'plain' };

const NAMES: Readonly<Record<string, Said>> = {
  rollback: { name: 'Roll back', key: 'R', tone: 'danger' },
  pause: { name: 'Pause', key: 'P', tone: 'plain' },
  resume: { name: 'Resume', key: null, tone: 'primary' },
  approve: { name: 'Approve', key: null, tone: 'primary' },
  reject: { name: 'Refuse', key: null, tone: 'warned' },
  promote: { name: 'Go on', key: null, tone: 'plain' },
  'promote full': { name: 'Promote fully', key: null, tone: 'plain' },
  'promote force': { name: 'Go on', key: null, tone: 'warned' },
  confirmReplaced: { name: 'Confirm replacement', key: null, tone: 'primary' },
};

/** A verb of a newer service is offered by its own name; what is left out by force is the service's to say. */
export function saidOf({ verb, option, past }: Offer): Said {
  const said = NAMES[option === null ? verb : `${verb} ${option}`] ?? { name: verb, key: null, tone: 'plain' };
  return past === null ? said : { ...said, name: `${said.name} ${past}` };
}

/** In single quotes, as a shell takes it whatever is in it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export function commandLine(id: string, { verb, option }: Offer, reason: string): string {
  if (verb === 'confirmReplaced')
    return `curl -X POST -H 'if-match: *' -H "authorization: Bearer $HEADGATE_TOKEN" ${location.origin}/v1/releases/${id}/stable-replaced`;
  const words = ['headgate', 'release', verb, id];
  if (option !== null) words.push(`--${option}`);
  if (reason.trim() !== '') words.push('--reason', quoted(reason.trim()));
  return words.join(' ');
}
