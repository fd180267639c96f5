/** Whether the service is there: what the stream of events and every request learn about it, in one place. */
import { useEffect, useState } from 'preact/hooks';

export type Contact =
  | { readonly kind: 'connecting' }
  /** Events arrive as they happen. */
  | { readonly kind: 'live' }
  /** Answers, but its stream does not get through: asked every few seconds. */
  | { readonly kind: 'polling' }
  /** Silent since then. */
  | { readonly kind: 'stale'; readonly since: number };

let contact: Contact = { kind: 'connecting' };
let isStreaming = false;
let answeredAt = Date.now();
let streamHeardAt = Date.now();
const watchers = new Set<() => void>();

function become(next: Contact): void {
  if (next.kind === contact.kind) return;
  contact = next;
  for (const watcher of watchers) watcher();
}

/** It opened, or something came through it: so it is there, whatever a request met meanwhile. */
export function streamHeard(): void {
  isStreaming = true;
  streamHeardAt = answeredAt = Date.now();
  become({ kind: 'live' });
}
export function streamLost(): void {
  isStreaming = false;
  if (contact.kind === 'live') become({ kind: 'connecting' });
}
/** Any answer counts, a refusal too. */
export function answered(): void {
  answeredAt = Date.now();
  become(isStreaming ? { kind: 'live' } : { kind: 'polling' });
}
export function unanswered(): void {
  isStreaming = false;
  become({ kind: 'stale', since: answeredAt });
}
export const streamQuietMs = (): number => Date.now() - streamHeardAt;
export const contactNow = (): Contact => contact;

export function watchContact(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useContact(): Contact {
  const [seen, setSeen] = useState(contact);
  useEffect(() => watchContact(() => setSeen(contact)), []);
  return seen;
}
