/** One check: the canary beside stable, how much they differ and how sure that is, and what the evidence weighs. */
import type { CheckView } from '../../../../src/contract/wire.ts';
import { count, figure, share, unbroken } from '../../format.ts';
import { VerdictBadge } from '../../parts/badge.tsx';
import { Ago } from '../../parts/time.tsx';
import { CheckHistory } from './check-history.tsx';

type Evidence = NonNullable<CheckView['evidence']>;
type Weighed = NonNullable<Evidence['weighed']>;

/** So many times what was seen is out of the picture. */
export const FAR = 4;

export const valueText = (unit: CheckView['unit'], value: number): string => {
  if (unit === 'share') return share(value);
  return unit === 'ms' ? `${figure(value)} ms` : figure(value);
};

type TileProps = { readonly check: CheckView; readonly base: string; readonly isOver: boolean };

export function CheckTile({ check, base, isOver }: TileProps) {
  const { name, kind, provider, verdict, sentence, evidence, dryRun, required } = check;
  const isMissing = verdict === 'no_data' || verdict === 'error';
  return (
    <article
      class={`card tile ${isMissing ? 'missing' : ''} ${verdict === 'fail' ? 'failing' : ''}`}
      aria-label={`Check ${name}`}
    >
      <header class="row spread">
        <h3>{name}</h3>
        <VerdictBadge verdict={verdict} />
      </header>
      <p class="small soft">
        {kind}, by {provider}
        {dryRun ? ', dry run: decides nothing' : required || isOver ? '' : ', decides nothing at this step'}
        {evidence?.to ? (
          <>
            {' · '}
            <Ago at={evidence.to} />
          </>
        ) : null}
      </p>
      <p class="tile-sentence">{unbroken(sentence)}</p>
      {evidence ? <Arms check={check} evidence={evidence} /> : null}
      {evidence?.weighed ? <Weighing kind={kind} weighed={evidence.weighed} /> : null}
      {evidence && evidence.weighed === null && evidence.of > 0 ? (
        <p class="small">
          {evidence.breaches} of the last {evidence.of} measurements are over the limit
        </p>
      ) : null}
      <CheckHistory base={base} check={check} />
    </article>
  );
}

/** Two bars on one scale, and a mark where the limit is. */
function Arms({ check: { unit }, evidence }: { readonly check: CheckView; readonly evidence: Evidence }) {
  const { canary, stable, limit } = evidence;
  const slowMs = evidence.weighed?.slow?.atMs ?? null;
  const seen = Math.max(canary?.value ?? 0, stable?.value ?? 0, 0);
  // A limit that is far off would leave nothing to see of the two.
  const isNear = limit !== null && limit <= FAR * seen;
  const top = Math.max(seen, isNear ? limit : 0) * 1.1 || 1;
  const arms = [
    ['canary', canary],
    ['stable', stable],
  ] as const;
  return (
    <table class="arms">
      <caption class="unseen">Canary against stable</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Value</th>
          <th scope="col">As a bar</th>
          <th scope="col">Samples</th>
        </tr>
      </thead>
      <tbody>
        {arms.map(([name, arm]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="end">{arm?.value == null ? '–' : valueText(unit, arm.value)}</td>
            <td class="arm-bar">
              <span class="weight">
                <span class={`fill ${name}`} style={{ width: `${((arm?.value ?? 0) / top) * 100}%` }} />
                {!isNear ? null : <span class="wanted" style={{ left: `${(limit / top) * 100}%` }} />}
              </span>
            </td>
            <td class="end soft">{arm ? samples(unit, arm) : 'none'}</td>
          </tr>
        ))}
        <tr class="soft">
          <th scope="row">difference</th>
          <td colSpan={3}>
            {unbroken(difference(evidence, unit))}
            {limit === null || (!isNear && limit === slowMs)
              ? ''
              : `; ${limit === slowMs ? 'slow begins at' : 'the limit is'} ${valueText(unit, limit)}${isNear ? ' (red mark)' : ''}`}
          </td>
        </tr>
      </tbody>
    </table>
  );
}

const samples = (unit: CheckView['unit'], { n, bad }: { readonly n: number; readonly bad: number }): string =>
  unit === 'share' || unit === 'events' ? `${count(bad)} of ${count(n)}` : `n ${count(n)}`;

/** The figures above are of the present weight, the ratio of all of them: it says so, and what it counts. */
export function difference({ canary, stable, weighed }: Evidence, unit: CheckView['unit']): string {
  const ratio = weighed?.ratio ?? null;
  const parts: string[] = [];
  if (canary?.value != null && stable?.value != null) {
    const by = canary.value - stable.value;
    parts.push(
      `${by < 0 ? '−' : '+'}${unit === 'share' ? `${figure(Math.abs(by) * 100)} percentage points` : valueText(unit, Math.abs(by))}`,
    );
  }
  if (ratio) {
    const slow = weighed?.slow ?? null;
    const what = slow === null ? "times stable's" : `times as many requests slower than ${boundsText(slow)} as stable`;
    parts.push(`${figure(ratio.estimate)} ${what} since the release began (${rangeWords(ratio)}, with 95 % confidence)`);
  }
  return parts.join(', ') || 'nothing to compare yet';
}

/** One bound, or those between which the one that is compared at has moved. */
const boundsText = ({ leastMs, mostMs }: NonNullable<Weighed['slow']>): string =>
  leastMs === mostMs
    ? valueText('ms', leastMs)
    : `${figure(leastMs)} to ${valueText('ms', mostMs)}, as stable's own quantile moved,`;

/** An end that is open is not said. */
function rangeWords({ low, high }: NonNullable<Weighed['ratio']>): string {
  if (high === null) return low === null ? 'anything' : `at least ${figure(low)} times`;
  return low === null ? `at most ${figure(high)} times` : `${figure(low)} to ${figure(high)} times`;
}

/** Both are logarithms: in a picture the way to the threshold is as long as it takes. */
function Weighing({ kind, weighed }: { readonly kind: CheckView['kind']; readonly weighed: Weighed }) {
  const { together, threshold, logE, needed, proved, from, dispersion } = weighed;
  const odds = (value: number): string => figure(Math.exp(value));
  const part = Math.min(1, Math.max(0, together / threshold));
  const words = `${odds(together)} of the ${odds(threshold)} that roll it back`;
  return (
    <div class="weighing small">
      <div class="row spread">
        <span>Evidence that it is worse</span>
        <span class="num">{words}</span>
      </div>
      <div class="weight evidence" role="img" aria-label={`Evidence: ${words}`}>
        <div class="fill" style={{ width: `${part * 100}%` }} />
      </div>
      <p class="soft">
        All checks together; this check by itself: {odds(logE)}
        {from === null ? '' : `, mostly from ${sourceOf(kind, from)}`}.
        {dispersion && dispersion.factor > 1.05
          ? ` Weakened ${figure(dispersion.factor)} times, because the figures vary by more than chance.`
          : ''}
        {proved ? ' Much worse than stable is ruled out.' : ''}
      </p>
      {needed === null ? null : <p class="soft num">To pass, the canary needs {count(needed)} requests at this weight.</p>}
    </div>
  );
}

/** Of several processes or bounds, the one that most of it comes from. */
function sourceOf(kind: CheckView['kind'], from: string): string {
  if (from === 'limit') return 'its own limit';
  return kind === 'latency' ? `requests slower than ${from} ms` : from;
}
