/** `headgate webhook ...`: who is told of events, what became of it, and telling it again. */
import type { Command } from 'commander';
import { ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { DeliveryView, EndpointView } from '../contract/webhooks.ts';
import { EXIT } from './exit-codes.ts';
import { inboxCommands } from './inbox-commands.ts';
import { requestKey } from './keys.ts';
import { wholeFlag } from './options.ts';
import { shown } from './session.ts';
import type { Finish, Session } from './session.ts';
import { whichRelease } from './which.ts';
import { timeWords } from './times.ts';

export function webhookCommands(webhook: Command, session: () => Session, finish: Finish): void {
  webhook
    .command('list')
    .description('who is told, and how that goes')
    .action(() => finish(listed(session())));
  webhook
    .command('deliveries')
    .description('what was sent, or waits to be; newest first')
    .option('--endpoint <name>')
    .option('--state <state>', 'pending, delivered, parked or replaced')
    .option('--release <id>')
    .option('--limit <n>', 'how many', '20')
    .option('--cursor <n>', 'go on from here')
    .action((options: Readonly<Record<string, string>>) => finish(deliveries(session(), options)));
  webhook
    .command('test')
    .description('send one notice and say what came back')
    .argument('<endpoint>')
    .option('--reason <text>')
    .action((name: string, options: Why) => finish(tested(session(), name, options)));
  webhook
    .command('enable')
    .description('deliver again to an endpoint that said it was gone; what waits is tried at once')
    .argument('<endpoint>')
    .option('--reason <text>')
    .action((name: string, options: Why) => finish(enabled(session(), name, options)));
  webhook
    .command('replay')
    .description('queue again what an endpoint missed')
    .argument('<endpoint>')
    .option('--from <event>', 'the id of an event, or a position; left out, all that is parked')
    .option('--release <id>', 'of this release only')
    .option('--limit <n>', '1000 at most', wholeFlag)
    .option('--reason <text>')
    .action((name: string, options: ReplayFlags) => finish(replayed(session(), name, options)));
  webhook
    .command('redeliver')
    .description('queue one delivery again, under the same id')
    .argument('<seq>', 'as `webhook deliveries` shows it', wholeFlag)
    .option('--reason <text>')
    .action((seq: number, options: Why) => finish(redelivered(session(), seq, options)));
  inboxCommands(webhook.command('inbox').description('webhooks that came in'), session, finish);
}

type Why = { readonly reason?: string };
type ReplayFlags = Why & { readonly from?: string; readonly release?: string; readonly limit?: number };

async function listed({ api, print, json }: Session): Promise<number> {
  const answer = await api.endpoints();
  return shown({ print, json }, answer, ({ items }) => items.map(endpointLine).join('\n') || 'nobody is told of anything');
}

async function deliveries(session: Session, query: Readonly<Record<string, string>>): Promise<number> {
  const { api, print, json } = session;
  const of = await ofRelease(session, query['release']);
  if (!of.ok) return of.error;
  const answer = await api.deliveries({ ...query, ...of.value });
  return shown({ print, json }, answer, ({ items, nextCursor }) => {
    const more = nextCursor === null ? [] : [`more: --cursor ${nextCursor}`];
    return [...items.map(deliveryLine), ...more].join('\n') || 'nothing';
  });
}

/** Its whole id, where the beginning of one was given. */
async function ofRelease(session: Session, id: string | undefined): Promise<Result<{ readonly release?: string }, number>> {
  if (id === undefined) return ok({});
  const found = await whichRelease(session, { id, service: null }, { ms: 0, note: session.print.note });
  return found.ok ? ok({ release: found.value }) : found;
}

async function tested({ api, print, json }: Session, name: string, why: Why): Promise<number> {
  const answer = await api.testEndpoint(name, why);
  const code = shown({ print, json }, answer, ({ ms, detail }) => `${detail} (${ms} ms)`);
  return answer.ok && !answer.value.delivered ? EXIT.unreachable : code;
}

async function enabled({ api, print, json }: Session, name: string, why: Why): Promise<number> {
  return shown({ print, json }, await api.enableEndpoint(name, why), endpointLine);
}

async function replayed(session: Session, name: string, flags: ReplayFlags): Promise<number> {
  const { api, print, json } = session;
  const { from, ...rest } = flags;
  const of = await ofRelease(session, flags.release);
  if (!of.ok) return of.error;
  const start = from === undefined ? {} : { from: /^\d+$/.test(from) ? Number(from) : from };
  return shown({ print, json }, await api.replay(name, { ...start, ...rest, ...of.value }), ({ queued, more, next }) => {
    const goOn = next === null ? '' : ` --from ${next}`;
    return `${queued} queued again${more ? `; there is more: headgate webhook replay ${name}${goOn}` : ''}`;
  });
}

async function redelivered({ api, print, json, env }: Session, seq: number, why: Why): Promise<number> {
  const key = requestKey(env, ['redeliver', seq, why]);
  return shown({ print, json }, await api.redeliver(seq, why, key), (queued) => `queued again as delivery ${queued.seq}`);
}

const time = (ms: number | null): string => (ms === null ? '-' : timeWords(ms));

const endpointLine = ({ name, type, state, reason, pending, parked, lastDeliveryAt, failing }: EndpointView): string =>
  [
    name.padEnd(20),
    type.padEnd(8),
    (failing !== null && state === 'enabled' ? 'failing' : state).padEnd(9),
    `${pending} wait  ${parked} parked  last delivery ${time(lastDeliveryAt)}`,
    ...(failing === null ? [] : [`since ${time(failing.since)}: ${failing.detail}, next try ${time(failing.nextAt)}`]),
    ...(reason === null ? [] : [reason]),
  ].join('  ');

const deliveryLine = ({ seq, createdAt, notifier, state, eventId, type, attempts, detail, dueAt }: DeliveryView): string =>
  [
    String(seq).padStart(6),
    time(createdAt),
    notifier.padEnd(16),
    state.padEnd(9),
    `${type} (${eventId})`,
    `tried ${attempts}`,
    // Not tried and due long ago: it is in line behind an older one of the same release.
    ...(dueAt === null || attempts === 0 ? [] : [`next ${time(dueAt)}`]),
    ...(detail === null ? [] : [detail]),
  ].join('  ');
