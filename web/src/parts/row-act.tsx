/** Something that is done with one row of a list: what came of it is said above the list, and the list is read again. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { Answer } from '../api/client.ts';
import { ErrorBox } from './notices.tsx';

type RowAct = {
  readonly act: <T>(path: string, done: (value: T) => string) => Promise<void>;
  readonly said: JSX.Element;
};

export function useRowAct(refresh: () => void): RowAct {
  const [answer, setAnswer] = useState<Answer<string> | null>(null);
  return {
    async act<T>(path: string, done: (value: T) => string) {
      const found = await call<T>(path, { method: 'POST' });
      setAnswer(found.ok ? { ok: true, value: done(found.value) } : found);
      refresh();
    },
    said: (
      <>
        <p role="status" class="done">
          {answer?.ok === true ? answer.value : ''}
        </p>
        {answer?.ok === false ? <ErrorBox error={answer.error} /> : null}
      </>
    ),
  };
}
