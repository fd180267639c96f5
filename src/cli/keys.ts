/** The key under which a request is known: what the pipeline calls its own step, so that running it again changes nothing. */
import { createHash, randomUUID } from 'node:crypto';

type Env = Readonly<Record<string, string | undefined>>;

const KEY_MAX = 255;

/** Of one step of one attempt of one run; null outside of a pipeline. A run that is started again is another attempt. */
function stepOf(env: Env): string | null {
  if (env['GITHUB_RUN_ID'])
    return ['github', ...pick(env, ['REPOSITORY_ID', 'RUN_ID', 'RUN_ATTEMPT', 'JOB', 'ACTION'], 'GITHUB_')].join(':');
  if (env['CI_JOB_ID']) return ['gitlab', ...pick(env, ['PROJECT_ID', 'JOB_ID'], 'CI_')].join(':');
  return env['BUILD_TAG'] ? `jenkins:${env['BUILD_TAG']}` : null;
}

const pick = (env: Env, names: readonly string[], prefix: string): readonly string[] =>
  names.map((name) => env[`${prefix}${name}`] ?? '');

/** Two requests of one step that ask for different things are two requests. */
export function requestKey(env: Env, request: unknown): string {
  const step = stepOf(env);
  if (step === null) return randomUUID();
  const digest = createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 16);
  return `${step.replaceAll(/[^\x21-\x7e]/g, '-').slice(0, KEY_MAX - digest.length - 1)}:${digest}`;
}
