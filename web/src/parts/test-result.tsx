/** A test of a place that Headgate talks to: a button, and what came of it, said when it is there. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Answer, Failure } from '../api/client.ts';
import { count } from '../format.ts';
import { Act } from './act.tsx';
import { Icon } from './icon.tsx';
import { ErrorBox } from './notices.tsx';

type TestProps<T> = {
  /** What is tested, for those who hear the button alone. */
  readonly of: string;
  readonly whyNot?: string | null;
  readonly whyId?: string;
  readonly run: () => Promise<Answer<T>>;
  readonly said: (result: T) => { readonly well: boolean; readonly ms: number; readonly sentence: string };
  readonly more?: (result: T) => ComponentChildren;
};

export function Test<T>({ of, whyNot = null, whyId, run, said, more }: TestProps<T>) {
  const [result, setResult] = useState<T | null>(null);
  const [error, setError] = useState<Failure | null>(null);
  const test = async (): Promise<void> => {
    const answer = await run();
    setResult(answer.ok ? answer.value : null);
    setError(answer.ok ? null : answer.error);
  };
  const found = result === null ? null : said(result);
  return (
    <div class="test">
      <Act label={`Test ${of}`} whyNot={whyNot} {...(whyId === undefined ? {} : { whyId })} run={test}>
        Test
      </Act>
      <div role="status" class="test-said">
        {error ? <ErrorBox error={error} /> : null}
        {found ? (
          <p class={`notice ${found.well ? 'ok' : 'bad'}`}>
            <Icon name={found.well ? 'ok' : 'bad'} />
            <span>
              {found.well ? 'Works' : 'Does not work'}: {found.sentence} <span class="small">({count(found.ms)} ms)</span>
            </span>
          </p>
        ) : null}
        {result === null ? null : more?.(result)}
      </div>
    </div>
  );
}
