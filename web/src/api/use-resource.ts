/** Something that is read from the service and kept fresh: asked again when an event concerns it, and on an interval where one is given. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { EventView } from '../../../src/contract/wire.ts';
import { call } from './client.ts';
import type { Failure } from './client.ts';
import { onEvent } from './live.ts';

export type Resource<T> = {
  /** The last good answer, kept while a newer one is asked for or fails. */
  readonly value: T | null;
  readonly error: Failure | null;
  readonly refresh: () => void;
};

type Options = {
  /** Which events make it worth asking again; none by default. */
  readonly on?: (event: EventView) => boolean;
  readonly everyMs?: number;
  /** So long events are gathered into one question: lists of everything are asked for less often. */
  readonly gatherMs?: number;
};

/** Many events at once are one question. */
const GATHER_MS = 150;

/** `path` null: nothing to ask for yet. */
export function useResource<T>(path: string | null, { on, everyMs, gatherMs = GATHER_MS }: Options = {}): Resource<T> {
  const [state, setState] = useState<{ path: string | null; value: T | null; error: Failure | null }>({
    path,
    value: null,
    error: null,
  });
  const concerns = useRef(on);
  concerns.current = on;
  const again = useRef<() => void>(() => {});

  useEffect(() => {
    if (path === null) return undefined;
    const gone = new AbortController();
    let asking = false;
    let wanted = false;
    let missed = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      if (asking) {
        wanted = true;
        return;
      }
      asking = true;
      const answer = await call<T>(path, { signal: gone.signal });
      asking = false;
      if (gone.signal.aborted) return;
      setState((before) => {
        const kept = before.path === path ? before.value : null;
        return answer.ok ? { path, value: answer.value, error: null } : { path, value: kept, error: answer.error };
      });
      if (wanted) {
        wanted = false;
        soon();
      }
    };
    const soon = (): void => {
      // A tab that nobody sees asks when it is looked at again.
      missed = document.visibilityState === 'hidden';
      if (missed) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        void ask();
      }, gatherMs);
    };
    const seen = (): void => {
      if (missed && document.visibilityState === 'visible') soon();
    };
    document.addEventListener('visibilitychange', seen);
    again.current = () => void ask();
    void ask();
    const stop = onEvent((event) => {
      if (event === null || concerns.current?.(event) === true) soon();
    });
    const interval =
      everyMs === undefined ? undefined : setInterval(() => document.visibilityState === 'visible' && void ask(), everyMs);
    return () => {
      gone.abort();
      stop();
      document.removeEventListener('visibilitychange', seen);
      clearTimeout(timer);
      clearInterval(interval);
    };
  }, [path, everyMs, gatherMs]);

  const refresh = useCallback(() => again.current(), []);
  const isOfPath = state.path === path;
  return { value: isOfPath ? state.value : null, error: isOfPath ? state.error : null, refresh };
}
