/** A question that follows what is typed: asked when the typing pauses, and the answer to an older one is never shown. */
import { useEffect, useState } from 'preact/hooks';
import type { Answer, Failure } from './client.ts';
import { call } from './client.ts';

export type Told<T> = {
  /** The newest answer, also while a newer question is under way. */
  readonly value: T | null;
  readonly error: Failure | null;
  /** What is shown answers what was asked last. */
  readonly isCurrent: boolean;
};

const PAUSE_MS = 350;

/** `body` null: there is nothing to ask. */
export function useAnswer<T>(path: string, body: unknown): Told<T> {
  const asked = body === null ? null : JSON.stringify(body);
  const [told, setTold] = useState<{ readonly of: string; readonly answer: Answer<T> } | null>(null);
  useEffect(() => {
    if (asked === null) return undefined;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      void call<T>(path, { method: 'POST', body: JSON.parse(asked), signal: gone.signal }).then((answer) => {
        if (!gone.signal.aborted) setTold({ of: asked, answer });
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [path, asked]);
  if (asked === null || told === null) return { value: null, error: null, isCurrent: false };
  const { answer, of } = told;
  return { value: answer.ok ? answer.value : null, error: answer.ok ? null : answer.error, isCurrent: of === asked };
}
