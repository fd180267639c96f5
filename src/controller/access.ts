/** Tells who asks by what was shown, makes tokens and sessions, and takes them back. */
import { digestOf, isTokenText, tokenText } from '../contract/token-text.ts';
import type { TokenKind, TokenText } from '../contract/token-text.ts';
import { after, Instant } from '../domain/ids.ts';
import { refusesGrant, scopesOf, SCOPES } from '../domain/rights.ts';
import type { Grant, Principal } from '../domain/rights.ts';
import { assert } from '../lib/assert.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { JobIdentity } from '../ports/job-identity.ts';
import type { Log } from '../ports/log.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { AuditEntry, AuditOrigin, Once, Store } from '../ports/store.ts';
import type { StoredToken } from '../ports/token-store.ts';
import { refusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export type AccessDeps = {
  readonly store: Store;
  readonly log: Log;
  /** Chance for one token. */
  chance(): Uint8Array;
  /** Null when no identity provider is configured. */
  readonly jobs: JobIdentity | null;
  /** A laptop: everybody is admin, under the name that they give. */
  readonly dev: boolean;
};

export type TokenRequest = Grant & { readonly kind: 'person' | 'ci'; readonly name: string; readonly forMs: number };
export type Made = { readonly token: StoredToken; readonly text: string };
export type Asking = { readonly principal: Principal; readonly origin: AuditOrigin | null };

export type Access = {
  readonly dev: boolean;
  /** The error is a sentence that may be answered to anybody. */
  identify(shown: string): Promise<Result<Principal, string>>;
  createToken(request: TokenRequest, by: Asking, once?: Once<StoredToken> | null): Promise<Result<Made, Refusal>>;
  revokeToken(id: string, by: Asking): Promise<Result<StoredToken, Refusal>>;
  openSession(token: string, origin: AuditOrigin | null): Promise<Result<Made, string>>;
  /** Does nothing when there is no such session. */
  closeSession(session: string, by: Asking): Promise<void>;
  /** The first token of all, from nobody, when no token can make another one; `keep` puts it where its owner finds it. */
  firstToken(keep: (text: string) => void): Promise<boolean>;
};

const SESSION_MS = 12 * 3_600_000;
const FIRST_MS = 90 * 86_400_000;
/** A write for every request would be the only one that most of them make. */
const TOUCH_EVERY_MS = 60_000;

export function access(deps: AccessDeps): Access {
  const seen = new Map<string, Principal>();
  return {
    dev: deps.dev,
    identify: (shown) => remembered(seen, shown, () => identify(deps, shown)),
    createToken: (request, by, asked = null) => createToken(deps, request, by, asked),
    revokeToken: (id, by) => revokeToken(deps, id, by),
    openSession: (token, origin) => openSession(deps, token, origin),
    async closeSession(session, { principal, origin }) {
      const found = await deps.store.tokenByDigest(digestOf(session));
      if (found?.parent)
        await deps.store.revokeToken(found.id, () =>
          entryOf({ actor: principal.name, action: 'session.end', token: found, origin }),
        );
    },
    firstToken: (keep) => firstToken(deps, keep),
  };
}

/** Under `--dev`: the name is what the caller says it is. */
export function anybody(header: string | undefined): Principal {
  const text = (header ?? '').trim().slice(0, 100);
  const rights = { scopes: SCOPES, services: null, token: null, behalf: null, provenance: null };
  if (text.startsWith('ci:')) return { kind: 'ci', name: text.slice(3), ...rights };
  return { kind: 'person', name: text === '' ? 'anonymous' : text, ...rights };
}

const REMEMBERED = 1_000;

/**
 * While the store is away nothing can be done, but it can be looked at: by whoever was known when it was last there. As long
 * as it answers nothing is remembered past what it says.
 */
async function remembered(
  seen: Map<string, Principal>,
  shown: string,
  look: () => Promise<Result<Principal, string>>,
): Promise<Result<Principal, string>> {
  const key = digestOf(shown);
  try {
    const found = await look();
    seen.delete(key);
    if (found.ok) seen.set(key, found.value);
    const [oldest] = seen.keys();
    if (REMEMBERED < seen.size && oldest !== undefined) seen.delete(oldest);
    return found;
  } catch (error) {
    const known = error instanceof StoreUnavailable ? seen.get(key) : undefined;
    if (known) return ok(known);
    throw error;
  }
}

async function identify(deps: AccessDeps, shown: string): Promise<Result<Principal, string>> {
  if (isTokenText(shown)) {
    const found = await usable(deps, shown);
    return found.ok ? ok(principalOf(found.value)) : found;
  }
  if (deps.jobs && shown.split('.').length === 3) return deps.jobs.identify(shown);
  return err('this is no token of this service');
}

async function usable({ store, log }: AccessDeps, text: string): Promise<Result<StoredToken, string>> {
  const token = await store.tokenByDigest(digestOf(text));
  if (!token) return err('this token is not known here');
  const what = token.parent === null ? `the token ${token.name}` : 'the session';
  if (token.revokedAt !== null) return err(`${what} was revoked`);
  const now = await store.now();
  if (token.expiresAt <= now) return err(`${what} has expired: it was good until ${new Date(token.expiresAt).toISOString()}`);
  if (token.lastUsedAt === null || TOUCH_EVERY_MS <= now - token.lastUsedAt)
    // When it was used is worth knowing, and never worth refusing somebody.
    await store.touchToken(token.id, now).catch((error: unknown) => log.warn({ error: String(error) }, 'a use was not noted'));
  return ok(token);
}

const principalOf = (token: StoredToken): Principal => ({
  kind: token.kind,
  name: token.name,
  scopes: scopesOf(token),
  services: token.services,
  token: token.parent ?? token.id,
  behalf: null,
  provenance: null,
});

async function createToken(
  deps: AccessDeps,
  { forMs, ...request }: TokenRequest,
  { principal, origin }: Asking,
  asked: Once<StoredToken> | null,
): Promise<Result<Made, Refusal>> {
  const no = refusesGrant(principal, request);
  if (no !== null) return err(refusal('forbidden', no));
  const expiresAt = after(await deps.store.now(), forMs);
  const given = { ...request, parent: null, createdBy: principal.name, expiresAt };
  const made = await added(deps, { kind: 'hg', given, action: 'token.create', actor: principal.name, origin, once: asked });
  return made ? ok(made) : err(refusal('not_accepted', 'this token was made meanwhile, by a request with the same key'));
}

async function revokeToken({ store }: AccessDeps, id: string, by: Asking): Promise<Result<StoredToken, Refusal>> {
  const revoked = await store.revokeToken(id, ({ name }) => ({
    actor: by.principal.name,
    action: 'token.revoke',
    subject: id,
    reason: null,
    data: { name },
    ...originOf(by.origin),
  }));
  return revoked ? ok(revoked) : err(refusal('not_found', `no token ${id}, or it was revoked already`));
}

async function openSession(deps: AccessDeps, text: string, origin: AuditOrigin | null): Promise<Result<Made, string>> {
  if (!isTokenText(text)) return err('this is no token of this service');
  const found = await usable(deps, text);
  if (!found.ok) return found;
  const { value: token } = found;
  if (token.parent !== null) return err('a session is made from a token, not from a session');
  const { kind, name, role, scopes, services, expiresAt } = token;
  const ends = Instant(Math.min(expiresAt, after(await deps.store.now(), SESSION_MS)));
  const given = { kind, name, role, scopes, services, parent: token.id, createdBy: name, expiresAt: ends };
  const made = await added(deps, { kind: 'hgs', given, action: 'session.start', actor: name, origin });
  assert(made, 'a session is asked for without a key');
  return ok(made);
}

async function firstToken(deps: AccessDeps, keep: (text: string) => void): Promise<boolean> {
  if (await deps.store.hasAdmin()) return false;
  const rights = { role: 'admin', scopes: [], services: null } as const;
  const expiresAt = after(await deps.store.now(), FIRST_MS);
  const given = { ...rights, kind: 'person', name: 'admin', parent: null, createdBy: 'headgate', expiresAt } as const;
  await added(deps, { kind: 'hg', given, action: 'token.create', actor: 'headgate', origin: null, keep });
  return true;
}

type Adding = {
  readonly kind: TokenKind;
  readonly given: Omit<Parameters<Store['addToken']>[0], 'id' | 'digest'>;
  readonly action: string;
  readonly actor: string;
  readonly origin: AuditOrigin | null;
  /** Before it is stored: a token that nobody can read would lock everybody out. */
  readonly keep?: (text: string) => void;
  readonly once?: Once<StoredToken> | null;
};

/** Null when somebody used the key meanwhile. */
async function added({ store, chance }: AccessDeps, adding: Adding): Promise<Made | null> {
  const { kind, given, action, actor, origin, keep, once = null } = adding;
  const { id, text }: TokenText = tokenText(kind, chance());
  keep?.(text);
  const made = { ...given, id, digest: digestOf(text) };
  const token = await store.addToken(made, entryOf({ actor, action, token: made, origin }), once);
  return token === null ? null : { token, text };
}

type Entry = Pick<Adding, 'actor' | 'action' | 'origin'> & { readonly token: Adding['given'] & { readonly id: string } };

const entryOf = ({ actor, action, token, origin }: Entry): AuditEntry => ({
  actor,
  action,
  subject: token.parent ?? token.id,
  reason: null,
  data: { name: token.name, kind: token.kind, scopes: scopesOf(token), services: token.services, expiresAt: token.expiresAt },
  ...originOf(origin),
});

const originOf = (origin: AuditOrigin | null): Pick<AuditEntry, 'origin'> => (origin ? { origin } : {});
