/**
 * The GitHub Action: starts a release, waits, and writes what became of it where people look. A job that is cancelled leaves
 * the release alone. Bundled into `dist/index.mjs` by `npm run build:action`.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { wrongAddress } from '../../src/cli/address.ts';
import { again } from '../../src/cli/again.ts';
import { beyondPlan } from '../../src/cli/beyond.ts';
import { client } from '../../src/cli/client.ts';
import type { Client } from '../../src/cli/client.ts';
import { EXIT, exitOf } from '../../src/cli/exit-codes.ts';
import { fixedIdentity, githubIdentity } from '../../src/cli/identity.ts';
import { requestKey } from '../../src/cli/keys.ts';
import { errorText, printer } from '../../src/cli/output.ts';
import { refused } from '../../src/cli/session.ts';
import { planOfStages, STAGE_SHAPE, stageOf } from '../../src/cli/stages.ts';
import type { Stage } from '../../src/cli/stages.ts';
import { waitFor } from '../../src/cli/wait.ts';
import { UNTIL_SHAPE, untilOf } from '../../src/contract/until.ts';
import type { CheckView, ReleaseView } from '../../src/contract/wire.ts';
import { ok } from '../../src/lib/result.ts';
import { parseDuration } from '../../src/lib/duration.ts';

const { env } = process;

/** The runner gives inputs as variables; what was left out is empty. */
const input = (name: string): string => (env[`INPUT_${name.toUpperCase()}`] ?? '').trim();

class Wrong extends Error {}

function needed(name: string): string {
  const text = input(name);
  if (text === '') throw new Wrong(`the input ${name} is missing`);
  return text;
}

function duration(name: string, otherwise: string): number {
  const text = input(name) || otherwise;
  const ms = parseDuration(text);
  if (ms === null) throw new Wrong(`the input ${name} is a duration such as 30s, 5m or 1h, not "${text}"`);
  return ms;
}

function until(): string {
  const text = input('until') || 'terminal';
  if (untilOf(text) === null) throw new Wrong(`the input until is ${UNTIL_SHAPE}, not "${text}"`);
  return text;
}

function waits(): boolean {
  const text = input('wait') || 'true';
  if (text !== 'true' && text !== 'false') throw new Wrong(`the input wait is true or false, not "${text}"`);
  return text === 'true';
}

function planOf(): unknown {
  const [plan, file, stages] = [input('plan'), input('file'), input('stages')];
  if ([plan, file, stages].filter((each) => each !== '').length !== 1)
    throw new Wrong('say by which plan: one of the inputs plan, file and stages');
  if (plan !== '') return plan;
  if (file !== '') return textOf(file);
  const checks = input('checks')
    .split(',')
    .map((name) => name.trim());
  return planOfStages(needed('service'), stages.split(/\s+/).map(stage), checks.filter(Boolean));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new Wrong(`${file} cannot be read: is the repository checked out?`);
  }
}

function stage(text: string): Stage {
  const found = stageOf(text);
  if (found === null) throw new Wrong(`the input stages: ${STAGE_SHAPE}, not "${text}"`);
  return found;
}

function output(name: string, value: string | number): void {
  const file = env['GITHUB_OUTPUT'];
  if (file) appendFileSync(file, `${name}=${String(value).replaceAll(/[\r\n]/g, ' ')}\n`);
}

const escaped = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const annotate = (level: 'notice' | 'warning' | 'error', title: string, text: string): void =>
  void process.stdout.write(
    `::${level} title=${escaped(title).replaceAll(':', '%3A').replaceAll(',', '%2C')}::${escaped(text)}\n`,
  );

function clientOf(server: string): Client {
  const wrong = wrongAddress(server);
  if (wrong !== null) throw new Wrong(`the input server: ${wrong}`);
  const [token, audience] = [input('token'), input('audience')];
  if (token !== '') process.stdout.write(`::add-mask::${token}\n`);
  const known = token === '' ? null : token;
  const identity = known === null && audience !== '' ? githubIdentity(env, audience, fetch) : fixedIdentity(known);
  if (identity === null) throw new Wrong('with an audience the job needs "permissions: { id-token: write }"');
  const actor = `ci:${env['GITHUB_REPOSITORY'] ?? 'github'} run ${env['GITHUB_RUN_ID'] ?? '?'}`;
  return client({ server, actor, token: known, fetch, identity });
}

async function main(): Promise<number> {
  const server = needed('server').replace(/\/+$/, '');
  const api = clientOf(server);
  const print = printer({ out: process.stdout, err: process.stdout }, true);
  const [reason, onBusy] = [input('reason'), input('on-busy')];
  const asked = {
    plan: planOf(),
    version: needed('version'),
    ...(onBusy === '' ? {} : { onBusy }),
    ...(reason === '' ? {} : { reason }),
  };
  // All of it is read before anything is started: what is wrong here starts nothing.
  const [isWaiting, options] = [waits(), { until: until(), timeoutMs: duration('timeout', '1h') }];
  const retryMs = duration('retry', '2m');
  let known: string | null = null;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => left(known));
  const patience = { ms: retryMs, note: print.note };
  const beyond = isWaiting ? await beyondPlan(api, { asked, until: options.until }, patience) : ok(null);
  if (beyond.ok && beyond.value !== null) throw new Wrong(beyond.value);
  const key = input('idempotency-key') || requestKey(env, asked);
  const started = await again(() => api.start(asked, key), patience);
  if (!started.ok) {
    annotate('error', 'The release was not started', errorText(started.error));
    return refused(print, started.error);
  }
  const { id } = started.value;
  known = id;
  output('release-id', id);
  output('url', `${server}/releases/${id}`);
  print.data(`${started.value.sentence}\n${server}/releases/${id}`);
  if (!isWaiting) return told(api, started.value, { code: EXIT.ok, server });
  const code = await waitFor({ api, print, json: false, env }, id, { ...options, started: started.value });
  const last = await api.release(id);
  return told(api, last.ok ? last.value : started.value, { code, server });
}

/** Whoever cancels a job has not said that the release is bad. Null while the service has not answered yet. */
function left(id: string | null): never {
  const text =
    id === null
      ? 'The release was being asked for, and may have begun: headgate release list shows it'
      : `The release goes on. To take it back: headgate release rollback ${id}`;
  annotate('warning', 'The job was cancelled', text);
  process.exit(130);
}

async function told(
  api: Client,
  release: ReleaseView,
  { code, server }: { readonly code: number; readonly server: string },
): Promise<number> {
  const checks = await api.checks(release.id);
  output('phase', release.phase.kind);
  const level = code === EXIT.ok ? 'notice' : (exitOf(release) ?? EXIT.ok) === EXIT.ok ? 'warning' : 'error';
  annotate(level, `${release.service} ${release.version}`, release.sentence);
  const file = env['GITHUB_STEP_SUMMARY'];
  if (file) appendFileSync(file, summary(release, checks.ok ? checks.value.items : [], server));
  return code;
}

const cell = (text: string): string => text.replaceAll(/[|\\`<>]/g, (sign) => `\\${sign}`).replaceAll(/\s+/g, ' ');
const percent = (bp: number): string => `${(bp / 100).toFixed(2).replace(/\.?0+$/, '')} %`;

function summary(release: ReleaseView, checks: readonly CheckView[], server: string): string {
  const { service, version, stableVersion, phase, step, steps, wantedBp, sentence, id } = release;
  const arm = (found: { readonly n: number; readonly bad: number } | null | undefined): string =>
    found ? `${found.bad} of ${found.n}` : '';
  const rows = checks.map(
    ({ name, verdict, sentence: said, evidence }) =>
      `| ${cell(name)} | ${verdict} | ${arm(evidence?.canary)} | ${arm(evidence?.stable)} | ${cell(said)} |`,
  );
  return [
    `### ${cell(service)} ${cell(stableVersion ?? '')} → ${cell(version)}: ${phase.kind}`,
    '',
    cell(sentence),
    '',
    '| step | wanted | release |',
    '| --- | --- | --- |',
    `| ${step} of ${steps} | ${percent(wantedBp)} | [${id}](${server}/releases/${id}) |`,
    '',
    ...(rows.length === 0
      ? []
      : ['| check | verdict | bad of canary | bad of stable | evidence |', '| --- | --- | --- | --- | --- |', ...rows, '']),
    '',
  ].join('\n');
}

try {
  const code = await main();
  output('exit-code', code);
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof Wrong)) throw error;
  annotate('error', 'Headgate', error.message);
  output('exit-code', EXIT.usage);
  process.exitCode = EXIT.usage;
}
