/** What is said beside plan and version: how it begins, what happens when the service is busy, and why. */
import type { Failure } from '../../api/client.ts';
import { errorAt, Field } from '../../parts/field.tsx';
import type { Draft } from './draft.ts';

type OptionsProps = {
  readonly draft: Draft;
  readonly refusal: Failure | null;
  readonly onChange: (changes: Partial<Draft>) => void;
};

const BUSY = [
  ['', 'as the plan says'],
  ['reject', 'do not start'],
  ['queue', 'wait behind it'],
  ['supersede', 'roll it back and take its place'],
] as const;

export const Options = ({ draft, refusal, onChange }: OptionsProps) => (
  <>
    <fieldset class="boxes">
      <legend>How it begins</legend>
      <label class="box">
        <input
          type="checkbox"
          checked={draft.paused}
          onChange={({ currentTarget }) => onChange({ paused: currentTarget.checked })}
        />
        Paused: somebody resumes it before its first step
      </label>
      <label class="box">
        <input
          type="checkbox"
          checked={draft.first}
          onChange={({ currentTarget }) => onChange({ first: currentTarget.checked })}
        />
        The first version: there is none to compare with
      </label>
    </fieldset>
    <Field label="When another release moves the service" error={errorAt(refusal, '/onBusy')}>
      {(given) => (
        <select {...given} value={draft.onBusy} onChange={({ currentTarget }) => onChange({ onBusy: currentTarget.value })}>
          {BUSY.map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
      )}
    </Field>
    <Field label="Reason" hint="Optional; it is kept in the audit log." error={errorAt(refusal, '/reason')}>
      {(given) => (
        <textarea
          {...given}
          rows={2}
          maxLength={2_000}
          value={draft.reason}
          onInput={({ currentTarget }) => onChange({ reason: currentTarget.value })}
        />
      )}
    </Field>
  </>
);
