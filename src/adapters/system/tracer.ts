/**
 * Spans over OTLP/HTTP to a collector. Loaded only when one is named (`app.ts`). A collector that is slow or gone costs spans
 * and nothing else: they are handed out in the background, so many are kept at most, and one line of the log says so.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span as OtelSpan, SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes, serviceNameEnvDetector } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Log } from '../../ports/log.ts';
import type { Span, Tracer } from '../../ports/tracer.ts';
import { carried, validParent } from '../outgoing/carrier.ts';
import { logScope } from './log.ts';

/** Shorter than what a shutdown may take, for a request that hangs keeps the process alive. */
const EXPORT_MS = 1_500;
const CLOSE_MS = 1_000;
const QUEUE = { maxQueueSize: 4_096, maxExportBatchSize: 512, scheduledDelayMillis: 2_000, exportTimeoutMillis: EXPORT_MS + 500 };

const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, server: SpanKind.SERVER };

export function otlpTracer({ url, log }: { readonly url: string; readonly log: Log }): Tracer {
  const exporter = telling(new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS }), url, log);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'headgate' }).merge(
      detectResources({ detectors: [envDetector, serviceNameEnvDetector] }),
    ),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...QUEUE })],
  });
  const tracer = provider.getTracer('headgate');
  const running = new AsyncLocalStorage<OtelSpan>();
  return {
    async span({ name, kind, attributes, parent, cause }, work) {
      const around = running.getStore();
      const within = remote(parent) ?? (around ? trace.setSpan(ROOT_CONTEXT, around) : ROOT_CONTEXT);
      const led = contextOf(cause);
      const links = led ? [{ context: led }] : [];
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes }, links }, within);
      const { traceId, spanId, traceFlags } = span.spanContext();
      const said = `00-${traceId}-${spanId}-${(traceFlags & 1).toString().padStart(2, '0')}`;
      try {
        return await running.run(span, () => carried.run(said, () => logScope.run({ trace: traceId }, () => work(handle(span)))));
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
        throw error;
      } finally {
        span.end();
      }
    },
    current: () => carried.getStore() ?? null,
    async close() {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_MS);
      await Promise.race([provider.shutdown().catch(() => {}), late]); // that it failed was said already
      clearTimeout(timer);
    },
  };
}

const handle = (span: OtelSpan): Span => ({
  rename: (name) => void span.updateName(name),
  set: (attributes) => void span.setAttributes({ ...attributes }),
  fail: (message) => void span.setStatus({ code: SpanStatusCode.ERROR, message }),
});

/** The caller's span, as its `traceparent` names it; null for none, and for anything that is none. */
function contextOf(traceparent: string | undefined): SpanContext | null {
  const [, traceId = '', spanId = '', flags = ''] = validParent(traceparent)?.split('-') ?? [];
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(spanContext) ? spanContext : null;
}

function remote(traceparent: string | undefined): Context | null {
  const spanContext = contextOf(traceparent);
  return spanContext ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : null;
}

/** The same exporter; the first failure after a success is worth a line, and so is the next success. */
function telling(exporter: OTLPTraceExporter, url: string, log: Log): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const code: number = result.code;
        if ((code !== 0) !== failing) {
          failing = !failing;
          if (failing) log.warn({ url, error: String(result.error) }, 'traces are not taken and get lost; all else goes on');
          else log.info({ url }, 'traces are taken again');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
