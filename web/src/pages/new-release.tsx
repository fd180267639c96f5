/** A new release: its plan checked as it is written, what it can see, what will happen, and the start. */
import { useEffect, useState } from 'preact/hooks';
import type { PlanView, ReleaseView, ValidatedView } from '../../../src/contract/wire.ts';
import { newKey } from '../api/commands.ts';
import { call } from '../api/client.ts';
import type { Failure } from '../api/client.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useResource } from '../api/use-resource.ts';
import { errorAt, Field } from '../parts/field.tsx';
import { ErrorBox } from '../parts/notices.tsx';
import { go } from '../router.ts';
import { bodyOf, keepDraft, keptDraft } from './new/draft.ts';
import type { Draft } from './new/draft.ts';
import { Options } from './new/options.tsx';
import { PlanChoice } from './new/plan-choice.tsx';
import { PlanEditor } from './new/plan-editor.tsx';
import { Preview } from './new/preview.tsx';
import { Start } from './new/start.tsx';

export function NewRelease() {
  const [draft, setDraft] = useState(keptDraft);
  const [refused, setRefused] = useState<Failure | null>(null);
  useEffect(() => keepDraft(draft), [draft]);
  /** Another request than before: what was said of the old one is over, and it is not taken for that one. */
  const change = (changes: Partial<Draft>): void => {
    setRefused(null);
    setDraft((before) => ({ ...before, ...changes, key: newKey() }));
  };
  const stored = useResource<PlanView>(
    draft.from === 'stored' && draft.stored !== '' ? `/v1/plans/${encodeURIComponent(draft.stored)}` : null,
  );
  const document = draft.from === 'text' ? draft.text : (stored.value?.document ?? '');
  const isAsked = document.trim() !== '';
  const checked = useAnswer<ValidatedView>('/v1/plans:validate', isAsked ? { document } : null);
  const valid = checked.isCurrent && checked.value?.valid === true ? checked.value.plan : null;
  // The service says whether it would take it, and what it would make of it; nothing is written.
  const body = bodyOf(draft);
  const trial = useAnswer<ReleaseView>('/v1/releases?validate_only=true', valid && body.version !== '' ? body : null);
  const refusal = refused ?? trial.error;
  const start = async (): Promise<void> => {
    const answer = await call<ReleaseView>('/v1/releases', {
      method: 'POST',
      body,
      headers: { 'idempotency-key': draft.key },
    });
    if (!answer.ok) {
      setRefused(answer.error);
      return;
    }
    keepDraft(null);
    go(`/releases/${answer.value.id}`);
  };
  return (
    <>
      <div class="page-head">
        <h1>New release</h1>
      </div>
      <div class="new">
        <div class="new-main">
          <section class="card side-card" aria-labelledby="plan-title">
            <h2 id="plan-title">Plan</h2>
            <PlanChoice draft={draft} document={document} onChange={change} />
            {stored.error ? <ErrorBox error={stored.error} /> : null}
            {draft.from === 'stored' && !isAsked ? null : (
              <div class="field">
                <label for="plan-text">
                  {draft.from === 'text' ? 'The plan, as YAML or JSON' : `The plan ${draft.stored}, as it is stored`}
                </label>
                <PlanEditor
                  id="plan-text"
                  text={document}
                  problems={checked.value?.problems ?? []}
                  warnings={checked.value?.warnings ?? []}
                  readOnly={draft.from === 'stored'}
                  onInput={(text) => change({ text })}
                />
              </div>
            )}
            {checked.error ? <ErrorBox error={checked.error} /> : null}
            <Checked isAsked={isAsked} checked={checked} />
          </section>
          <Preview document={valid ? document : null} />
        </div>
        <aside class="new-side">
          <section class="card side-card" aria-labelledby="what-title">
            <h2 id="what-title">Release</h2>
            <Field label="Version" hint="As it stands in the idle slot now." error={errorAt(refusal, '/version')}>
              {(given) => (
                <input
                  {...given}
                  value={draft.version}
                  autocomplete="off"
                  spellcheck={false}
                  onInput={({ currentTarget }) => change({ version: currentTarget.value })}
                />
              )}
            </Field>
            <Options draft={draft} refusal={refusal} onChange={change} />
          </section>
          <Start draft={draft} plan={valid} trial={trial} refusal={refusal} onStart={start} />
        </aside>
      </div>
    </>
  );
}

type CheckedProps = { readonly isAsked: boolean; readonly checked: ReturnType<typeof useAnswer<ValidatedView>> };

function Checked({ isAsked, checked: { value, isCurrent } }: CheckedProps) {
  const problems = value?.problems.length ?? 0;
  const said = !isAsked
    ? ''
    : value === null || !isCurrent
      ? 'Looking at it …'
      : value.valid
        ? `The plan ${value.plan?.name ?? ''} is valid.`
        : `${problems === 1 ? 'One thing keeps' : `${problems} things keep`} it from being a plan.`;
  return (
    <p role="status" class={`small ${value?.valid === false ? 'tone-bad' : 'soft'}`}>
      {said}
    </p>
  );
}
