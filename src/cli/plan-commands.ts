/**
 * `headgate plan preview | simulate | backtest`: what is asked before a plan runs. With the traffic given no service is
 * needed, and everything is worked out here; what has to be measured is the service's to measure.
 */
import type { Command } from 'commander';
import type { z } from 'zod';
import { previewBody, scenarioOf, simulateBody, trafficOf, trialsOf } from '../contract/ahead.ts';
import type { SimulateInput } from '../contract/ahead.ts';
import type { BacktestView, PreviewView, SimulatedView } from '../contract/ahead-views.ts';
import { assumedWorld } from '../contract/assumed-world.ts';
import { parsePlan } from '../contract/plan.ts';
import type { PlanWorld } from '../contract/plan-world.ts';
import { pointerOf, problemLine } from '../contract/problem.ts';
import type { Problem } from '../contract/problem.ts';
import { flawsIn } from '../contract/shape.ts';
import type { Plan } from '../domain/plan.ts';
import { preview } from '../domain/preview/preview.ts';
import { simulate } from '../domain/rehearsal/many.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import { whole } from '../lib/slices.ts';
import type { Client } from './client.ts';
import { EXIT, exitOfStatus } from './exit-codes.ts';
import { errorText } from './output.ts';
import type { Printer } from './output.ts';
import { bodyOf, driftFlag, errorsFlag, latencyFlag, numberFlag, slowerFlag, windowFlag } from './plan-flags.ts';
import type { BacktestFlags, PlanFlags } from './plan-flags.ts';
import { backtestText, previewText, simulatedText } from './tables.ts';

export type PlanSession = {
  readonly api: Client;
  readonly print: Printer;
  readonly json: boolean;
  readText(file: string): string;
  /** What plans are checked against by a configuration file. */
  worldOf(configFile: string): Result<PlanWorld, readonly Problem[]>;
};

type Finish = (result: Promise<number>) => Promise<void>;

export function planCommands(plan: Command, session: () => PlanSession, finish: Finish): void {
  const traffic = (command: Command): Command =>
    command
      .requiredOption('-f, --file <file>', 'the plan')
      .option('--config <file>', 'with --rps: check the plan against this configuration')
      .option('--rps <n>', 'requests per second of the service; left out, they are measured by the service', numberFlag)
      .option('--latency <p50:p99>', 'how long requests take, such as 100ms:400ms', latencyFlag);
  traffic(plan.command('preview').description('what a plan can see with the traffic there is'))
    .option('--errors <share>', 'share of bad requests, such as 0.1%', errorsFlag)
    .action((options: PlanFlags) => finish(previewed(session(), options)));
  traffic(plan.command('simulate').description('how releases by a plan would go'))
    .option('--errors <stable:canary>', 'shares of bad requests, such as 0.1%:1%', errorsFlag)
    .option('--slower <share>', 'requests of the canary take so much longer, such as 30%', slowerFlag)
    .option('--from-weight <weight>', 'the canary is bad from this weight on')
    .option('--after <duration>', 'and not before')
    .option('--grows <duration>', 'by and by, over so long')
    .option('--drift <times,over>', 'both versions go wrong more often: 3,20m', driftFlag)
    .option('--silent <from,to>', 'the canary gets no request: 5m,10m', windowFlag)
    .option('--away <from,to>', 'the provider does not answer: 5m,10m', windowFlag)
    .option('--runs <n>', 'how many releases', numberFlag)
    .option('--seed <n>', 'of the chance', numberFlag)
    .option('--horizon <duration>', 'a release that takes longer is called held')
    .option('--approve-after <duration>', 'how long people take to approve, or never')
    .action((options: PlanFlags) => finish(simulated(session(), options)));
  plan
    .command('backtest')
    .description('what a plan would have said of a version in the past')
    .requiredOption('-f, --file <file>', 'the plan')
    .requiredOption('--version <version>', 'the version that was the canary then')
    .option('--stable <version>', 'the version that was stable then; left out, the one that is now')
    .requiredOption('--from <time>', 'such as 2026-11-20T09:00Z')
    .requiredOption('--to <time>')
    .action((options: BacktestFlags) => finish(backtested(session(), options)));
}

async function previewed(session: PlanSession, flags: PlanFlags): Promise<number> {
  const { document, traffic } = bodyOf(session.readText(flags.file), flags);
  const body = { document, ...(traffic ? { traffic } : {}) };
  if (flags.rps === undefined) return answered(session, await session.api.previewPlan(body), previewText);
  const checked = previewBody.safeParse(body);
  if (!checked.success) refusedHere(session, checked.error.issues);
  const plan = planHere(session, flags);
  if (!checked.success) return EXIT.usage;
  if (!plan.ok) return plan.error;
  const given = checked.data.traffic;
  if (given === undefined) return EXIT.usage;
  const view = { ...whole(preview(plan.value, trafficOf(given))), measured: false } as PreviewView; // readonly, and nobody writes
  return shown(session, view, previewText);
}

async function simulated(session: PlanSession, flags: PlanFlags): Promise<number> {
  const body: SimulateInput = bodyOf(session.readText(flags.file), flags);
  if (flags.rps === undefined) return answered(session, await session.api.simulatePlan(body), simulatedText);
  const checked = simulateBody.safeParse(body);
  if (!checked.success) refusedHere(session, checked.error.issues);
  const plan = planHere(session, flags);
  if (!checked.success) return EXIT.usage;
  if (!plan.ok) return plan.error;
  const given = checked.data.traffic;
  if (given === undefined) return EXIT.usage;
  const runs = whole(simulate(plan.value, scenarioOf(checked.data, trafficOf(given)), trialsOf(checked.data, plan.value)));
  const view = { ...runs, measured: false } as SimulatedView; // readonly, and nobody writes
  return shown(session, view, simulatedText);
}

async function backtested(session: PlanSession, { file, version, stable, from, to }: BacktestFlags): Promise<number> {
  const document = session.readText(file);
  const body = { document, version, ...(stable === undefined ? {} : { stableVersion: stable }), from, to };
  return answered(session, await session.api.backtestPlan(body), backtestText);
}

/** Exit code for a plan that has problems. */
function planHere({ print, readText, worldOf }: PlanSession, { file, config }: PlanFlags): Result<Plan, number> {
  const text = readText(file);
  const refused = (name: string, problems: readonly Problem[]): Result<Plan, number> => {
    for (const problem of problems) print.note(problemLine(name, problem));
    return err(EXIT.usage);
  };
  const world = config === undefined ? ok(assumedWorld(text)) : worldOf(config);
  if (!world.ok) return refused(config ?? '', world.error);
  const parsed = parsePlan(text, world.value);
  return parsed.ok ? ok(parsed.value.plan) : refused(file, parsed.error);
}

function refusedHere({ print }: PlanSession, issues: readonly z.core.$ZodIssue[]): void {
  for (const { path, message } of flawsIn(issues)) print.note(`${pointerOf(path)}: ${message}`);
}

type Answered<T> = Awaited<ReturnType<Client['previewPlan']>> extends Result<PreviewView, infer E> ? Result<T, E> : never;

function answered<T extends PreviewView | SimulatedView | BacktestView>(
  session: PlanSession,
  answer: Answered<T>,
  words: (view: T) => string,
): number {
  if (answer.ok) return shown(session, answer.value, words);
  session.print.note(errorText(answer.error));
  return answer.error.kind === 'unreachable' ? EXIT.unreachable : exitOfStatus(answer.error.status);
}

function shown<T>({ print, json }: PlanSession, view: T, words: (view: T) => string): number {
  print.data(json ? JSON.stringify(view) : words(view));
  return EXIT.ok;
}
