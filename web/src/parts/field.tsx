/** A value that is asked for, with its refusal beside it: a problem document says by pointer which value it means. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Failure } from '../api/client.ts';

type FieldProps = {
  readonly label: string;
  readonly hint?: string;
  /** What is wrong with it, where something is. */
  readonly error?: string | null;
  readonly children: (given: Given) => ComponentChildren;
};

/** To be spread into the input. */
type Given = { readonly id: string; readonly 'aria-describedby': string; readonly 'aria-invalid': boolean };

export function Field({ label, hint, error = null, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-said`, 'aria-invalid': error !== null })}
      <span id={`${id}-said`} class={`small ${error === null ? 'soft' : 'tone-bad'}`} role={error === null ? undefined : 'alert'}>
        {error ?? hint}
      </span>
    </div>
  );
}

/** What a refusal says of one value, by its pointer or of what is in it; null when it says nothing of that. */
export function errorAt(failure: Failure | null, pointer: string): string | null {
  if (failure?.kind !== 'refused') return null;
  const said = (failure.problem.errors ?? []).filter(({ pointer: at }) => at === pointer || at.startsWith(`${pointer}/`));
  return said.length === 0 ? null : said.map(({ detail }) => detail).join('; ');
}

/** The refusal without what is shown at fields already; null when nothing is left to be said. */
export function beside(failure: Failure | null, pointers: readonly string[]): Failure | null {
  if (failure?.kind !== 'refused') return failure;
  const { errors = [] } = failure.problem;
  const isShown = (at: string): boolean => pointers.some((pointer) => at === pointer || at.startsWith(`${pointer}/`));
  const left = errors.filter(({ pointer }) => !isShown(pointer));
  if (errors.length > 0 && left.length === 0) return null;
  return { ...failure, problem: { ...failure.problem, errors: left } };
}
