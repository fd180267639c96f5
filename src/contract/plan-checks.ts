/** The checks of a plan: which provider answers, what it is asked, and whether the limits can be meant. */
import type { Check, RatioCheck, SloCheck } from '../domain/plan.ts';
import { kindsServed } from '../ports/metric-provider.ts';
import type { OfferedCheck } from '../ports/metric-provider.ts';
import { listed, unknownName } from './nearest.ts';
import type { CheckDocument, PlanDocument } from './plan-document.ts';
import type { PlanWorld } from './plan-world.ts';
import type { Path } from './problem.ts';

/** With what else the complaint goes by, beside the part that it is about: it is not told when that could not be read. */
export type Complain = (path: Path, message: string, leansOn?: readonly Path[]) => null;

const WINDOW = { breaches: 3, of: 5 };
/** Of the rank test: what its users know from where it comes from, and as many values as its makers ask for. */
const RANKS = { tolerance: 0.25, group: 'all', minValues: 50 };

/** What the plan says for all of its checks. */
export type Common = Pick<PlanDocument, 'profile' | 'onNoData' | 'onError' | 'onInconclusive'>;

/** Complete checks, and the names of all; what is wrong goes to `complain`, and the check with it is left out. */
export function checksOf(
  { checks: documents = [], ...common }: Common & Pick<PlanDocument, 'checks'>,
  ofService: string | null | undefined,
  world: PlanWorld,
  complain: Complain,
): { readonly checks: Readonly<Record<string, Check>>; readonly names: readonly string[] } {
  const named: readonly (readonly [string, CheckDocument | null, Path])[] = Array.isArray(documents)
    ? documents.map((name: string, index) => [name, null, ['checks', index]])
    : Object.entries(documents).map(([name, document]) => [name, document, ['checks', name]]);
  const checks: Record<string, Check> = {};
  const names = new Set<string>();
  for (const [name, document, path] of named) {
    const setting = { common, ofService, world, path, complain };
    if (document?.providers && document.provider)
      complain([...path, 'provider'], 'a check names one provider, or several that must agree, not both');
    if (document?.kind === 'mann-whitney' && document.query !== undefined && (document.bad ?? document.total) !== undefined)
      complain(path, 'a rank test asks "query", or "bad" and "total", not both');
    // Limits are what they are, whoever answers.
    if (document) judgeLimits(completed(document, baseOf(name, document, common)), path, complain);
    const asked = document?.providers ?? [document?.provider];
    const again = asked.find((provider, place) => asked.indexOf(provider) < place);
    if (again !== undefined) complain([...path, 'providers'], `providers names ${again} twice: name each once`);
    for (const provider of new Set(asked)) {
      const own = document?.providers ? `${name}@${provider}` : name;
      if (names.has(own)) complain(path, `the check "${own}" is named twice`);
      names.add(own);
      const check = checkOf(name, document && { ...document, provider }, setting);
      if (check) checks[own] = { ...check, name: own };
    }
  }
  return { checks, names: [...names] };
}

type Setting = {
  readonly common: Common;
  readonly ofService: string | null | undefined;
  readonly world: PlanWorld;
  readonly path: Path;
  readonly complain: Complain;
};

function checkOf(name: string, document: CheckDocument | null, setting: Setting): Check | null {
  const { common, ofService, world, path, complain } = setting;
  const providerName = document?.provider ?? ofService;
  if (providerName === undefined) return null; // the service is unknown, which is said elsewhere
  if (providerName === null) return complain(path, `the check "${name}" names no provider, and the service has none`);
  const provider = world.providers.get(providerName);
  if (!provider)
    return complain(
      [...path, ...(document?.provider ? ['provider'] : [])],
      unknownName('provider', providerName, [...world.providers.keys()]),
    );
  const asked = document ? queryOf(document) : {};
  const wantsOffer = Object.keys(asked).length === 0;
  const offerName = document?.offered ?? name;
  const offer = wantsOffer ? provider.offers[offerName] : undefined;
  if (wantsOffer && !offer) {
    const what = document && !document.offered ? `says nothing to ask (${QUERY_KEYS[document.kind]}), and ` : '';
    return complain(
      path,
      `the check "${name}" ${what}${providerName} offers no "${offerName}"; ${listed(Object.keys(provider.offers))}`,
    );
  }
  if (document && offer && !kindsServed(offer.kind).includes(document.kind))
    return complain([...path, 'kind'], `${providerName} offers ${offerName} as ${offer.kind}, not ${document.kind}`, [
      [...path, 'provider'],
      [...path, 'offered'],
    ]);
  const complete = document ?? (offer ? offeredDocument(offer.kind) : null);
  if (complete === null) return null;
  const check = completed(complete, {
    ...baseOf(name, document, common),
    provider: providerName,
    query: { ...(offer?.query ?? asked), ...optionsOf(document) },
  });
  if (!document) judgeLimits(check, path, complain);
  const refusal = provider.refuses(check);
  if (refusal !== null) complain(path, refusal);
  return check;
}

const offeredDocument = (kind: OfferedCheck['kind']): CheckDocument => ({ kind });

const QUERY_KEYS = {
  ratio: 'bad and total',
  rate: 'events',
  latency: 'histogram',
  gauge: 'query',
  slo: 'bad and total',
  threshold: 'query',
  'mann-whitney': 'query, or bad and total',
} as const;
const ASKED = ['bad', 'total', 'events', 'per', 'histogram', 'query'];

const queryOf = (document: CheckDocument): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(document).filter(
      (entry): entry is [string, string] => ASKED.includes(entry[0]) && typeof entry[1] === 'string',
    ),
  );

/** What is said beside the question: the label of the version and of the parts, a range of time in ms and what is taken of it. */
function optionsOf(document: CheckDocument | null): Readonly<Record<string, string>> {
  if (document === null) return {};
  const range = document.kind === 'threshold' ? document.range : undefined;
  return {
    ...(document.version === undefined ? {} : { version: document.version }),
    ...(document.kind === 'ratio' && document.by !== undefined ? { by: document.by } : {}),
    ...(document.kind === 'threshold' && range !== undefined ? { range: String(range), reduce: document.reduce ?? 'max' } : {}),
  };
}

type Base = Pick<Check, 'name' | 'provider' | 'query' | 'dryRun' | 'onFail' | 'onNoData' | 'onError' | 'onInconclusive'>;

type Said = Base & { readonly isStrict: boolean };

/** All that is said of a check but who answers what. */
const baseOf = (name: string, document: CheckDocument | null, common: Common): Said => ({
  name,
  provider: '',
  query: {},
  dryRun: document?.dryRun ?? false,
  onFail: document?.onFail ?? 'rollback',
  onNoData: document?.onNoData ?? common.onNoData ?? 'hold',
  onError: document?.onError ?? common.onError ?? 'hold',
  onInconclusive: document?.onInconclusive ?? common.onInconclusive ?? 'hold',
  isStrict: (document && 'profile' in document ? document.profile : common.profile) === 'strict',
});

function completed(document: CheckDocument, { isStrict, ...base }: Said): Check {
  if (document.kind === 'threshold') {
    const { min = null, max = null, hardMin = null, hardMax = null, failures = WINDOW } = document;
    return { ...base, kind: 'threshold', min, max, hardMin, hardMax, failures };
  }
  if (document.kind === 'mann-whitney') return ranksOf(document, base);
  const { weight = 1 } = document;
  if (document.kind === 'slo') {
    const { max, hardMax = null, minRequests = null } = document;
    return { ...base, kind: 'slo', weight, minRequests, max, hardMax };
  }
  const tolerances = isStrict ? STRICT : TOLERANCES;
  const { tolerance = tolerances[document.kind].tolerance } = document;
  if (document.kind === 'latency') {
    const { quantile = 0.95, max: maxMs = null, hardMax: hardMaxMs = null, minRequests = null } = document;
    return { ...base, kind: 'latency', weight, tolerance, minRequests, quantile, maxMs, hardMaxMs };
  }
  const { worse = 'higher', floor = tolerances[document.kind].floor } = document;
  if (document.kind === 'gauge') return { ...base, kind: 'gauge', weight, tolerance, worse, floor };
  const { minRequests = null } = document;
  if (document.kind === 'rate') return { ...base, kind: 'rate', weight, tolerance, minRequests, worse, floor };
  const { max = null, hardMax = null } = document;
  return { ...base, kind: 'ratio', weight, tolerance, minRequests, worse, floor, max, hardMax };
}

/** What a canary may be worse by: a tenth and a little, or of slow requests a quarter; `strict`: by nothing. */
const TOLERANCES = {
  ratio: { tolerance: 0.1, floor: 0.0001 },
  rate: { tolerance: 0.1, floor: 0 },
  latency: { tolerance: 0.25, floor: 0 },
  gauge: { tolerance: 0.1, floor: 0 },
};
const STRICT: typeof TOLERANCES = {
  ratio: { tolerance: 0, floor: 0 },
  rate: { tolerance: 0, floor: 0 },
  latency: { tolerance: 0, floor: 0 },
  gauge: { tolerance: 0, floor: 0 },
};

function ranksOf(document: Extract<CheckDocument, { kind: 'mann-whitney' }>, base: Base): Check {
  const { tolerance = RANKS.tolerance, group = RANKS.group, minValues = RANKS.minValues } = document;
  const sides = (given: typeof document.allowed) => ({ increase: given?.increase ?? 1, decrease: given?.decrease ?? 1 });
  return {
    ...base,
    kind: 'mann-whitney',
    direction: document.direction ?? 'either',
    tolerance,
    allowed: sides(document.allowed),
    criticalAllowed: sides(document.criticalAllowed),
    critical: document.critical ?? false,
    mustHaveData: document.mustHaveData ?? false,
    group,
    lookbackMs: document.lookback ?? null,
    minValues,
  };
}

function judgeLimits(check: Check, path: Path, complain: Complain): void {
  switch (check.kind) {
    case 'ratio':
      if (check.worse === 'lower' && (check.max ?? check.hardMax) !== null)
        complain([...path, 'worse'], 'where fewer is worse, max and hardMax would fail a canary that is better: leave them out');
      if (check.floor >= 1) complain([...path, 'floor'], 'a floor of 100% accepts everything: 0.01% is usual');
      neverBroken(check, path, complain);
      return hardBeyondSoft(check.max, check.hardMax, () =>
        complain([...path, 'hardMax'], 'hardMax is the limit that acts at once, so it is above max'),
      );
    case 'latency':
      if (check.quantile <= 0 || 1 <= check.quantile)
        complain([...path, 'quantile'], `a quantile is between 0 and 1, such as 0.95, not ${check.quantile}`);
      if (check.maxMs === 0) complain([...path, 'max'], NOTHING_AT_ALL);
      if (check.hardMaxMs === 0) complain([...path, 'hardMax'], NOTHING_AT_ALL);
      return hardBeyondSoft(check.maxMs, check.hardMaxMs, () =>
        complain([...path, 'hardMax'], 'hardMax is the limit that acts at once, so it is above max'),
      );
    case 'slo':
      neverBroken(check, path, complain);
      return hardBeyondSoft(check.max, check.hardMax, () =>
        complain([...path, 'hardMax'], 'hardMax is the limit that acts at once, so it is above max'),
      );
    case 'rate':
    case 'gauge':
    case 'mann-whitney':
      return;
    case 'threshold':
      if ([check.min, check.max, check.hardMin, check.hardMax].every((limit) => limit === null))
        complain(path, 'a threshold needs a limit: min, max, hardMin or hardMax');
      if (check.min !== null && check.max !== null && check.max <= check.min)
        complain([...path, 'min'], `min (${check.min}) is below max (${check.max})`);
      hardBeyondSoft(check.max, check.hardMax, () =>
        complain([...path, 'hardMax'], `hardMax (${check.hardMax}) acts at once, so it is above max (${check.max})`),
      );
      return hardBeyondSoft(check.hardMin, check.min, () =>
        complain([...path, 'hardMin'], `hardMin (${check.hardMin}) acts at once, so it is below min (${check.min})`),
      );
  }
}

const NOTHING_AT_ALL = 'a limit of no time at all is always broken: say a larger one';

function neverBroken({ max, hardMax }: RatioCheck | SloCheck, path: Path, complain: Complain): void {
  for (const [key, limit] of Object.entries({ max, hardMax }))
    if (limit !== null && limit >= 1) complain([...path, key], 'a limit of 100% is never broken: say a smaller one');
}

function hardBeyondSoft(lower: number | null, upper: number | null, complain: () => null): void {
  if (lower !== null && upper !== null && upper < lower) complain();
}
