/**
 * The trace that what runs now belongs to, as the W3C `traceparent` that calls out carry: who follows a release across systems
 * sees them in one piece, whether or not Headgate's own spans are collected.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Tracer } from '../../ports/tracer.ts';

const PARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:$|-)/;

/** What is none is nobody's. */
export const validParent = (text: string | undefined): string | null => (text !== undefined && PARENT.test(text) ? text : null);

export const carried = new AsyncLocalStorage<string>();

export const traceHeaders = (): { readonly traceparent?: string } => {
  const traceparent = carried.getStore();
  return traceparent === undefined ? {} : { traceparent };
};

/** Collects nothing, and passes on what it was given. */
export const passingTracer = (): Tracer => ({
  span({ parent, cause }, work) {
    const trace = validParent(parent) ?? carried.getStore() ?? validParent(cause);
    const silent = { rename() {}, set() {}, fail() {} };
    return trace === null ? work(silent) : carried.run(trace, () => work(silent));
  },
  current: () => carried.getStore() ?? null,
  close: async () => {},
});
