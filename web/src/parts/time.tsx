/** Times that move by themselves: how long until, how long ago. One timer for all of them. */
import { useEffect, useState } from 'preact/hooks';
import { atService, serviceNow } from '../api/client.ts';
import { useContact } from '../api/contact.ts';
import { clock, exactly, moment, span, timeOfDay } from '../format.ts';

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

/** Stands still while the service is silent: what is shown is from then, and may have been changed since. */
export function useSeenNow(): number {
  const now = useNow();
  const contact = useContact();
  return contact.kind === 'stale' ? atService(contact.since) : now;
}

export function Countdown({ at }: { readonly at: number }) {
  const contact = useContact();
  const left = at - useSeenNow();
  const isStale = contact.kind === 'stale';
  return (
    <time
      class={isStale ? 'num stopped' : 'num'}
      dateTime={exactly(at)}
      title={isStale ? `as of ${timeOfDay(contact.since)}; not counted since` : moment(at, serviceNow())}
    >
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
