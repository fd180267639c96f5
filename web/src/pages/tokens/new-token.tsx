/** Makes a token, and shows its secret the only time that it can be shown. */
import { useState } from 'preact/hooks';
import type { MadeTokenView } from '../../../../src/contract/wire-access.ts';
import type { ServiceView } from '../../../../src/contract/wire.ts';
import { ROLES, SCOPES } from '../../../../src/domain/rights.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/client.ts';
import { useResource } from '../../api/use-resource.ts';
import { Act } from '../../parts/act.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { beside, errorAt, Field } from '../../parts/field.tsx';
import { CopyLine, ErrorBox } from '../../parts/notices.tsx';
import { Moment } from '../../parts/time.tsx';

type Draft = {
  readonly name: string;
  readonly kind: 'person' | 'ci';
  /** A role, or empty for single rights. */
  readonly role: string;
  readonly scopes: readonly string[];
  /** None: all of them. */
  readonly services: readonly string[];
  readonly expires: string;
};

const FRESH: Draft = { name: '', kind: 'person', role: 'viewer', scopes: ['read'], services: [], expires: '90d' };
const SHOWN = ['/name', '/role', '/scopes', '/services', '/expires'];

/** As the API takes it: what is left out is not sent. */
export const bodyOf = ({ name, kind, role, scopes, services, expires }: Draft) => ({
  name: name.trim(),
  kind,
  ...(role === '' ? { scopes } : { role }),
  ...(services.length === 0 ? {} : { services }),
  expires: expires.trim(),
});

/** `onClose` hears whose token was made, or null. */
export function NewToken({ onClose }: { readonly onClose: (made: string | null) => void }) {
  const [draft, setDraft] = useState(FRESH);
  const [error, setError] = useState<Failure | null>(null);
  const [made, setMade] = useState<MadeTokenView | null>(null);
  const make = async (): Promise<void> => {
    const answer = await call<MadeTokenView>('/v1/tokens', { method: 'POST', body: bodyOf(draft) });
    if (answer.ok) setMade(answer.value);
    else setError(answer.error);
  };
  if (made) return <Secret made={made} onClose={() => onClose(made.token.name)} />;
  const left = beside(error, SHOWN);
  return (
    <Dialog title="New token" onClose={() => onClose(null)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <Field label="Whose it is" hint="A person's name, or the pipeline's." error={errorAt(error, '/name')}>
          {(given) => (
            <input
              {...given}
              value={draft.name}
              autocomplete="off"
              required
              onInput={({ currentTarget }) => setDraft({ ...draft, name: currentTarget.value })}
            />
          )}
        </Field>
        <div class="pair">
          <Field label="For a" hint="">
            {(given) => (
              <select
                {...given}
                value={draft.kind}
                onChange={({ currentTarget }) => setDraft({ ...draft, kind: currentTarget.value === 'ci' ? 'ci' : 'person' })}
              >
                <option value="person">person</option>
                <option value="ci">program</option>
              </select>
            )}
          </Field>
          <Field label="Expires after" hint="A duration, such as 12h or 90d." error={errorAt(error, '/expires')}>
            {(given) => (
              <input
                {...given}
                value={draft.expires}
                required
                onInput={({ currentTarget }) => setDraft({ ...draft, expires: currentTarget.value })}
              />
            )}
          </Field>
        </div>
        <Rights draft={draft} error={error} onChange={setDraft} />
        <Services draft={draft} error={error} onChange={setDraft} />
        {left ? <ErrorBox error={left} /> : null}
        <div class="row end">
          <button type="button" onClick={() => onClose(null)}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Make the token
          </button>
        </div>
      </form>
    </Dialog>
  );
}

type PartProps = { readonly draft: Draft; readonly error: Failure | null; readonly onChange: (draft: Draft) => void };

function Rights({ draft, error, onChange }: PartProps) {
  const rights: readonly string[] =
    draft.role === '' ? draft.scopes : (Object.entries(ROLES).find(([role]) => role === draft.role)?.[1] ?? []);
  return (
    <>
      <Field label="Role" hint={draft.role === '' ? '' : `Rights: ${rights.join(', ')}.`} error={errorAt(error, '/role')}>
        {(given) => (
          <select
            {...given}
            value={draft.role}
            onChange={({ currentTarget }) => onChange({ ...draft, role: currentTarget.value })}
          >
            {Object.keys(ROLES).map((role) => (
              <option key={role}>{role}</option>
            ))}
            <option value="">single rights</option>
          </select>
        )}
      </Field>
      {draft.role === '' ? (
        <Boxes
          legend="Rights"
          of={SCOPES}
          chosen={draft.scopes}
          error={errorAt(error, '/scopes')}
          onChange={(scopes) => onChange({ ...draft, scopes })}
        />
      ) : null}
    </>
  );
}

function Services({ draft, error, onChange }: PartProps) {
  const { value } = useResource<{ readonly items: readonly ServiceView[] }>('/v1/services');
  const said = errorAt(error, '/services');
  if (!value || value.items.length < 2) return said === null ? null : <p class="small tone-bad">{said}</p>;
  return (
    <Boxes
      legend="Only for these services"
      hint="None chosen: for all of them, also those that come later."
      of={value.items.map(({ name }) => name)}
      chosen={draft.services}
      error={said}
      onChange={(services) => onChange({ ...draft, services })}
    />
  );
}

type BoxesProps = {
  readonly legend: string;
  readonly hint?: string;
  readonly of: readonly string[];
  readonly chosen: readonly string[];
  readonly error: string | null;
  readonly onChange: (chosen: readonly string[]) => void;
};

const Boxes = ({ legend, hint, of, chosen, error, onChange }: BoxesProps) => (
  <fieldset class="boxes">
    <legend>{legend}</legend>
    <div class="row">
      {of.map((name) => (
        <label key={name} class="box">
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={({ currentTarget }) =>
              onChange(currentTarget.checked ? [...chosen, name] : chosen.filter((one) => one !== name))
            }
          />
          {name}
        </label>
      ))}
    </div>
    {error === null ? <span class="small soft">{hint}</span> : <span class="small tone-bad">{error}</span>}
  </fieldset>
);

const Secret = ({ made, onClose }: { readonly made: MadeTokenView; readonly onClose: () => void }) => (
  <Dialog title={`The token of ${made.token.name}`} onClose={onClose}>
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <p>
        <strong>It is shown this once.</strong> Headgate keeps no copy of it: put it where it belongs before you close this.
      </p>
      <CopyLine text={made.secret} label="Copy the token" />
      <p class="small soft">
        Valid until <Moment at={made.token.expiresAt} />. For the command line: HEADGATE_TOKEN, or a file named by
        HEADGATE_TOKEN_FILE.
      </p>
      <div class="row end">
        <Act tone="primary" run={onClose}>
          I have it
        </Act>
      </div>
    </form>
  </Dialog>
);
