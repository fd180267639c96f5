/**
 * Who may do what. A right is a scope; roles are names for sets of them. Lowering exposure has a scope of its own, and is
 * never bound to services: whoever may take traffic away from one new version may take it away from any.
 */
import type { Actor, Verb } from './release.ts';

export const SCOPES = ['read', 'lower', 'raise', 'approve', 'plan', 'measure', 'evaluate', 'audit', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** What a route asks for. `anyone` is for what is said to people who are not known yet; `known` for whoever is. */
export type Permission = Scope | 'anyone' | 'known';

export const ROLES = {
  viewer: ['read'],
  responder: ['read', 'lower'],
  operator: ['read', 'lower', 'raise', 'plan', 'measure', 'evaluate', 'audit'],
  approver: ['read', 'lower', 'approve', 'audit'],
  admin: SCOPES,
} as const satisfies Record<string, readonly Scope[]>;
export type Role = keyof typeof ROLES;

/** What each command on a release takes. Going down takes the least, approving is not raising, and the rest raises. */
export const VERB_SCOPES = {
  pause: 'lower',
  rollback: 'lower',
  abort: 'lower',
  resume: 'raise',
  promote: 'raise',
  confirmReplaced: 'raise',
  approve: 'approve',
  reject: 'approve',
} as const satisfies Record<Verb | 'abort', Scope>;

/** Whoever asks, as far as is known. */
export type Principal = {
  readonly kind: 'person' | 'ci';
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Only these services; null for all. */
  readonly services: readonly string[] | null;
  /** The API token that was shown, or that the session was made from. */
  readonly token: string | null;
  /** The person on whose behalf a pipeline runs, where its identity provider says so. */
  readonly behalf: string | null;
  /** What an identity provider vouches for: repository, run, commit. */
  readonly provenance: Readonly<Record<string, string>> | null;
};

export const may = ({ scopes }: Pick<Principal, 'scopes'>, permission: Permission): boolean =>
  permission === 'anyone' || permission === 'known' || scopes.includes(permission);

/** Everybody who may lower may lower anything. */
export const reaches = ({ services }: Pick<Principal, 'services'>, scope: Permission, service: string): boolean =>
  scope === 'lower' || services === null || services.includes(service);

/** Why the principal may not, in a sentence that says who may; null when it may. */
export function refusesRight(principal: Principal, scope: Permission, service: string | null = null): string | null {
  if (!may(principal, scope)) return `${principal.name} has no right to ${actWords(scope)}: ${holdersOf(scope)}`;
  if (service === null || reaches(principal, scope, service)) return null;
  return `${principal.name} has rights for ${listed(principal.services ?? [])} only`;
}

/** Rights are named by what they allow; this one is not. */
const actWords = (scope: Permission): string => (scope === 'admin' ? 'administer (admin)' : scope);

function holdersOf(scope: Permission): string {
  const roles = Object.entries(ROLES).filter(([, scopes]) => (scopes as readonly Permission[]).includes(scope));
  return `the ${roles.length === 1 ? 'role' : 'roles'} ${listed(roles.map(([role]) => role))} ${roles.length === 1 ? 'has' : 'have'} it`;
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? 'nothing') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** The rights of a role, or exactly these. */
export type Grant = {
  readonly role: Role | null;
  readonly scopes: readonly Scope[];
  readonly services: readonly string[] | null;
};
export const scopesOf = ({ role, scopes }: Pick<Grant, 'role' | 'scopes'>): readonly Scope[] => (role ? ROLES[role] : scopes);

/** Nobody gives more than he has himself: why not, or null. */
export function refusesGrant(giver: Principal, grant: Grant): string | null {
  const missing = scopesOf(grant).filter((scope) => !may(giver, scope));
  if (missing.length > 0) return `${giver.name} has no right to ${listed(missing.map(actWords))}, so cannot give it`;
  if (giver.services === null) return null;
  const foreign = grant.services === null ? 'all services' : grant.services.filter((name) => !giver.services?.includes(name))[0];
  return foreign === undefined ? null : `${giver.name} has no rights for ${foreign}, so cannot give them`;
}

/** Names of people are compared as identity providers do: without regard to case. */
const isSame = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();

/** Whether both are, or stand for, the same person. */
export const isSamePerson = (a: Actor, b: Actor): boolean =>
  isSame(a.name, b.name) || isSame(a.behalf, b.name) || isSame(a.name, b.behalf) || isSame(a.behalf, b.behalf);

/** Whoever asks, as it is written into events. */
export const actorFrom = ({ kind, name, behalf }: Principal): Actor => ({ kind, name, ...(behalf === null ? {} : { behalf }) });
