/** Spans of what Headgate does, for who follows one release or one request across systems. None unless somebody collects them. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export type SpanSpec = {
  /** Few different ones; what varies is an attribute. */
  readonly name: string;
  readonly kind: 'internal' | 'client' | 'server';
  readonly attributes: Attributes;
  /** The W3C `traceparent` of whoever called; else it is part of the span that runs already, if any. */
  readonly parent?: string | undefined;
  /** The `traceparent` of what led to it, long ago maybe: linked, not part of it. */
  readonly cause?: string | undefined;
};

export type Span = {
  rename(name: string): void;
  set(attributes: Attributes): void;
  fail(detail: string): void;
};

export type Tracer = {
  /** Lasts as long as `work` does; never changes what becomes of it, and never waits for whoever collects. */
  span<T>(spec: SpanSpec, work: (span: Span) => Promise<T>): Promise<T>;
  /** The `traceparent` of what runs now, if anybody said one. */
  current(): string | null;
  /** Hands out what is left, for a moment at most. */
  close(): Promise<void>;
};

const noSpan: Span = { rename: () => {}, set: () => {}, fail: () => {} };

export const noTracer: Tracer = { span: (_spec, work) => work(noSpan), current: () => null, close: async () => {} };
