/** Which rule a job fits, and what of its claims goes into the audit. */
import type { Principal } from '../../domain/rights.ts';
import { scopesOf } from '../../domain/rights.ts';
import type { OidcRule } from './options.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** The first rule that fits counts. */
export const fitting = (rules: readonly OidcRule[], claims: Claims): OidcRule | null =>
  rules.find((rule) => fits(rule, claims)) ?? null;

function fits(rule: OidcRule, claims: Claims): boolean {
  const wanted: readonly (readonly [string | undefined, string | null])[] = [
    [rule.repositoryId, idOf(claims['repository_id'])],
    [rule.repositoryOwnerId, idOf(claims['repository_owner_id'])],
    [rule.projectId, idOf(claims['project_id'])],
    [rule.namespaceId, idOf(claims['namespace_id'])],
    [rule.ref, refOf(claims)],
    [rule.environment, textOf(claims['environment'])],
    [rule.workflowRef, textOf(claims['job_workflow_ref'])],
  ];
  if (wanted.some(([asked, has]) => asked !== undefined && asked !== has)) return false;
  if (rule.refProtected && claims['ref_protected'] !== true && claims['ref_protected'] !== 'true') return false;
  return rule.pullRequests || isOwnRun(rule, claims);
}

/**
 * GitLab tells branches and tags by their names alone, and whoever may push a tag may call it `main`: a tag of GitLab's is
 * `refs/tags/NAME` here, as GitHub writes it.
 */
function refOf(claims: Claims): string | null {
  const ref = textOf(claims['ref']);
  const kind = textOf(claims['ref_type']);
  if (ref === null || kind === null || claims['project_id'] === undefined) return ref;
  if (kind === 'tag') return `refs/tags/${ref}`;
  return ref.startsWith('refs/tags/') ? null : ref;
}

/** Of a pull request it is known that it is one; a job that does not say what it runs for is taken for one. */
function isOwnRun(rule: OidcRule, claims: Claims): boolean {
  const event = textOf(rule.repositoryId === undefined ? claims['pipeline_source'] : claims['event_name']);
  const ref = textOf(claims['ref']) ?? '';
  return event !== null && !/pull_request|merge_request/.test(event) && !/^refs\/(pull|merge-requests)\//.test(ref);
}

/** GitHub and GitLab write their numbers as text. */
function idOf(claim: unknown): string | null {
  if (typeof claim === 'number') return Number.isSafeInteger(claim) && 0 < claim ? String(claim) : null;
  return typeof claim === 'string' && /^[1-9]\d{0,19}$/.test(claim) ? claim : null;
}

const textOf = (claim: unknown): string | null => (typeof claim === 'string' ? claim : null);

/** What a reader of the audit wants to find again. */
const PROVENANCE = {
  issuer: 'iss',
  repository: 'repository',
  repositoryId: 'repository_id',
  project: 'project_path',
  projectId: 'project_id',
  run: 'run_id',
  attempt: 'run_attempt',
  pipeline: 'pipeline_id',
  job: 'job_id',
  sha: 'sha',
  ref: 'ref',
  environment: 'environment',
  workflow: 'job_workflow_ref',
  event: 'event_name',
  source: 'pipeline_source',
  actor: 'actor',
  user: 'user_login',
  token: 'jti',
} as const;
const LONGEST = 200;

export function principalOf(rule: OidcRule, claims: Claims): Principal {
  const shown = (claim: string): string | null => {
    const value = claims[claim];
    if (typeof value !== 'string' && typeof value !== 'number') return null;
    return String(value)
      .replaceAll(/\p{Cc}/gu, ' ')
      .slice(0, LONGEST);
  };
  const provenance = Object.entries(PROVENANCE).flatMap(([name, claim]) => {
    const value = shown(claim);
    return value === null ? [] : [[name, value] as const];
  });
  const place = shown('repository') ?? shown('project_path') ?? `number ${rule.repositoryId ?? rule.projectId ?? ''}`;
  const run = shown('run_id') ?? shown('pipeline_id');
  const { role = null, scopes = [], services = null } = rule;
  return {
    kind: 'ci',
    name: run === null ? place : `${place} run ${run}`,
    scopes: scopesOf({ role, scopes }),
    services,
    token: null,
    behalf: shown('actor') ?? shown('user_login'),
    provenance: Object.fromEntries(provenance),
  };
}
