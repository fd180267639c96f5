/** `headgate service …`: what serves now, where the next version goes, and what Headgate has to be told of a service. */
import type { Command } from 'commander';
import type { ServiceView, TargetView } from '../contract/wire.ts';
import { percent, Weight } from '../domain/ids.ts';
import { ok } from '../lib/result.ts';
import { shown } from './session.ts';
import type { Finish, Session } from './session.ts';

export function serviceCommands(service: Command, session: () => Session, finish: Finish): void {
  service
    .command('list')
    .description('every service: what serves, which slot is idle, and which release moves it')
    .action(() => finish(listed(session())));
  service
    .command('get')
    .description('one service, with the weights of its targets as they are wanted and served')
    .argument('<service>')
    .action((name: string) => finish(got(session(), name)));
  service
    .command('stable')
    .description('say which version serves now, before the first release by Headgate')
    .argument('<service>')
    .argument('<version>')
    .option('--slot <slot>', 'where it serves')
    .option('--reason <text>')
    .action((name, version, options) => finish(stable(session(), name, { version, ...options })));
}

async function listed({ api, ...session }: Session): Promise<number> {
  return shown(session, await api.services(), ({ items }) => items.map(serviceLine).join('\n') || 'there is no service');
}

async function got({ api, ...session }: Session, name: string): Promise<number> {
  const [service, targets] = await Promise.all([api.service(name), api.targets(name)]);
  if (!service.ok) return shown(session, service, () => '');
  if (!targets.ok) return shown(session, targets, () => '');
  return shown(session, ok({ ...service.value, targets: targets.value.items }), serviceText);
}

async function stable({ api, ...session }: Session, name: string, body: Readonly<Record<string, unknown>>): Promise<number> {
  const answer = await api.setStable(name, body);
  return shown(session, answer, ({ stableVersion, stableSlot }) => `${name} ${stableVersion} serves in ${stableSlot}`);
}

function serviceLine({ name, stableVersion, stableSlot, idleSlot, activeRelease }: ServiceView): string {
  const serves = stableVersion === null ? 'no stable version is known' : `${stableVersion} serves in ${stableSlot}`;
  return [
    name.padEnd(20),
    serves.padEnd(32),
    idleSlot === null ? 'no target' : activeRelease === null ? `${idleSlot} is idle` : `${idleSlot} has release ${activeRelease}`,
  ].join('  ');
}

const serviceText = (view: ServiceView & { readonly targets: readonly TargetView[] }): string => {
  const { name, stableVersion, stableSlot, idleSlot, activeRelease, team, environment, provider, promotion } = view;
  const facts = [
    ...(team === null ? [] : [`team ${team}`]),
    ...(environment === null ? [] : [`environment ${environment}`]),
    ...(provider === null ? [] : [`provider ${provider}`]),
    `promotion ${promotion}`,
  ];
  return [
    stableVersion === null
      ? `${name} has no stable version yet: headgate service stable ${name} VERSION`
      : `${name} ${stableVersion} serves in ${stableSlot}`,
    activeRelease === null
      ? `  ${idleSlot === null ? 'it has no target' : `${idleSlot} is idle: the next version is deployed there`}`
      : `  release ${activeRelease} moves it, with the new version in ${idleSlot}`,
    ...view.targets.map(targetLine),
    `  ${facts.join(', ')}`,
  ].join('\n');
};

function targetLine({ id, slots, desiredSecondSlotBp, servedSecondSlotBp, differs }: TargetView): string {
  const shares = (second: number): string =>
    `${slots[0]} ${percent(Weight(10_000 - second))}, ${slots[1]} ${percent(Weight(second))}`;
  const served = servedSecondSlotBp ?? null;
  const now = served === null ? 'what is served cannot be read' : `${shares(served)} served`;
  return `  ${id}: ${shares(desiredSecondSlotBp)} wanted; ${now}${differs === null ? '' : ` (${differs})`}`;
}
