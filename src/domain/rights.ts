/**
 * Who may do what. A right is a scope; roles are names for sets of them. Lowering exposure has a scope of its own, and is
 * never bound to services: whoever may take traffic away from one new version may take it away from any.
 */
export const SCOPES = ['read', 'lower', 'raise', 'approve', 'plan', 'measure', 'evaluate', 'audit', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** What a route asks for. `anyone` is for what is said to people who are not known yet: health, the console's files. */
export type Permission = Scope | 'anyone';

export const ROLES = {
  viewer: ['read'],
  responder: ['read', 'lower'],
  operator: ['read', 'lower', 'raise', 'plan', 'measure', 'evaluate', 'audit'],
  approver: ['read', 'lower', 'approve', 'audit'],
  admin: SCOPES,
} as const satisfies Record<string, readonly Scope[]>;
export type Role = keyof typeof ROLES;

/** Whoever asks, as far as is known. */
export type Principal = {
  readonly kind: 'person' | 'ci';
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Only these services; null for all. */
  readonly services: readonly string[] | null;
};

export const may = ({ scopes }: Principal, permission: Permission): boolean =>
  permission === 'anyone' || scopes.includes(permission);
