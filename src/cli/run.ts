/** The command line: `headgate serve | validate | apply | release ...`. It talks HTTP and holds no rules. */
import { Command, CommanderError } from 'commander';
import type { PlanWorld } from '../contract/plan-world.ts';
import type { Problem } from '../contract/problem.ts';
import type { Result } from '../lib/result.ts';
import { wrongAddress } from './address.ts';
import { auditCommands } from './audit-commands.ts';
import { client } from './client.ts';
import { EXIT } from './exit-codes.ts';
import { flagCommands } from './flag-commands.ts';
import { fileIdentity, fixedIdentity, githubIdentity } from './identity.ts';
import type { Identity } from './identity.ts';
import { printer } from './output.ts';
import type { Printer, Terminal } from './output.ts';
import { planCommands } from './plan-commands.ts';
import { releaseCommands } from './release-commands.ts';
import { serviceCommands } from './service-commands.ts';
import { readText, refused, UsageError } from './session.ts';
import type { OnInterrupt, Session } from './session.ts';
import { tokenCommands } from './token-commands.ts';
import { validate } from './validate.ts';
import { webhookCommands } from './webhook-commands.ts';

/** What only the top knows: how to run the service, and how to check a plan against a configuration file. */
export type CliDeps = Terminal & {
  serve(options: { readonly config: string | null; readonly dev: boolean }): Promise<number>;
  worldOf(configFile: string): Result<PlanWorld, readonly Problem[]>;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof globalThis.fetch;
  readonly onInterrupt?: OnInterrupt;
};

export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  let code: number = EXIT.ok;
  const print = printer(deps, deps.env['CI'] === 'true');
  // Elsewhere on the line it is the version that is released, which an option of the program would take away.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    print.data(deps.version);
    return EXIT.ok;
  }
  const program = new Command('headgate')
    .description('progressive delivery without Kubernetes')
    .option('--server <url>', 'address of the service', deps.env['HEADGATE_SERVER'] || 'http://127.0.0.1:8080')
    .option(
      '--actor <name>',
      'with serve --dev: who asks; ci:NAME for a pipeline',
      deps.env['HEADGATE_ACTOR'] ?? deps.env['USER'] ?? 'anonymous',
    )
    .option('--token <token>', 'who asks; HEADGATE_TOKEN or HEADGATE_TOKEN_FILE keep it out of the list of processes')
    .option('--audience <name>', 'ask GitHub for ID tokens made out to it', deps.env['HEADGATE_AUDIENCE'])
    .option('--json', 'data as JSON')
    .addHelpText('after', '\n`headgate --version` says which Headgate this is.')
    .showHelpAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void deps.out.write(text),
      writeErr: (text) => void deps.err.write(text),
    });
  const finish = (result: Promise<number>): Promise<void> => result.then((done) => void (code = done));
  const session = (): Session => sessionOf(program, print, deps);

  program
    .command('serve')
    .description('run the service')
    .option('--config <file>', 'configuration file', deps.env['HEADGATE_CONFIG'])
    .option('--dev', 'a laptop: no identity, everything on loopback')
    .action((options) => finish(deps.serve({ config: options.config ?? null, dev: options.dev === true })));
  program
    .command('validate')
    .description('say everything that is wrong with a plan, or what a release by it does')
    .argument('<file>')
    .option('--config <file>', 'check against this configuration instead of the running service')
    .action((file, options) => finish(validate(session(), deps.worldOf, { file, config: options.config ?? null })));
  program
    .command('apply')
    .description('store a plan')
    .argument('<file>')
    .action((file) => finish(apply(session(), file)));
  releaseCommands(program.command('release').description('start, watch and steer releases'), session, finish);
  serviceCommands(program.command('service').description('what serves now'), session, finish);
  tokenCommands(program.command('token').description('make, list and revoke API tokens'), session, finish);
  auditCommands(program.command('audit').description('the log of who did what'), session, finish);
  webhookCommands(program.command('webhook').description('who is told of events, and what came in'), session, finish);
  flagCommands(program.command('flag').description('the flags that services name'), session, finish);
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

function sessionOf(program: Command, print: Printer, deps: CliDeps): Session {
  const { server, actor, token: flag, audience, json } = program.opts();
  const wrong = wrongAddress(server);
  if (wrong !== null) throw new UsageError(wrong);
  const identity = identityFrom(flag, audience, deps);
  return {
    api: client({ server, actor, token: null, fetch: deps.fetch, ...(identity ? { identity } : {}) }),
    print,
    json: json === true,
    env: deps.env,
    ...(deps.onInterrupt ? { onInterrupt: deps.onInterrupt } : {}),
  };
}

/** The nearest wins: the flag, the variable, the file, the job's own. */
function identityFrom(flag: string | undefined, audience: string | undefined, { env, fetch }: CliDeps): Identity | null {
  const given = flag ?? env['HEADGATE_TOKEN'];
  if (given) return fixedIdentity(given.trim());
  const file = env['HEADGATE_TOKEN_FILE'];
  if (file) return fileIdentity(() => readText(file).trim());
  return audience === undefined ? null : githubIdentity(env, audience, fetch);
}

async function apply({ api, print, json }: Session, file: string): Promise<number> {
  const answer = await api.applyPlan(readText(file));
  if (!answer.ok) return refused(print, answer.error);
  print.data(json ? JSON.stringify(answer.value) : `${answer.value.name} version ${answer.value.version}`);
  return EXIT.ok;
}
