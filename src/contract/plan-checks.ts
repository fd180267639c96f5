/** The checks of a plan: which provider answers, what it is asked, and whether the limits can be meant. */
import type { Check } from '../domain/plan.ts';
import { listed, unknownName } from './nearest.ts';
import type { CheckDocument } from './plan-document.ts';
import type { PlanWorld } from './plan-world.ts';
import type { Path } from './problem.ts';

export type Complain = (path: Path, message: string) => null;

const DEFAULTS = { tolerance: 0.1, floor: 0.001, minRequests: 50, quantile: 0.95 };
const ACCUMULATING = { breaches: 1, of: 1 };
const WINDOW = { breaches: 3, of: 5 };

/** Complete checks; what is wrong goes to `complain`, and the check with it is left out. */
export function checksOf(
  documents: readonly string[] | Readonly<Record<string, CheckDocument>>,
  ofService: string | null | undefined,
  world: PlanWorld,
  complain: Complain,
): Readonly<Record<string, Check>> {
  const named: readonly (readonly [string, CheckDocument | null, Path])[] = Array.isArray(documents)
    ? documents.map((name: string, index) => [name, null, ['checks', index]])
    : Object.entries(documents).map(([name, document]) => [name, document, ['checks', name]]);
  const checks: Record<string, Check> = {};
  for (const [name, document, path] of named) {
    if (name in checks) complain(path, `the check "${name}" is named twice`);
    const check = checkOf(name, document, { ofService, world, path, complain });
    if (check) checks[name] = check;
  }
  return checks;
}

type Setting = {
  readonly ofService: string | null | undefined;
  readonly world: PlanWorld;
  readonly path: Path;
  readonly complain: Complain;
};

function checkOf(name: string, document: CheckDocument | null, setting: Setting): Check | null {
  const { ofService, world, path, complain } = setting;
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
  const kind = document?.kind ?? offer?.kind;
  if (document && offer && document.kind !== offer.kind)
    return complain([...path, 'kind'], `${providerName} offers ${offerName} as ${offer.kind}, not ${document.kind}`);
  if (kind === undefined) return null;
  const base = {
    name,
    provider: providerName,
    query: { ...(offer?.query ?? asked), ...(document?.version ? { version: document.version } : {}), ...rangeOf(document) },
    dryRun: document?.dryRun ?? false,
  };
  const check = completed(document ?? { kind }, base);
  judgeLimits(check, path, complain);
  const refusal = provider.refuses(check);
  if (refusal !== null) complain(path, refusal);
  return check;
}

const QUERY_KEYS = { ratio: 'bad and total', latency: 'histogram', threshold: 'query' } as const;

function queryOf(document: CheckDocument): Readonly<Record<string, string>> {
  const asked = { ratio: ['bad', 'total'], latency: ['histogram'], threshold: ['query'] }[document.kind];
  return Object.fromEntries(
    Object.entries(document).filter(
      (entry): entry is [string, string] => asked.includes(entry[0]) && typeof entry[1] === 'string',
    ),
  );
}

/** A threshold over a range of time: milliseconds, and what is taken of the values. */
function rangeOf(document: CheckDocument | null): Readonly<Record<string, string>> {
  if (document?.kind !== 'threshold' || document.range === undefined) return {};
  return { range: String(document.range), reduce: document.reduce ?? 'max' };
}

function completed(document: CheckDocument, base: Pick<Check, 'name' | 'provider' | 'query' | 'dryRun'>): Check {
  if (document.kind === 'threshold') {
    const { min = null, max = null, hardMin = null, hardMax = null, failures = WINDOW } = document;
    return { ...base, kind: 'threshold', min, max, hardMin, hardMax, failures };
  }
  const { tolerance = DEFAULTS.tolerance, minRequests = DEFAULTS.minRequests, failures = ACCUMULATING } = document;
  if (document.kind === 'ratio') {
    const { floor = DEFAULTS.floor, max = null, hardMax = null } = document;
    return { ...base, kind: 'ratio', tolerance, floor, minRequests, failures, max, hardMax };
  }
  const { quantile = DEFAULTS.quantile, max: maxMs = null, hardMax: hardMaxMs = null } = document;
  return { ...base, kind: 'latency', tolerance, minRequests, failures, quantile, maxMs, hardMaxMs };
}

function judgeLimits(check: Check, path: Path, complain: Complain): void {
  switch (check.kind) {
    case 'ratio':
      if (check.max !== null && check.max >= 1) complain([...path, 'max'], 'a limit of 100% is never broken: say a smaller one');
      return hardBeyondSoft(check.max, check.hardMax, () =>
        complain([...path, 'hardMax'], 'hardMax is the limit that acts at once, so it is above max'),
      );
    case 'latency':
      if (check.quantile <= 0 || 1 <= check.quantile)
        complain([...path, 'quantile'], `a quantile is between 0 and 1, such as 0.95, not ${check.quantile}`);
      return hardBeyondSoft(check.maxMs, check.hardMaxMs, () =>
        complain([...path, 'hardMax'], 'hardMax is the limit that acts at once, so it is above max'),
      );
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

function hardBeyondSoft(lower: number | null, upper: number | null, complain: () => null): void {
  if (lower !== null && upper !== null && upper < lower) complain();
}
