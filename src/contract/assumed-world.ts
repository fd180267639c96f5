/**
 * The world as a plan takes it to be, for looking at a plan where there is neither a service to ask nor a configuration:
 * its service and its providers are there and offer what it names. Whether they do is for `validate` to say.
 */
import type { OfferedCheck } from '../ports/metric-provider.ts';
import { readDocument } from './document.ts';
import type { PlanWorld } from './plan-world.ts';

const PROVIDER = 'provider';

export function assumedWorld(document: unknown): PlanWorld {
  const read = readDocument(document);
  const plan = read.ok ? fieldsOf(read.value.value) : {};
  const checks = plan['checks'];
  const named = Array.isArray(checks)
    ? checks.map((name): [string, unknown] => [String(name), {}])
    : Object.entries(fieldsOf(checks));
  const offers = Object.fromEntries(
    named.map(([name, check]) => {
      const { kind, offered } = fieldsOf(check);
      return [typeof offered === 'string' ? offered : name, offerOf(typeof kind === 'string' ? kind : null, name)];
    }),
  );
  const providers = named.flatMap(([, check]) => {
    const { provider, providers: several } = fieldsOf(check);
    return [provider, ...(Array.isArray(several) ? several : [])].filter((one) => typeof one === 'string');
  });
  const service = plan['service'];
  const notifiers = Array.isArray(plan['notify']) ? plan['notify'].filter((one) => typeof one === 'string') : [];
  return {
    services: new Map(
      typeof service === 'string' ? [[service, { provider: PROVIDER, promotion: 'swap' as const, minNonZeroBp: 1 }]] : [],
    ),
    providers: new Map([PROVIDER, ...providers].map((name) => [name, { name, offers, refuses: () => null }])),
    notifiers: new Set(notifiers),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

const KINDS: readonly OfferedCheck['kind'][] = ['ratio', 'rate', 'latency', 'gauge', 'threshold', 'mann-whitney'];

/** By its kind; by its name where it has none. A promised limit is asked of the same counters as a ratio. */
function offerOf(kind: string | null, name: string): OfferedCheck {
  const own = KINDS.find((each) => each === kind) ?? (kind === null && name.includes('latency') ? 'latency' : 'ratio');
  return { kind: own, query: { offered: name } };
}
