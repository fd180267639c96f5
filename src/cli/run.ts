/** The command line: `headgate serve | validate | apply | release ...`. It talks HTTP and holds no rules. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { problemLine } from '../contract/problem.ts';
import type { PlanWorld } from '../contract/plan-world.ts';
import type { Problem } from '../contract/problem.ts';
import { parseDuration } from '../lib/duration.ts';
import type { Result } from '../lib/result.ts';
import { auditCommands } from './audit-commands.ts';
import { client } from './client.ts';
import type { Answer, Client } from './client.ts';
import { EXIT, exitOf, exitOfStatus } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { errorText, printer, progressLine } from './output.ts';
import type { Printer, Terminal } from './output.ts';
import { planCommands } from './plan-commands.ts';
import { planOfStages, stage } from './stages.ts';
import type { Stage } from './stages.ts';
import { tokenCommands } from './token-commands.ts';
import { waitFor } from './wait.ts';
import { webhookCommands } from './webhook-commands.ts';

/** What only the top knows: how to run the service, and how to check a plan against a configuration file. */
export type CliDeps = Terminal & {
  serve(options: { readonly config: string | null; readonly dev: boolean }): Promise<number>;
  validateOffline(plan: string, configFile: string): Result<readonly Problem[], readonly Problem[]>;
  worldOf(configFile: string): Result<PlanWorld, readonly Problem[]>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof globalThis.fetch;
};

export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  let code: number = EXIT.ok;
  const print = printer(deps);
  const program = new Command('headgate')
    .description('progressive delivery without Kubernetes')
    .option('--server <url>', 'address of the service', deps.env['HEADGATE_SERVER'] ?? 'http://127.0.0.1:8080')
    .option(
      '--actor <name>',
      'with serve --dev: who asks; ci:NAME for a pipeline',
      deps.env['HEADGATE_ACTOR'] ?? deps.env['USER'] ?? 'anonymous',
    )
    .option('--token <token>', 'who asks; HEADGATE_TOKEN or HEADGATE_TOKEN_FILE keep it out of the list of processes')
    .option('--json', 'data as JSON')
    .showHelpAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void deps.out.write(text),
      writeErr: (text) => void deps.err.write(text),
    });
  const finish = (result: Promise<number>): Promise<void> => result.then((done) => void (code = done));
  const api = (): Client => {
    const { server, actor, token } = program.opts();
    return client({ server, actor, token: tokenFrom(token, deps.env), fetch: deps.fetch });
  };
  const session = (): Session => ({ api: api(), print, json: program.opts()['json'] === true });

  program
    .command('serve')
    .description('run the service')
    .option('--config <file>', 'configuration file', deps.env['HEADGATE_CONFIG'])
    .option('--dev', 'a laptop: no identity, everything on loopback')
    .action((options) => finish(deps.serve({ config: options.config ?? null, dev: options.dev === true })));
  program
    .command('validate')
    .description('say everything that is wrong with a plan')
    .argument('<file>')
    .option('--config <file>', 'check against this configuration instead of the running service')
    .action((file, options) => finish(validate(session(), deps, { file, config: options.config ?? null })));
  program
    .command('apply')
    .description('store a plan')
    .argument('<file>')
    .action((file) => finish(apply(session(), file)));
  releaseCommands(program.command('release').description('start, watch and steer releases'), session, finish);
  tokenCommands(program.command('token').description('make, list and revoke API tokens'), session, finish);
  auditCommands(program.command('audit').description('the log of who did what'), session, finish);
  webhookCommands(program.command('webhook').description('who is told of events'), session, finish);
  const about = program.command('plan').description('what a plan can see, before it runs');
  planCommands(about, () => ({ ...session(), readText, worldOf: deps.worldOf }), finish);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof UsageError) {
      print.note(error.message);
      return EXIT.usage;
    }
    throw error;
  }
}

/** The nearest wins: the flag, the variable, the file. */
function tokenFrom(flag: string | undefined, env: CliDeps['env']): string | null {
  const given = flag ?? env['HEADGATE_TOKEN'];
  if (given) return given.trim();
  const file = env['HEADGATE_TOKEN_FILE'];
  return file ? readText(file).trim() : null;
}

type Session = { readonly api: Client; readonly print: Printer; readonly json: boolean };
type Finish = (result: Promise<number>) => Promise<void>;

class UsageError extends Error {}

function releaseCommands(release: Command, session: () => Session, finish: Finish): void {
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
    .option('--wait', 'wait for the end')
    .option('--until <condition>', 'terminal, promoted, paused or step:N', 'terminal')
    .option('--timeout <duration>', 'how long to wait', timeout, 24 * 3_600_000)
    .action((service, options) => finish(startRelease(session(), service ?? null, options)));
  release
    .command('list')
    .option('--service <name>')
    .option('--phase <phases>', 'comma-separated')
    .option('--limit <n>', 'how many', '20')
    .action((options) => finish(list(session(), options)));
  release
    .command('get')
    .argument('<id>')
    .action((id) => finish(show(session(), session().api.release(id))));
  release
    .command('wait')
    .argument('<id>')
    .option('--until <condition>', 'terminal, promoted, paused or step:N', 'terminal')
    .option('--timeout <duration>', 'how long to wait', timeout, 24 * 3_600_000)
    .action((id, options) => {
      const { api, print } = session();
      return finish(waitFor(api, id, { until: options.until, timeoutMs: options.timeout }, print));
    });
  release
    .command('watch')
    .description('follow a release to its end')
    .argument('<id>')
    .action((id) => {
      const { api, print } = session();
      return finish(waitFor(api, id, { until: 'terminal', timeoutMs: Number.MAX_SAFE_INTEGER }, print));
    });
  for (const verb of ['pause', 'resume', 'promote', 'approve', 'reject', 'rollback', 'abort']) {
    const command = release.command(verb).argument('<id>').option('--reason <text>');
    if (verb === 'promote')
      command
        .option('--full', 'all the way, skipping what is left')
        .option('--force', 'although the checks say otherwise; needs --reason');
    command.action((id, options) => finish(show(session(), session().api.command(id, verb, options))));
  }
}

const collect =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[]): readonly T[] => [...before, parse(text)];

function timeout(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('a duration such as 30s, 5m or 1h');
  return ms;
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
};

async function startRelease({ api, print, json }: Session, service: string | null, flags: StartFlags): Promise<number> {
  const { version, first, paused, onBusy, reason } = flags;
  const started = await api.start({
    plan: planFrom(service, flags),
    version,
    ...(first ? { first } : {}),
    ...(paused ? { paused } : {}),
    ...(onBusy ? { onBusy } : {}),
    ...(reason ? { reason } : {}),
  });
  if (!started.ok) return refused(print, started.error);
  print.data(json ? JSON.stringify(started.value) : started.value.id);
  if (!flags.wait) return EXIT.ok;
  return waitFor(api, started.value.id, { until: flags.until, timeoutMs: flags.timeout }, print);
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
  else
    for (const release of answer.value.items)
      print.data(`${release.id}  ${release.phase.kind.padEnd(16)} ${progressLine(release)}`);
  return EXIT.ok;
}

async function show({ print, json }: Session, asked: ReturnType<Client['release']>): Promise<number> {
  const answer = await asked;
  if (!answer.ok) return refused(print, answer.error);
  const release = answer.value;
  if (json) print.data(JSON.stringify(release));
  else
    print.data(
      [
        progressLine(release),
        ...Object.entries(release.checks).map(([name, check]) => `  ${name}: ${check.verdict}, ${check.sentence}`),
      ].join('\n'),
    );
  // A command was taken; what became of the release is for `wait`. Only a rollback that does not get through is worth a code.
  return exitOf(release) === EXIT.unverified ? EXIT.unverified : EXIT.ok;
}

async function validate(
  { api, print }: Session,
  deps: CliDeps,
  { file, config }: { readonly file: string; readonly config: string | null },
): Promise<number> {
  const text = readText(file);
  if (config !== null) {
    const result = deps.validateOffline(text, config);
    for (const problem of result.ok ? result.value : result.error)
      print.note(`${result.ok ? 'warning: ' : ''}${problemLine(file, problem)}`);
    return result.ok ? EXIT.ok : EXIT.usage;
  }
  const answer = await api.validate(text);
  if (!answer.ok) return refused(print, answer.error);
  const { valid, problems, warnings } = answer.value;
  const line = ({ pointer, detail, line: at, column }: (typeof problems)[number]): string =>
    problemLine(file, { path: pointer, message: detail, line: at, column });
  for (const problem of problems) print.note(line(problem));
  for (const warning of warnings) print.note(`warning: ${line(warning)}`);
  return valid ? EXIT.ok : EXIT.usage;
}

async function apply({ api, print, json }: Session, file: string): Promise<number> {
  const answer = await api.applyPlan(readText(file));
  if (!answer.ok) return refused(print, answer.error);
  print.data(json ? JSON.stringify(answer.value) : `${answer.value.name} version ${answer.value.version}`);
  return EXIT.ok;
}

function refused(print: Printer, error: Awaited<Answer<never>> extends Result<never, infer E> ? E : never): ExitCode {
  print.note(errorText(error));
  return error.kind === 'unreachable' ? EXIT.unreachable : exitOfStatus(error.status);
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch {
    throw new UsageError(`${file} cannot be read`);
  }
}
