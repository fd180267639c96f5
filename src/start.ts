/** The command line with its parts put in: the service, offline validation, this process's streams and environment. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { jsonLog } from './adapters/system/log.ts';
import type { LogLevel } from './adapters/system/log.ts';
import type { App } from './app.ts';
import { EXIT } from './cli/exit-codes.ts';
import { runCli } from './cli/run.ts';
import { parseConfig } from './config.ts';
import type { Config } from './config.ts';
import type { PlanWorld } from './contract/plan-world.ts';
import { problemLine } from './contract/problem.ts';
import type { Problem } from './contract/problem.ts';
import { err, ok } from './lib/result.ts';
import type { Result } from './lib/result.ts';
import { planWorldOf } from './plan-world.ts';

const DEV =
  'started with --dev: WHOEVER REACHES THIS ADDRESS MAY DO EVERYTHING, under any name; for a laptop, never for a server';
const CLOSE_GRACE_MS = 8_000;
const DEFAULT_CONFIG = 'headgate.yaml';

export const start = (argv: readonly string[]): Promise<number> =>
  runCli(argv, {
    out: process.stdout,
    err: process.stderr,
    env: process.env,
    fetch,
    serve: runService,
    version: versionOf(readFileSync(new URL('../package.json', import.meta.url), 'utf8')),
    worldOf,
    onInterrupt,
  });

/** Ctrl-C, or a runner that stops its job: what is to be said is said, and the process ends as it would have. */
function onInterrupt(say: () => void): () => void {
  const ends = ENDINGS.map(([signal, code]) => {
    const end = (): never => {
      say();
      process.exit(code);
    };
    process.once(signal, end);
    return () => process.off(signal, end);
  });
  return () => ends.forEach((forget) => forget());
}

const ENDINGS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

async function runService({ config: asked, dev }: { readonly config: string | null; readonly dev: boolean }): Promise<number> {
  const file = asked ?? DEFAULT_CONFIG;
  const text = readIfThere(file);
  if (text === null && asked !== null) return said(`${file} cannot be read`);
  const parsed = configOf(file, text ?? '', dev);
  if (!parsed.ok) return said(parsed.error.map((problem) => problemLine(file, problem)).join('\n'));
  const log = jsonLog({ level: levelOf(process.env['HEADGATE_LOG']) });
  // The driver and the adapters are loaded only by who needs them.
  const { createApp } = await import('./app.ts');
  let app: App | null = null;
  try {
    for (const warning of parsed.value.warnings) log.warn({ config: file }, warning);
    app = await createApp(parsed.value, log, tracesUrl(process.env));
    const url = await app.listen();
    if (dev) log.warn({ url }, DEV);
    log.info(
      { url, config: text === null ? null : resolve(file), store: parsed.value.sqliteFile },
      `Headgate listens at ${url}${text === null ? `; there is no ${DEFAULT_CONFIG} yet: the README shows one` : ''}`,
    );
    await stopSignal();
    log.info({}, 'shutting down');
    await app.close(CLOSE_GRACE_MS);
    return EXIT.ok;
  } catch (error) {
    said(error instanceof Error ? error.message : String(error));
    // Releases do not go on behind a door that nobody can come in by: whatever was started already ends with this process.
    await app?.close(CLOSE_GRACE_MS).catch(() => {});
    return process.exit(EXIT.ours);
  }
}

function said(text: string, code: number = EXIT.usage): number {
  process.stderr.write(`${text}\n`);
  return code;
}

/** Files that it names are beside it, wherever the command was given. */
function configOf(file: string, text: string, dev: boolean): Result<Config, readonly Problem[]> {
  const folder = dirname(resolve(file));
  const secrets = {
    env: (name: string) => process.env[name],
    file: (path: string) => readIfThere(resolve(folder, path)) ?? undefined,
  };
  const read = parseConfig({ text, secrets, dev });
  if (!read.ok || read.value.sqliteFile === ':memory:') return read;
  return ok({ ...read.value, sqliteFile: resolve(folder, read.value.sqliteFile) });
}

function worldOf(configFile: string): Result<PlanWorld, readonly Problem[]> {
  const text = readIfThere(configFile);
  if (text === null) return err([{ path: '', message: `${configFile} cannot be read`, line: null, column: null }]);
  const config = configOf(configFile, text, false);
  return config.ok ? ok(planWorldOf(config.value, null)) : config;
}

function versionOf(packageJson: string): string {
  const read: { readonly version?: unknown } = JSON.parse(packageJson);
  return String(read.version);
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // what that means is the caller's to say
  }
}

/** Where spans go by OpenTelemetry's own environment variables; null for nowhere. */
export function tracesUrl(env: Readonly<Record<string, string | undefined>>): string | null {
  const whole = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  if (whole) return whole;
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return base ? `${base.replace(/\/+$/, '')}/v1/traces` : null;
}

const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
const levelOf = (text: string | undefined): LogLevel => LEVELS.find((level) => level === text) ?? 'info';
