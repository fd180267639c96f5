/**
 * One stream of events for the tab. The browser resumes it by `Last-Event-ID`; where it gives up, we open it again after
 * the last event that came. The service gives a sign of life where nothing happens, so a line that went dead without a
 * word is noticed.
 */
import type { EventView } from '../../../src/contract/wire.ts';
import { call } from './client.ts';
import { contactNow, streamHeard, streamLost, streamQuietMs } from './contact.ts';

type Listener = (event: EventView | null) => void;

/** Three of the service's signs of life. */
const QUIET_MS = 45_000;
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
    streamHeard();
    tell(null);
  });
  stream.addEventListener('error', streamLost);
  stream.addEventListener('alive', streamHeard);
  stream.addEventListener('message', (message: MessageEvent<string>) => {
    lastId = message.lastEventId;
    streamHeard();
    tell(JSON.parse(message.data) as EventView);
  });
}

async function look(): Promise<void> {
  const { kind } = contactNow();
  if (kind === 'live' && streamQuietMs() < QUIET_MS) return;
  // One that is still being opened is left to the browser; one that is open and carries nothing is none.
  const isOpening = source?.readyState === EventSource.CONNECTING;
  // Asked who we are, and not only whether it is there: a stream may have ended because nobody knows us any longer.
  const answer = await call('/v1/session');
  const isThere = answer.ok || answer.error.kind === 'refused';
  if (!isThere) return void source?.close();
  if (contactNow().kind === 'live' && streamQuietMs() < QUIET_MS) return;
  if (!isOpening || kind === 'stale') open();
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
