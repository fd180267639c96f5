/** A new release: its plan checked as it is written, what it can see, what will happen, and the start. */
import type { ValidatedView } from '../../../src/contract/wire.ts';
import type { Told } from '../api/use-answer.ts';
import { errorAt, Field } from '../parts/field.tsx';
import { ErrorBox } from '../parts/notices.tsx';
import { isUntouched } from './new/draft.ts';
import type { Place } from '../router.ts';
import { Options } from './new/options.tsx';
import { PlanChoice } from './new/plan-choice.tsx';
import { PlanEditor } from './new/plan-editor.tsx';
import { Preview } from './new/preview.tsx';
import { Start } from './new/start.tsx';
import { useOrder } from './new/use-order.ts';
import type { Order } from './new/use-order.ts';

export function NewRelease({ place }: { readonly place: Place }) {
  const order = useOrder(place.search.get('service') ?? '');
  const { draft, change, document, plan, refusal } = order;
  return (
    <>
      <div class="page-head">
        <h1>New release</h1>
      </div>
      <div class="new">
        <div class="new-main">
          <PlanCard order={order} />
          <Preview document={plan ? document : null} />
        </div>
        <aside class="new-side">
          <section class="card side-card" aria-labelledby="what-title">
            <h2 id="what-title">Release</h2>
            <Field label="Version" hint="The one that is deployed in the idle slot." error={errorAt(refusal, '/version')}>
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
          <Start order={order} />
        </aside>
      </div>
    </>
  );
}

function PlanCard({ order: { draft, change, plans, document, unread, checked } }: { readonly order: Order }) {
  const isText = draft.from === 'text';
  const isAsked = document.trim() !== '';
  return (
    <section class="card side-card" aria-labelledby="plan-title">
      <h2 id="plan-title">Plan</h2>
      <PlanChoice draft={draft} stored={plans} document={document} onChange={change} />
      {unread ? <ErrorBox error={unread} /> : null}
      {isText || isAsked ? (
        <div class="field">
          <label for="plan-text">{isText ? 'The plan, as YAML or JSON' : `The plan ${draft.stored}, as it is stored`}</label>
          <PlanEditor
            id="plan-text"
            text={document}
            problems={checked.value?.problems ?? []}
            warnings={checked.value?.warnings ?? []}
            readOnly={!isText}
            onInput={(text) => change({ text })}
          />
        </div>
      ) : null}
      {checked.error ? <ErrorBox error={checked.error} /> : null}
      <p role="status" class={`small ${checked.value?.valid === false ? 'tone-bad' : 'soft'}`}>
        {isText && isUntouched(draft)
          ? 'An example: name the service in its first line, and what else it needs.'
          : isAsked && !checked.error
            ? saidOf(checked)
            : ''}
      </p>
    </section>
  );
}

function saidOf({ value, isCurrent }: Told<ValidatedView>): string {
  if (value === null || !isCurrent) return 'Looking at it …';
  if (value.valid) return `The plan ${value.plan?.name ?? ''} is valid.`;
  const problems = value.problems.length;
  return `${problems === 1 ? 'One thing keeps' : `${problems} things keep`} it from being a plan.`;
}
