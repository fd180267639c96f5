/**
 * Releases as deployments on GitHub: one deployment for each release, and a status for each turn that it takes. A deployment
 * carries the release's id, so that a try whose answer was lost finds it instead of making another one.
 */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import { TEST_EVENT } from '../../ports/notifier.ts';
import type { Notice, Notifier, NotifyError, ReleaseBrief } from '../../ports/notifier.ts';
import { refusalOf, unreachable } from './answer.ts';
import type { Wire } from './answer.ts';
import { answerTo } from '../outgoing/client.ts';
import type { Answered } from '../outgoing/client.ts';
import { parsed } from '../outgoing/json.ts';

export const githubOptions = strict({
  type: z.literal('github'),
  repository: z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/, 'owner/name'),
  token: z.string().min(1, 'a token that may write deployments'),
  /** Of GitHub Enterprise Server: https://HOST/api/v3. */
  api: z
    .url({ protocol: /^https?$/, error: 'an address such as https://github.example/api/v3' })
    .default('https://api.github.com'),
  /** The environment's name on GitHub; left out, the service's environment, or its name where it has none. */
  environment: z.string().min(1).max(255).optional(),
  environmentUrl: z.url({ protocol: /^https?$/, error: 'an http:// or https:// address' }).optional(),
  production: z.boolean().optional(),
  /** What GitHub knows a version by: a tag, a branch or a commit. */
  ref: z
    .string()
    .regex(/\{version\}/, 'with {version} in it, such as v{version}')
    .default('{version}'),
});

export type GithubOptions = z.output<typeof githubOptions>;

type State = 'queued' | 'pending' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

const STATES: Readonly<Record<string, State>> = {
  'release.queued': 'queued',
  'release.started': 'in_progress',
  'step.entered': 'in_progress',
  'bake.began': 'in_progress',
  'replace.began': 'in_progress',
  'hold.began': 'in_progress',
  'release.resumed': 'in_progress',
  'release.paused': 'pending',
  'approval.asked': 'pending',
  'replace.overdue': 'pending',
  'rollback.decided': 'failure',
  'release.rolledBack': 'failure',
  'rollback.unverified': 'error',
  'release.quarantined': 'error',
  'release.promoted': 'success',
  'release.superseded': 'inactive',
};

const MOST_LETTERS = 140;
const MOST_BYTES = 2 << 20;
const MOST_KNOWN = 1_000;

const deployment = z.object({ id: z.number(), payload: z.unknown() });
/** `payload` as it was sent, or as the text of it. */
const ours = z.object({ headgate: z.object({ release: z.string() }) });

/** `consoleUrl`: where people look at releases; null for no link. */
export function github(name: string, options: GithubOptions, wire: Wire, consoleUrl: string | null): Notifier {
  const known = new Map<string, number>();
  const ask = asker(name, options, wire);
  const remembered = (release: string, id: number): number => {
    if (MOST_KNOWN <= known.size) known.clear();
    known.set(release, id);
    return id;
  };

  async function deploymentOf(release: ReleaseBrief, signal: AbortSignal): Promise<Result<number, NotifyError>> {
    const before = known.get(release.id);
    if (before !== undefined) return ok(before);
    const wanted = placeOf(options, release);
    const query = new URLSearchParams({ ...wanted, task: 'deploy', per_page: '100' }).toString();
    const listed = await ask(`deployments?${query}`, null, signal);
    if (!listed.ok) return listed;
    const found = z.array(deployment).safeParse(listed.value);
    const mine = found.data?.find(({ payload }) => releaseIn(payload) === release.id);
    if (mine) return ok(remembered(release.id, mine.id));
    const made = await ask('deployments', bodyOf(options, release), signal);
    if (!made.ok) return made;
    const created = deployment.safeParse(made.value);
    return created.success
      ? ok(remembered(release.id, created.data.id))
      : err({ kind: 'refused', detail: `${name}: GitHub made no deployment of ${wanted.ref}` });
  }

  return {
    name,
    type: 'github',
    async deliver(notice, signal) {
      if (notice.type === TEST_EVENT) return done(await ask('deployments?per_page=1', null, signal));
      const state = STATES[notice.type];
      if (state === undefined || notice.release === null) return ok(undefined);
      const id = await deploymentOf(notice.release, signal);
      if (!id.ok) return id;
      return done(await ask(`deployments/${id.value}/statuses`, statusOf(notice, state, options, consoleUrl), signal));
    },
    close: async () => {},
  };
}

const done = (answer: Result<unknown, NotifyError>): Result<void, NotifyError> => (answer.ok ? ok(undefined) : answer);

const placeOf = ({ ref, environment }: GithubOptions, release: ReleaseBrief) => ({
  ref: ref.replaceAll('{version}', release.version),
  environment: environment ?? release.environment ?? release.service,
});

/** Nothing is merged and no check is waited for: whether it may go out was decided before it came here. */
const bodyOf = (options: GithubOptions, release: ReleaseBrief) => ({
  ...placeOf(options, release),
  task: 'deploy',
  auto_merge: false,
  required_contexts: [],
  payload: { headgate: { release: release.id, service: release.service } },
  description: short(`${release.service} ${release.version} by plan ${release.plan}`),
  transient_environment: false,
  ...(options.production === undefined ? {} : { production_environment: options.production }),
});

function statusOf({ sentence, release }: Notice, state: State, { environmentUrl }: GithubOptions, consoleUrl: string | null) {
  const link = consoleUrl === null || release === null ? null : `${consoleUrl.replace(/\/+$/, '')}/releases/${release.id}`;
  return {
    state,
    description: short(sentence),
    ...(link === null ? {} : { log_url: link }),
    ...(environmentUrl === undefined ? {} : { environment_url: environmentUrl }),
  };
}

/** Never in the middle of a letter that is two units long. */
const short = (words: string): string =>
  words.length <= MOST_LETTERS ? words : `${words.slice(0, MOST_LETTERS - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

function releaseIn(payload: unknown): string | null {
  const given = typeof payload === 'string' ? parsed(payload) : payload;
  return ours.safeParse(given).data?.headgate.release ?? null;
}

/** The JSON of an answer to a GET, or to a POST where there is a body. */
function asker(name: string, { api, repository, token }: GithubOptions, wire: Wire) {
  const base = `${api.replace(/\/+$/, '')}/repos/${repository}/`;
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'x-github-api-version': '2022-11-28',
  };
  return async (path: string, body: unknown, signal: AbortSignal): Promise<Result<unknown, NotifyError>> => {
    const sent = body === null ? undefined : { type: 'application/json', text: JSON.stringify(body) };
    const method = sent ? 'POST' : 'GET';
    const answer = await answerTo(wire.send, { method, url: `${base}${path}`, headers, body: sent, upTo: MOST_BYTES }, signal);
    if (!answer.ok) return err(unreachable(name, answer.error));
    const json = parsed(answer.value.body);
    const { status } = answer.value;
    if (status === 200 || status === 201)
      return json === undefined ? err(unreachable(name, 'GitHub answered something that is no JSON')) : ok(json);
    return err(refusedBy(name, answer.value, wire, json));
  };
}

/** GitHub says 403 for "too fast", too, and 422 for a ref that it does not know, which the next try does not change. */
function refusedBy(name: string, answer: Answered, wire: Wire, json: unknown): NotifyError {
  const words = z.object({ message: z.string() }).safeParse(json).data?.message ?? '';
  const error = refusalOf(name, answer, wire, words);
  if (answer.status === 422) return { ...error, kind: 'unfit' };
  const isTooFast = answer.headers['x-ratelimit-remaining'] === '0' || answer.headers['retry-after'] !== undefined;
  if (isTooFast && (answer.status === 403 || answer.status === 429)) {
    const resetAt = Number(answer.headers['x-ratelimit-reset'] ?? Number.NaN);
    const untilReset = Number.isFinite(resetAt) ? Math.max(0, resetAt - wire.wallSeconds()) * 1_000 : undefined;
    const asked = Number(answer.headers['retry-after'] ?? Number.NaN) * 1_000;
    return { kind: 'unreachable', detail: error.detail, retryAfterMs: Number.isFinite(asked) ? asked : untilReset };
  }
  // A repository is not gone because one answer says so: somebody may have renamed it.
  return error.kind === 'gone' ? { ...error, kind: 'refused' } : error;
}
