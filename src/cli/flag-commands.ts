/** `headgate flag ...`: the flags that services name, what each was when it was read last, and who changed it. */
import type { Command } from 'commander';
import type { FlagView } from '../contract/wire-flags.ts';
import { EXIT } from './exit-codes.ts';
import { shown } from './session.ts';
import type { Finish, Session } from './session.ts';
import { timeWords } from './times.ts';

export function flagCommands(flag: Command, session: () => Session, finish: Finish): void {
  flag
    .command('list')
    .description('every flag that a service names')
    .action(() => finish(listed(session())));
  flag
    .command('get')
    .description('one flag, as it was read last')
    .argument('<source>', 'the name of its platform in headgate.yaml')
    .argument('<flag>')
    .action((source: string, name: string) => finish(got(session(), source, name)));
  flag
    .command('refresh')
    .description('read a flag now; what is another than before is worked on')
    .argument('<source>')
    .argument('<flag>')
    .action((source: string, name: string) => finish(refreshed(session(), source, name)));
}

async function listed({ api, ...session }: Session): Promise<number> {
  return shown(session, await api.flags(), ({ items }) => items.map(flagLine).join('\n') || 'no service names a flag');
}

async function got({ api, ...session }: Session, source: string, name: string): Promise<number> {
  const answer = await api.flags();
  if (!answer.ok) return shown(session, answer, () => '');
  const found = answer.value.items.find((each) => each.source === source && each.flag === name);
  if (found) return shown(session, { ok: true, value: found }, flagText);
  session.print.note(`no service names a flag ${name} of ${source}; headgate flag list shows those that are named`);
  return EXIT.usage;
}

async function refreshed({ api, ...session }: Session, source: string, name: string): Promise<number> {
  return shown(session, await api.refreshFlag(source, name), flagText);
}

const time = (ms: number | null): string => (ms === null ? 'never' : timeWords(ms));

const flagLine = ({ source, flag, services, sentence }: FlagView): string =>
  [`${source}/${flag}`.padEnd(32), services.join(', ').padEnd(16), sentence].join('  ');

function flagText({ sentence, services, own, readable, state, readAt, lookedAt, change, failure }: FlagView): string {
  const variations = Object.entries(state?.variations ?? {}).map(([name, percent]) => `${name} ${percent} %`);
  return [
    sentence,
    `  named by ${services.join(', ')}${own ? '; Headgate moves it itself' : ''}${readable ? '' : '; its platform cannot be asked'}`,
    ...(variations.length > 0 ? [`  variations: ${variations.join(', ')}`] : []),
    `  read ${time(readAt)}, looked at ${time(lookedAt)}`,
    ...(change ? [`  changed ${time(change.at)}, ${CONFIRMED[change.confirmed]}`] : []),
    ...(failure === null ? [] : [`  it cannot be read: ${failure}`]),
  ].join('\n');
}

const CONFIRMED = {
  read: 'as was read back',
  signed: 'as a signed webhook says',
  claimed: 'as a webhook says that anybody with its token could have sent',
} as const satisfies Record<NonNullable<FlagView['change']>['confirmed'], string>;
