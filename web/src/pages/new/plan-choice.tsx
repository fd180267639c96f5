/** Where the plan comes from: one that is stored, or one that is written, pasted or read from a file. */
import { useState } from 'preact/hooks';
import type { PlanView } from '../../../../src/contract/wire.ts';
import type { Resource } from '../../api/use-resource.ts';
import type { Page } from '../../api/client.ts';
import { ErrorBox, Loading } from '../../parts/notices.tsx';
import type { Draft } from './draft.ts';

type ChoiceProps = {
  readonly draft: Draft;
  readonly stored: Resource<Page<PlanView>>;
  /** What is shown now. */
  readonly document: string;
  readonly onChange: (changes: Partial<Draft>) => void;
};

const MOST_BYTES = 262_144;

export function PlanChoice({ draft, stored: { value, error }, document, onChange }: ChoiceProps) {
  const [said, setSaid] = useState('');
  const read = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0];
    if (!file) return;
    input.value = '';
    if (file.size > MOST_BYTES) return setSaid(`${file.name} is too large for a plan.`);
    setSaid('');
    onChange({ from: 'text', text: await file.text() });
  };
  const plans = value?.items ?? [];
  if (draft.from === '') return <Loading of="the stored plans" />;
  return (
    <>
      {error ? <ErrorBox error={error} /> : null}
      <fieldset class="boxes">
        <legend class="unseen">Where the plan comes from</legend>
        <div class="row">
          <label class="box">
            <input type="radio" name="from" checked={draft.from === 'stored'} onChange={() => onChange({ from: 'stored' })} />
            A stored plan
          </label>
          <label class="box">
            <input type="radio" name="from" checked={draft.from === 'text'} onChange={() => onChange({ from: 'text' })} />
            Written here
          </label>
        </div>
      </fieldset>
      {draft.from === 'stored' ? (
        <div class="row ask">
          <label class="field">
            Plan
            <select value={draft.stored} onChange={({ currentTarget }) => onChange({ stored: currentTarget.value })}>
              <option value="">{plans.length === 0 ? 'no plan is stored' : 'choose one'}</option>
              {plans.map(({ name, service }) => (
                <option key={name} value={name}>
                  {name === service ? name : `${name} (${service})`}
                </option>
              ))}
            </select>
          </label>
          {draft.stored === '' || document === '' ? null : (
            <button type="button" onClick={() => onChange({ from: 'text', text: document })}>
              Change a copy
            </button>
          )}
        </div>
      ) : (
        <div class="row ask">
          <label class="upload">
            <span>Read it from a file</span>
            <input type="file" accept=".yaml,.yml,.json" onChange={({ currentTarget }) => void read(currentTarget)} />
          </label>
          <span role="status" class="small tone-bad">
            {said}
          </span>
        </div>
      )}
    </>
  );
}
