/** Checks of every kind and questions about them, for tests of what providers answer. */
import {
  gaugeCheck,
  latencyCheck,
  rankCheck,
  rateCheck,
  ratioCheck,
  sloCheck,
  thresholdCheck,
} from '../../src/domain/analysis/judge.fixtures.ts';
import { Instant } from '../../src/domain/ids.ts';
import type { Check } from '../../src/domain/plan.ts';
import type { Question } from '../../src/ports/metric-provider.ts';

type Texts = Readonly<Record<string, string>>;

const provider = 'metrics';
const plain = { provider, minRequests: null };

export const checkOf = {
  ratio: (query: Texts): Check => ratioCheck({ ...plain, query, floor: 0.001 }),
  rate: (query: Texts): Check => rateCheck({ ...plain, query }),
  latency: (query: Texts): Check => latencyCheck({ ...plain, query, tolerance: 0.1 }),
  gauge: (query: Texts): Check => gaugeCheck({ provider, query, name: 'memory' }),
  slo: (query: Texts): Check => sloCheck({ ...plain, query, name: 'slo' }),
  threshold: (query: Texts): Check =>
    thresholdCheck({ provider, query, name: 'load', max: 1, hardMax: null, failures: { breaches: 1, of: 1 } }),
  mannWhitney: (query: Texts): Check => rankCheck({ provider, query, direction: 'either', minValues: 50 }),
};

export const questionOf = (check: Check, change: Partial<Question> = {}): Question => ({
  check,
  service: 'shop',
  canaryVersion: '2.0',
  stableVersion: '1.0',
  canarySlot: 'green',
  stableSlot: 'blue',
  routes: [],
  since: Instant(0),
  intervalMs: 5_000,
  now: Instant(Date.now()),
  ...change,
});

/** The same about what an edge or HAProxy counted in the last five seconds. */
export const routeQuestion = (check: Check, since: Instant, change: Partial<Question> = {}): Question =>
  questionOf(check, {
    canaryVersion: '2',
    stableVersion: '1',
    routes: [{ router: 'front', route: 'app', slots: ['blue', 'green'] }],
    since,
    now: Instant(since + 5_000),
    ...change,
  });
