/** `headgate webhook inbox ...`: webhooks that came in, what came of each, and working on one again. */
import type { Command } from 'commander';
import { cursorOf } from '../contract/paging.ts';
import type { InboxEntryView } from '../contract/wire-flags.ts';
import { again } from './again.ts';
import { EXIT } from './exit-codes.ts';
import { requestKey } from './keys.ts';
import { wholeFlag } from './options.ts';
import { shown } from './session.ts';
import type { Finish, Session } from './session.ts';
import { timeWords } from './times.ts';

const RETRY_MS = 30_000;

export function inboxCommands(inbox: Command, session: () => Session, finish: Finish): void {
  inbox
    .command('list')
    .description('newest first')
    .option('--source <name>', 'of this platform only')
    .option('--state <state>', 'pending, done or parked')
    .option('--limit <n>', 'how many', '20')
    .option('--cursor <cursor>', 'go on from here')
    .action((options: Readonly<Record<string, string>>) => finish(listed(session(), options)));
  inbox
    .command('show')
    .description('one of them; of one that was not understood, what it said')
    .argument('<seq>', 'as `webhook inbox list` shows it', wholeFlag)
    .action((seq: number) => finish(one(session(), seq)));
  inbox
    .command('retry')
    .description('work again on one that is parked')
    .argument('<seq>', 'as `webhook inbox list` shows it', wholeFlag)
    .action((seq: number) => finish(retried(session(), seq)));
}

async function listed({ api, ...session }: Session, query: Readonly<Record<string, string>>): Promise<number> {
  return shown(session, await api.inbox(query), ({ items, nextCursor }) => {
    const more = nextCursor === null ? [] : [`more: --cursor ${nextCursor}`];
    return [...items.map(entryLine), ...more].join('\n') || 'nothing came in';
  });
}

async function one({ api, ...session }: Session, seq: number): Promise<number> {
  const answer = await api.inbox({ limit: '1', cursor: cursorOf(seq + 1) ?? '' });
  if (!answer.ok) return shown(session, answer, () => '');
  const entry = answer.value.items.find((each) => each.seq === seq);
  if (entry) return shown(session, { ok: true, value: entry }, entryText);
  session.print.note(`no webhook ${seq} came in, or it is too long ago to be kept`);
  return EXIT.usage;
}

async function retried({ api, env, ...session }: Session, seq: number): Promise<number> {
  const key = requestKey(env, ['inbox', seq, 'retry']);
  const answer = await again(() => api.retryInbox(seq, key), { ms: RETRY_MS, note: session.print.note });
  return shown(session, answer, () => `webhook ${seq} is worked on again`);
}

const entryLine = ({ seq, receivedAt, source, kind, state, attempts, detail }: InboxEntryView): string =>
  [
    String(seq).padStart(6),
    timeWords(receivedAt),
    source.padEnd(16),
    kind.padEnd(7),
    state.padEnd(7),
    `tried ${attempts}`,
    ...(detail === null ? [] : [detail]),
  ].join('  ');

const entryText = (entry: InboxEntryView): string =>
  [
    entryLine(entry),
    `  known as ${entry.key}`,
    ...(entry.state === 'pending' ? [`  next ${timeWords(entry.dueAt)}`] : []),
    ...(entry.settledAt === null ? [] : [`  settled ${timeWords(entry.settledAt)}`]),
    ...(entry.body === null ? [] : [`  it said: ${entry.body}`]),
  ].join('\n');
