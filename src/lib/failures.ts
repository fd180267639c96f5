/** Counts failures by who made them, over a sliding minute, in bounded room: the ones not heard of longest are forgotten. */
export type Failures = {
  /** One more; whether it is one too many. */
  add(key: string): boolean;
};

export type FailureLimits = { readonly most: number; readonly windowMs: number; readonly keys: number };

export function failures(nowMs: () => number, { most, windowMs, keys }: FailureLimits): Failures {
  const seen = new Map<string, { readonly sinceMs: number; readonly count: number }>();
  return {
    add(key) {
      const now = nowMs();
      const before = seen.get(key);
      const fresh = before !== undefined && now - before.sinceMs < windowMs ? before : { sinceMs: now, count: 0 };
      // Put back at the end: the map's order is the order of forgetting.
      seen.delete(key);
      seen.set(key, { ...fresh, count: fresh.count + 1 });
      const [oldest] = seen.keys();
      if (keys < seen.size && oldest !== undefined) seen.delete(oldest);
      return most < fresh.count + 1;
    },
  };
}
