/** Times that move by themselves: how long until, how long ago. One timer for all of them. */
import { useEffect, useState } from 'preact/hooks';
import { serviceNow } from '../api/client.ts';
import { clock, exactly, moment, span } from '../format.ts';

const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function eachSecond(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    for (const each of watchers) each();
  }, 1_000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The service's time, to the second. */
export function useNow(): number {
  const [now, setNow] = useState(serviceNow);
  useEffect(() => eachSecond(() => setNow(serviceNow())), []);
  return now;
}

export function Countdown({ at }: { readonly at: number }) {
  const left = at - useNow();
  return (
    <time class="num" dateTime={exactly(at)} title={moment(at, serviceNow())}>
      {left <= 0 ? 'now' : clock(left)}
    </time>
  );
}

export function Ago({ at }: { readonly at: number }) {
  const now = useNow();
  return (
    <time class="num" dateTime={exactly(at)} title={moment(at, now)}>
      {span(now - at)} ago
    </time>
  );
}

export const Moment = ({ at }: { readonly at: number }) => (
  <time class="num" dateTime={exactly(at)} title={exactly(at)}>
    {moment(at, serviceNow())}
  </time>
);
