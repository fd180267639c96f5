/** `headgate service …`: what Headgate has to be told of a service. */
import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { refused } from './session.ts';
import type { Finish, Session } from './session.ts';

export function serviceCommands(service: Command, session: () => Session, finish: Finish): void {
  service
    .command('stable')
    .description('say which version serves now, before the first release by Headgate')
    .argument('<service>')
    .argument('<version>')
    .option('--slot <slot>', 'where it serves')
    .option('--reason <text>')
    .action((name, version, options) => finish(stable(session(), name, { version, ...options })));
}

async function stable({ api, print, json }: Session, name: string, body: Readonly<Record<string, unknown>>): Promise<number> {
  const answer = await api.setStable(name, body);
  if (!answer.ok) return refused(print, answer.error);
  const { stableVersion, stableSlot } = answer.value;
  print.data(json ? JSON.stringify(answer.value) : `${name} ${stableVersion} serves in ${stableSlot}`);
  return EXIT.ok;
}
