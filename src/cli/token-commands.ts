/** `headgate token create | list | revoke`. The secret goes to standard output, alone, so that it can be put where it belongs. */
import type { Command } from 'commander';
import type { TokenInput, TokenView } from '../contract/wire-access.ts';
import type { Client, ClientError } from './client.ts';
import { EXIT, exitOfStatus } from './exit-codes.ts';
import { errorText } from './output.ts';
import type { Printer } from './output.ts';
import { minuteWords } from './times.ts';

export type AccessSession = { readonly api: Client; readonly print: Printer; readonly json: boolean };
type Finish = (result: Promise<number>) => Promise<void>;

type Flags = {
  readonly name: string;
  readonly role?: string;
  readonly scope: readonly string[];
  readonly service: readonly string[];
  readonly expires?: string;
};

export function tokenCommands(token: Command, session: () => AccessSession, finish: Finish): void {
  token
    .command('create')
    .description('make a token; its secret is shown this once')
    .requiredOption('--name <name>', 'whose it is; ci:NAME for a pipeline')
    .option('--role <role>', 'viewer, responder, operator, approver or admin')
    .option('--scope <right>', 'instead of a role: a single right; again for more', several, [])
    .option('--service <name>', 'for this service only; again for more', several, [])
    .option('--expires <duration>', 'such as 30d; left out, 90d')
    .action((options: Flags) => finish(create(session(), options)));
  token
    .command('list')
    .description('tokens, newest first')
    .action(() => finish(list(session())));
  token
    .command('revoke')
    .description('end a token, and every session made from it, at once')
    .argument('<id>')
    .action((id: string) => finish(revoke(session(), id)));
}

const several = (text: string, before: readonly string[]): readonly string[] => [...before, text];

async function create({ api, print, json }: AccessSession, flags: Flags): Promise<number> {
  const { name, role, scope, service, expires } = flags;
  const isPipeline = name.startsWith('ci:');
  const body = {
    name: isPipeline ? name.slice(3) : name,
    kind: isPipeline ? 'ci' : 'person',
    ...(role === undefined ? {} : { role }),
    ...(scope.length > 0 ? { scopes: scope } : {}),
    ...(service.length > 0 ? { services: service } : {}),
    ...(expires === undefined ? {} : { expires }),
  } as TokenInput; // what is no role or right, the service says
  const made = await api.createToken(body);
  if (!made.ok) return refusedAccess(print, made.error);
  const { token, secret } = made.value;
  print.data(json ? JSON.stringify(made.value) : secret);
  print.note(`${described(token)}\nThe secret is not shown again; only its digest is kept.`);
  return EXIT.ok;
}

async function list({ api, print, json }: AccessSession): Promise<number> {
  const items: TokenView[] = [];
  for (let cursor: string | null = null; ;) {
    const page: Awaited<ReturnType<Client['tokens']>> = await api.tokens(cursor);
    if (!page.ok) return refusedAccess(print, page.error);
    items.push(...page.value.items);
    cursor = page.value.nextCursor;
    if (cursor === null) break;
  }
  if (json) print.data(JSON.stringify(items));
  else for (const token of items) print.data(described(token));
  return EXIT.ok;
}

async function revoke({ api, print, json }: AccessSession, id: string): Promise<number> {
  const revoked = await api.revokeToken(id);
  if (!revoked.ok) return refusedAccess(print, revoked.error);
  print.data(json ? JSON.stringify(revoked.value) : described(revoked.value));
  return EXIT.ok;
}

function described({ id, name, kind, role, scopes, services, expiresAt, lastUsedAt, revokedAt }: TokenView): string {
  const rights = role ?? scopes.join('+');
  const end = revokedAt === null ? `until ${minuteWords(expiresAt)}` : `revoked ${minuteWords(revokedAt)}`;
  const used = lastUsedAt === null ? 'never used' : `used ${minuteWords(lastUsedAt)}`;
  return `${id}  ${kind === 'ci' ? 'ci:' : ''}${name}  ${rights} on ${services?.join(', ') ?? 'all services'}  ${end}  ${used}`;
}

export function refusedAccess(print: Printer, error: ClientError): number {
  print.note(errorText(error));
  return error.kind === 'unreachable' ? EXIT.unreachable : exitOfStatus(error.status);
}
