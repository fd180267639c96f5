/** API tokens: who has one, what it may do and until when; made, and taken back. Only admins come here. */
import { useState } from 'preact/hooks';
import type { TokenView } from '../../../src/contract/wire-access.ts';
import { call, query, serviceNow } from '../api/client.ts';
import type { Failure, Page } from '../api/client.ts';
import { useResource } from '../api/use-resource.ts';
import { useWhyNot } from '../api/rights.ts';
import { Act } from '../parts/act.tsx';
import { Badge } from '../parts/badge.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Listing } from '../parts/listing.tsx';
import { CopyLine, Empty, ErrorBox } from '../parts/notices.tsx';
import type { Column } from '../parts/table.tsx';
import { Ago, Moment } from '../parts/time.tsx';
import type { Place } from '../router.ts';
import { NewToken } from './tokens/new-token.tsx';

type Asked = { readonly kind: 'new' } | { readonly kind: 'revoke'; readonly token: TokenView } | null;

const PAGE = 50;

export function Tokens({ place }: { readonly place: Place }) {
  const tokens = useResource<Page<TokenView>>(`/v1/tokens${query({ limit: PAGE, cursor: place.search.get('cursor') })}`);
  const [asked, setAsked] = useState<Asked>(null);
  const [done, setDone] = useState('');
  const whyNot = useWhyNot('admin');
  const close = (said: string): void => {
    setAsked(null);
    setDone(said);
    tokens.refresh();
  };
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Tokens</h1>
          <p class="soft">For people who sign in here, and for programs that call the API.</p>
        </div>
        <Act tone="primary" whyNot={whyNot} run={() => setAsked({ kind: 'new' })}>
          New token
        </Act>
      </div>
      <p role="status" class="done">
        {done}
      </p>
      <Listing
        resource={tokens}
        place={place}
        of="the tokens"
        caption="Tokens, newest first"
        columns={columns((token) => setAsked({ kind: 'revoke', token }), whyNot)}
        keyOf={({ id }) => id}
        empty={
          <Empty title="No token yet.">
            <CopyLine text="headgate token create --name ann --role operator" />
          </Empty>
        }
      />
      {asked?.kind === 'new' ? (
        <NewToken onClose={(made) => close(made === null ? '' : `The token of ${made} is made.`)} />
      ) : null}
      {asked?.kind === 'revoke' ? (
        <Revoke token={asked.token} onClose={(said) => close(said ? `The token of ${asked.token.name} is revoked.` : '')} />
      ) : null}
    </>
  );
}

const stateOf = ({ revokedAt, expiresAt }: TokenView): 'revoked' | 'expired' | 'valid' =>
  revokedAt !== null ? 'revoked' : expiresAt <= serviceNow() ? 'expired' : 'valid';

function columns(onRevoke: (token: TokenView) => void, whyNot: string | null): readonly Column<TokenView>[] {
  return [
    {
      title: 'Name',
      cell: ({ id, name, kind }) => (
        <>
          <span class="strong">{name}</span>
          <span class="under soft small">
            {kind === 'ci' ? 'program' : 'person'} · <code>{id}</code>
          </span>
        </>
      ),
    },
    {
      title: 'May',
      cell: ({ role, scopes, services }) => (
        <>
          {role ?? scopes.join(', ')}
          <span class="under soft small">{services === null ? 'all services' : services.join(', ')}</span>
        </>
      ),
    },
    { title: 'State', cell: (token) => <State token={token} /> },
    { title: 'Made', cell: ({ createdAt, createdBy }) => <Made at={createdAt} by={createdBy} /> },
    {
      title: 'Last used',
      cell: ({ lastUsedAt }) => (lastUsedAt === null ? <span class="soft">never</span> : <Ago at={lastUsedAt} />),
    },
    {
      title: 'Revoke',
      cell: (token) =>
        stateOf(token) === 'valid' ? (
          <Act label={`Revoke the token of ${token.name}`} whyNot={whyNot} run={() => onRevoke(token)}>
            Revoke
          </Act>
        ) : null,
      end: true,
    },
  ];
}

const Made = ({ at, by }: { readonly at: number; readonly by: string }) => (
  <>
    <Moment at={at} />
    <span class="under soft small">by {by}</span>
  </>
);

function State({ token }: { readonly token: TokenView }) {
  const { revokedAt, expiresAt } = token;
  if (revokedAt !== null)
    return (
      <>
        <Badge tone="bad" icon="bad">
          revoked
        </Badge>
        <span class="under soft small">
          <Moment at={revokedAt} />
        </span>
      </>
    );
  const isOver = stateOf(token) === 'expired';
  return (
    <>
      <Badge tone={isOver ? 'calm' : 'ok'} icon={isOver ? 'wait' : 'ok'}>
        {isOver ? 'expired' : 'valid'}
      </Badge>
      <span class="under soft small">
        {isOver ? 'since' : 'until'} <Moment at={expiresAt} />
      </span>
    </>
  );
}

function Revoke({ token, onClose }: { readonly token: TokenView; readonly onClose: (done: boolean) => void }) {
  const [error, setError] = useState<Failure | null>(null);
  const revoke = async (): Promise<void> => {
    const answer = await call<TokenView>(`/v1/tokens/${encodeURIComponent(token.id)}`, { method: 'DELETE' });
    if (answer.ok) onClose(true);
    else setError(answer.error);
  };
  return (
    <Dialog title={`Revoke the token of ${token.name}?`} onClose={() => onClose(false)}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>Whoever uses it is refused from now on, and every session that was signed in with it ends. It cannot be undone.</p>
        {error ? <ErrorBox error={error} /> : null}
        <div class="row end">
          <button type="button" onClick={() => onClose(false)}>
            Cancel
          </button>
          <Act tone="danger" run={revoke}>
            Revoke
          </Act>
        </div>
        <div class="same">
          <p class="small soft">The same from a terminal</p>
          <CopyLine text={`headgate token revoke ${token.id}`} />
        </div>
      </form>
    </Dialog>
  );
}
