/** `headgate release …`: starting, watching and steering releases. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { ok } from '../lib/result.ts';
import { again } from './again.ts';
import { beyondPlan } from './beyond.ts';
import type { Client } from './client.ts';
import { EXIT, exitOf } from './exit-codes.ts';
import { requestKey } from './keys.ts';
import { spanOption, untilOption } from './options.ts';
import { progressLine } from './output.ts';
import { readText, refused, UsageError } from './session.ts';
import type { Finish, Session } from './session.ts';
import { planOfStages, STAGE_SHAPE, stageOf } from './stages.ts';
import type { Stage } from './stages.ts';
import { waitFor } from './wait.ts';
import type { WaitOptions } from './wait.ts';
import { whichRelease } from './which.ts';
import type { Named } from './which.ts';

export function releaseCommands(release: Command, session: () => Session, finish: Finish): void {
  release
    .command('start')
    .description('start a release by a plan')
    .argument('[service]', 'with --stage: the service to release')
    .requiredOption('--version <version>', 'the version in the idle slot')
    .option('-f, --file <file>', 'the plan as a file')
    .option('--plan <name>', 'the name of an applied plan')
    .option('--stage <weight,hold>', 'a step, such as 5%,10m; again for more', collect(stage), [])
    .option('--check <names>', 'with --stage: checks that the provider offers', 'errors,latency')
    .option('--first', 'a first release: nothing to compare with')
    .option('--paused', 'wait for a person before the first step')
    .option('--on-busy <what>', 'reject, queue or supersede')
    .option('--reason <text>')
    .option('--idempotency-key <key>', 'starts once, however often it is asked; in a pipeline the step names itself')
    .option('--dry-run', 'check everything, and start nothing')
    .option('--wait', 'wait for the end')
    .addOption(untilOption())
    .addOption(spanOption('--timeout <duration>', 'how long to wait', WAIT_MS))
    .addOption(spanOption('--retry <duration>', 'how long to try while the service is away', RETRY_MS))
    .action((service, options) => finish(startRelease(session(), service ?? null, options)));
  release
    .command('list')
    .option('--service <name>')
    .option('--phase <phases>', 'comma-separated')
    .option('--version <version>')
    .option('--q <text>', 'part of the service, version, id or creator')
    .option('--since <time>', 'such as 2026-11-20T09:00:00Z')
    .option('--cursor <cursor>', 'go on from here: as the page before says')
    .option('--limit <n>', 'how many', '20')
    .action((options) => finish(list(session(), options)));
  const one = (command: Command): Command =>
    command
      .argument('[id]', 'or the beginning of it, 8 characters at least')
      .option('--service <name>', 'the one that moves it now');
  one(release.command('get')).action((id, options) => finish(get(session(), namedBy(id, options))));
  one(release.command('wait'))
    .addOption(untilOption())
    .addOption(spanOption('--timeout <duration>', 'how long to wait', WAIT_MS))
    .action((id, options) =>
      finish(waited(session(), namedBy(id, options), { until: options.until, timeoutMs: options.timeout })),
    );
  one(release.command('watch').description('follow a release to its end')).action((id, options) =>
    finish(waited(session(), namedBy(id, options), { until: 'terminal', timeoutMs: Number.MAX_SAFE_INTEGER })),
  );
  for (const verb of ['pause', 'resume', 'promote', 'approve', 'reject', 'rollback', 'abort'])
    orderCommand(release.command(verb), verb, one).action((id, options) =>
      finish(ordered(session(), namedBy(id, options), verb, options)),
    );
}

/** What raises says which release it raises; lowering may mean whatever moves the service. */
function orderCommand(command: Command, verb: string, one: (command: Command) => Command): Command {
  const isLowering = LOWERING.has(verb);
  const made = (isLowering ? one(command) : command.argument('<id>', 'or the beginning of it, 8 characters at least'))
    .option('--reason <text>')
    .option('--idempotency-key <key>')
    .addOption(spanOption('--retry <duration>', 'how long to try while the service is away', RETRY_MS));
  if (!isLowering)
    made.option('--if-match <version>', 'refuse when it is at another stateVersion; * for any. The present one is taken');
  if (verb === 'promote')
    made
      .option('--full', 'all the way, skipping what is left')
      .option('--force', 'although the checks say otherwise; needs --reason');
  return made;
}

const namedBy = (id: string | undefined, { service }: { readonly service?: string }): Named => ({
  id: id ?? null,
  service: service ?? null,
});

const collect =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[]): readonly T[] => [...before, parse(text)];

function stage(text: string): Stage {
  const found = stageOf(text);
  if (found === null) throw new InvalidArgumentError(STAGE_SHAPE);
  return found;
}

type StartFlags = {
  readonly version: string;
  readonly file?: string;
  readonly plan?: string;
  readonly stage: readonly Stage[];
  readonly check: string;
  readonly first?: boolean;
  readonly paused?: boolean;
  readonly onBusy?: string;
  readonly reason?: string;
  readonly wait?: boolean;
  readonly until: string;
  readonly timeout: number;
  readonly retry: number;
  readonly idempotencyKey?: string;
  readonly dryRun?: boolean;
};

async function startRelease(session: Session, service: string | null, flags: StartFlags): Promise<number> {
  const { api, print, json, env } = session;
  const { version, first, paused, onBusy, reason } = flags;
  const asked = {
    plan: planFrom(service, flags),
    version,
    ...(first ? { first } : {}),
    ...(paused ? { paused } : {}),
    ...(onBusy ? { onBusy } : {}),
    ...(reason ? { reason } : {}),
  };
  if (flags.dryRun) return show(session, api.tryStart(asked));
  const patience = { ms: flags.retry, note: print.note };
  const beyond = flags.wait ? await beyondPlan(api, { asked, until: flags.until }, patience) : ok(null);
  if (!beyond.ok) return refused(print, beyond.error);
  if (beyond.value !== null) throw new UsageError(beyond.value);
  const key = flags.idempotencyKey ?? requestKey(env, asked);
  const forget = session.onInterrupt?.(() =>
    print.note('the release was being asked for, and may have begun: headgate release list shows it'),
  );
  const started = await again(() => api.start(asked, key), patience);
  forget?.();
  if (!started.ok) return refused(print, started.error);
  print.data(json ? JSON.stringify(started.value) : started.value.id);
  if (!flags.wait) return EXIT.ok;
  return waitFor(session, started.value.id, { until: flags.until, timeoutMs: flags.timeout, started: started.value });
}

function planFrom(service: string | null, { file, plan, stage: stages, check }: StartFlags): unknown {
  const given = [file, plan, stages.length > 0 ? 'stages' : undefined].filter((each) => each !== undefined);
  if (given.length !== 1) throw new UsageError('say by which plan: --file, --plan or --stage, one of them');
  if (file !== undefined) return readText(file);
  if (plan !== undefined) return plan;
  if (service === null)
    throw new UsageError('with --stage say which service: headgate release start SERVICE --stage 5%,10m --version 1.2.3');
  return planOfStages(
    service,
    stages,
    check
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
  );
}

async function list({ api, print, json }: Session, options: Readonly<Record<string, string>>): Promise<number> {
  const answer = await api.releases(options);
  if (!answer.ok) return refused(print, answer.error);
  if (json) print.data(JSON.stringify(answer.value));
  else {
    const { items, nextCursor } = answer.value;
    for (const release of items) print.data(`${release.id}  ${release.phase.kind.padEnd(16)} ${progressLine(release)}`);
    if (items.length === 0) print.note('no release');
    if (nextCursor !== null) print.note(`there are more: --cursor ${nextCursor}, or --limit 200`);
  }
  return EXIT.ok;
}

async function get(session: Session, named: Named): Promise<number> {
  const found = await whichRelease(session, named, { ms: 0, note: session.print.note });
  if (!found.ok) return found.error;
  return show(session, session.api.release(found.value), session.api.checks(found.value));
}

async function waited(session: Session, named: Named, options: WaitOptions): Promise<number> {
  const found = await whichRelease(session, named, { ms: RETRY_MS, note: session.print.note });
  return found.ok ? waitFor(session, found.value, options) : found.error;
}

type OrderFlags = {
  readonly reason?: string;
  readonly full?: boolean;
  readonly force?: boolean;
  readonly ifMatch?: string;
  readonly idempotencyKey?: string;
  readonly retry: number;
};

/** Raising says which version was seen, so that two pipelines do not both go on; lowering never asks. */
async function ordered(session: Session, named: Named, verb: string, flags: OrderFlags): Promise<number> {
  const { api, print, env } = session;
  const { reason, full, force, idempotencyKey, retry } = flags;
  const patience = { ms: retry, note: print.note };
  const body = { ...(reason ? { reason } : {}), ...(full ? { full } : {}), ...(force ? { force } : {}) };
  const which = await whichRelease(session, named, patience);
  if (!which.ok) return which.error;
  let seen = seenOf(flags.ifMatch);
  if (seen === undefined) {
    const found = LOWERING.has(verb) ? null : await again(() => api.release(which.value), patience);
    if (found?.ok === false) return refused(print, found.error);
    seen = found?.value.stateVersion ?? null;
  }
  const send = (id: string): ReturnType<Client['command']> => {
    const key = (id === which.value ? idempotencyKey : undefined) ?? requestKey(env, [id, verb, body, seen]);
    const order = { body, key, seen };
    return again(() => api.command(id, verb, order), patience);
  };
  const sent = await send(which.value);
  // It may have ended just now, and another one have begun in its place.
  const hasEnded = named.service !== null && !sent.ok && sent.error.kind === 'refused' && sent.error.status === 409;
  const next = hasEnded ? await whichRelease(session, named, patience) : which;
  if (!next.ok) return next.error;
  return show(session, next.value === which.value ? Promise.resolve(sent) : send(next.value));
}

const LOWERING: ReadonlySet<string> = new Set(['pause', 'rollback', 'abort']);
const RETRY_MS = 30_000;
const WAIT_MS = 24 * 3_600_000;

function seenOf(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === '*') return null;
  const version = /^"?(\d{1,15})"?$/.exec(text)?.[1];
  if (version === undefined) throw new UsageError('--if-match is a stateVersion, such as 12, or *');
  return Number(version);
}

/** A release keeps what was said when a verdict last changed; `measured` is what the newest measurement says. */
async function show(
  { print, json }: Session,
  asked: ReturnType<Client['release']>,
  measured?: ReturnType<Client['checks']>,
): Promise<number> {
  const [answer, newest] = await Promise.all([asked, measured]);
  if (!answer.ok) return refused(print, answer.error);
  const release = answer.value;
  const said = new Map((newest?.ok ? newest.value.items : []).map((check) => [check.name, check]));
  const lines = Object.entries(release.checks).map(([name, kept]) => {
    const { verdict, sentence } = said.get(name) ?? kept;
    return `  ${name}: ${verdict}, ${sentence}`;
  });
  print.data(json ? JSON.stringify(release) : [progressLine(release), ...lines].join('\n'));
  // A command was taken; what became of the release is for `wait`. Only a rollback that does not get through is worth a code.
  return exitOf(release) === EXIT.unverified ? EXIT.unverified : EXIT.ok;
}
