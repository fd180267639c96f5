/**
 * Notices as messages in a Slack channel, through an incoming webhook: what happened, why, what the checks say, and a link.
 * Slack knows no ids of messages, so a message whose answer was lost comes twice.
 */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import { err, ok } from '../../lib/result.ts';
import { TEST_EVENT } from '../../ports/notifier.ts';
import type { Notice, Notifier, NotifyError, ReleaseBrief } from '../../ports/notifier.ts';
import { refusalOf, unreachable } from './answer.ts';
import type { Wire } from './answer.ts';
import { answerTo } from '../outgoing/client.ts';
import type { Answered } from '../outgoing/client.ts';

export const slackOptions = strict({
  type: z.literal('slack'),
  url: z.url({ protocol: /^https?$/, error: "the incoming webhook's address, by env:NAME or file:PATH" }),
  /** These event types instead of the ones that people act on. */
  events: z.array(z.string()).optional(),
});

export type SlackOptions = { readonly url: string; readonly events?: readonly string[] | undefined };

/** What somebody who is not looking wants to hear of, each with the sign that stands before it. */
const SHOWN: Readonly<Record<string, string>> = {
  'release.started': '🔵',
  'step.entered': '🔵',
  'bake.began': '🔵',
  'release.paused': '🟡',
  'release.resumed': '🔵',
  'approval.asked': '🟡',
  'approval.refused': '🔴',
  'approval.expired': '🟡',
  'replace.began': '🔵',
  'replace.overdue': '🟡',
  'hold.began': '🟡',
  'rollback.decided': '🔴',
  'rollback.unverified': '🚨',
  'release.quarantined': '🚨',
  'release.promoted': '🟢',
  'release.rolledBack': '🔴',
  'release.superseded': '⚪',
};

/** These are understood by what the checks said. */
const WITH_EVIDENCE = new Set([
  'approval.asked',
  'hold.began',
  'rollback.decided',
  'rollback.unverified',
  'release.promoted',
  'release.rolledBack',
]);
const MOST_CHECKS = 10;
/** Slack takes 3,000 letters in a block, and an escaped one counts as it is written. */
const MOST_LETTERS = 2_900;
const READ_BYTES = 300;

/** `consoleUrl`: where people look at releases; null for no link. */
export function slack(name: string, { url, events }: SlackOptions, wire: Wire, consoleUrl: string | null): Notifier {
  return {
    name,
    type: 'slack',
    async deliver(notice, signal) {
      const isWanted = notice.type === TEST_EVENT || (events ? events.includes(notice.type) : notice.type in SHOWN);
      if (!isWanted) return ok(undefined);
      const body = { type: 'application/json; charset=utf-8', text: JSON.stringify(messageOf(notice, consoleUrl)) };
      const answer = await answerTo(wire.send, { method: 'POST', url, body, upTo: READ_BYTES }, signal);
      if (!answer.ok) return err(unreachable(name, answer.error));
      return answer.value.status === 200 ? ok(undefined) : err(refusedBy(name, answer.value, wire));
    },
    close: async () => {},
  };
}

/** Slack's words are one of its error names, such as `invalid_blocks`. A message that it cannot read is the same next time. */
function refusedBy(name: string, answer: Answered, wire: Wire): NotifyError {
  const words = /^\w{1,60}$/.exec(answer.body.trim())?.[0] ?? '';
  const error = refusalOf(name, answer, wire, words);
  return answer.status === 400 ? { ...error, kind: 'unfit' } : error;
}

export function messageOf(notice: Notice, consoleUrl: string | null): Readonly<Record<string, unknown>> {
  const { type, sentence, release } = notice;
  const sign = SHOWN[type] ?? '🔵';
  const said = escaped(sentence);
  const evidence = release && WITH_EVIDENCE.has(type) ? evidenceOf(release) : [];
  const link = release && consoleUrl !== null ? [linkTo(consoleUrl, release.id)] : [];
  const facts = release ? [...factsOf(release), ...link] : link;
  return {
    text: cut(`${sign} ${said}`),
    blocks: [
      section(`${sign} *${said.replaceAll('*', '∗')}*`),
      ...(evidence.length > 0 ? [section(evidence.join('\n'))] : []),
      ...(facts.length > 0 ? [{ type: 'context', elements: [text(facts.join('  ·  '))] }] : []),
    ],
  };
}

const text = (mrkdwn: string) => ({ type: 'mrkdwn', text: cut(mrkdwn), verbatim: true });
const section = (mrkdwn: string) => ({ type: 'section', text: text(mrkdwn) });

/** Never in the middle of an escaped letter, which would show as half of it. */
const cut = (words: string): string =>
  words.length <= MOST_LETTERS ? words : `${words.slice(0, MOST_LETTERS).replace(/&[a-z]{0,3}$|[\uD800-\uDBFF]$/, '')}…`;

function evidenceOf({ checks }: ReleaseBrief): readonly string[] {
  const lines = Object.entries(checks).map(([name, { verdict, sentence }]) => `• ${name}: ${verdict}, ${sentence}`);
  const more = lines.length - MOST_CHECKS;
  return [...lines.slice(0, MOST_CHECKS), ...(more > 0 ? [`• and ${more} more`] : [])].map(escaped);
}

function factsOf({ service, environment, version, stableVersion, plan }: ReleaseBrief): readonly string[] {
  const change = stableVersion === null ? version : `${stableVersion} → ${version}`;
  return [service, environment, change, `plan ${plan}`].filter((each) => each !== null).map(escaped);
}

const linkTo = (consoleUrl: string, release: string): string =>
  `<${escaped(`${consoleUrl.replace(/\/+$/, '')}/releases/${encodeURIComponent(release)}`)}|Open in Headgate>`;

/** Slack's three letters: without this a version could call a whole channel. */
const escaped = (words: string): string => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
