/**
 * One stream of events for the tab. The browser resumes it by `Last-Event-ID`; where it gives up, we open it again after
 * the last event that came. A line that went dead without a word is noticed by asking now and then.
 */
import type { EventView } from '../../../src/contract/wire.ts';
import { call } from './client.ts';
import { contactNow, heard, quietMs, streamLost, streamOpened } from './contact.ts';

type Listener = (event: EventView | null) => void;

const QUIET_MS = 20_000;
const LOOK_MS = 3_000;

const listeners = new Set<Listener>();
let lastId: string | null = null;
let source: EventSource | null = null;

/** Called with every event, and with null when something may have been missed: then everything is asked again. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const tell = (event: EventView | null): void => {
  for (const listener of listeners) listener(event);
};

function open(): void {
  source?.close();
  const stream = new EventSource(lastId === null ? '/v1/events' : `/v1/events?after=${lastId}`);
  source = stream;
  stream.addEventListener('open', () => {
    streamOpened();
    tell(null);
  });
  stream.addEventListener('error', streamLost);
  stream.addEventListener('message', (message: MessageEvent<string>) => {
    lastId = message.lastEventId;
    heard();
    tell(JSON.parse(message.data) as EventView);
  });
}

async function look(): Promise<void> {
  const isDead = source?.readyState === EventSource.CLOSED;
  const { kind } = contactNow();
  if (kind === 'live' && quietMs() < QUIET_MS) return;
  const answer = await call('/healthz');
  const isThere = answer.ok || answer.error.kind === 'refused';
  if (!isThere) return void source?.close();
  if (isDead || kind === 'stale') open();
  if (kind !== 'live') tell(null);
}

export function startLive(): () => void {
  open();
  const timer = setInterval(() => void look(), LOOK_MS);
  const wake = (): void => {
    if (document.visibilityState === 'visible') void look();
  };
  document.addEventListener('visibilitychange', wake);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', wake);
    source?.close();
  };
}
