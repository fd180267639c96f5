/**
 * One dot per judge: how often it rolls back a good release against how soon it rolls back a bad one. Lower and further
 * left is better. Drawn as SVG by hand, in colours that follow the reader's light or dark mode.
 */
import type { Results } from './report.ts';
import type { Summary } from './summary.ts';

const WIDTH = 860;
const HEIGHT = 520;
const PLOT = { left: 76, right: 836, top: 64, bottom: 452 };
const FONT = 12;
/** Generous for a sans serif, so that what does not overlap here does not overlap anywhere. */
const CHARACTER = 6.7;
const LINE = 16;

const SLOWEST_S = 3600;
const FASTEST_S = 20;

type Dot = {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly look: 'own' | 'rival' | 'oracle';
};

type Box = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };

/** Empty when no judge was asked about good and bad counts alike. */
export function pictureOf(results: Results, oracles: readonly string[]): string {
  const dots = results.judges.flatMap((name): Dot[] => {
    const good = summariesOf(results, name, 'good');
    const bad = summariesOf(results, name, 'bad');
    if (good.length === 0 || bad.length === 0) return [];
    const falseShare = good.reduce((sum, each) => sum + each.falseShare, 0) / good.length;
    const logs = bad.reduce((sum, each) => sum + Math.log(each.medianS ?? SLOWEST_S), 0);
    const look = name.startsWith('Headgate') ? 'own' : oracles.includes(name) ? 'oracle' : 'rival';
    return [{ name, x: across(falseShare), y: down(Math.exp(logs / bad.length)), look }];
  });
  return dots.length === 0 ? '' : draw(dots);
}

function summariesOf({ scenarios, summaries }: Results, judge: string, group: 'good' | 'bad'): readonly Summary[] {
  const names = new Set(
    scenarios.filter((scenario) => scenario.kind === 'counts' && scenario.group === group).map(({ name }) => name),
  );
  return summaries.filter((summary) => summary.judge === judge && names.has(summary.scenario));
}

/** By the square root: most of what matters happens below ten percent. */
const across = (share: number): number => PLOT.left + 12 + Math.sqrt(share) * (PLOT.right - PLOT.left - 24);
const down = (seconds: number): number =>
  PLOT.top + (1 - Math.log(seconds / FASTEST_S) / Math.log(SLOWEST_S / FASTEST_S)) * (PLOT.bottom - PLOT.top);

function draw(dots: readonly Dot[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Time to rollback against false rollbacks, by judge">
<style>
svg { font: ${FONT}px system-ui, sans-serif; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0; --own: #0969da; --rival: #8250df; --ground: #ffffff; background: var(--ground) }
@media (prefers-color-scheme: dark) { svg { --ink: #f0f6fc; --faint: #9198a1; --line: #3d444d; --own: #58a6ff; --rival: #d2a8ff; --ground: #0d1117 } }
text { fill: var(--ink); stroke: var(--ground); stroke-width: 3px; paint-order: stroke } .faint { fill: var(--faint) } line { stroke: var(--line) }
.title { font-size: 15px; font-weight: 600 } .own { fill: var(--own) } .rival { fill: var(--rival) } text.own { font-weight: 600 }
.oracle { fill: var(--ground); stroke: var(--faint); stroke-width: 1.5 } text.oracle { fill: var(--faint); stroke: var(--ground); stroke-width: 3px }
</style>
<text class="title" x="${PLOT.left}" y="24">How soon a bad release is rolled back, and how often a good one</text>
<text class="faint" x="${PLOT.left}" y="44">Lower and further left is better. Hollow: knows what nobody knows outside a bench.</text>
${axes()}
${labelled(dots)}
</svg>
`;
}

function axes(): string {
  const shares = [0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1].map((share) => {
    const x = across(share).toFixed(1);
    return `<line x1="${x}" y1="${PLOT.top}" x2="${x}" y2="${PLOT.bottom}"/><text class="faint" x="${x}" y="${PLOT.bottom + 18}" text-anchor="middle">${+(100 * share).toFixed(1)}</text>`;
  });
  const times = [30, 60, 120, 300, 600, 1200, 3600].map((seconds) => {
    const y = down(seconds);
    const words = seconds < 120 ? `${seconds} s` : `${seconds / 60} min`;
    return `<line x1="${PLOT.left}" y1="${y.toFixed(1)}" x2="${PLOT.right}" y2="${y.toFixed(1)}"/><text class="faint" x="${PLOT.left - 8}" y="${(y + 4).toFixed(1)}" text-anchor="end">${words}</text>`;
  });
  const below = `<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 42}" text-anchor="middle">good releases rolled back within the hour, % (mean over the good scenarios, square root scale)</text>`;
  const middle = (PLOT.top + PLOT.bottom) / 2;
  const beside = `<text x="18" y="${middle}" text-anchor="middle" transform="rotate(-90 18 ${middle})">median time to rollback (geometric mean; a miss is 60 min)</text>`;
  return [...shares, ...times, below, beside].join('\n');
}

/** Each label takes the nearest place where it covers no dot and no other label; a thin line leads to it when it is away. */
function labelled(dots: readonly Dot[]): string {
  const taken: Box[] = dots.map(({ x, y }) => around(x, y, 7));
  return dots
    .toSorted((a, b) => a.y - b.y)
    .map((dot) => {
      const place =
        placesFor(dot).find((box) => isInside(box) && !taken.some((other) => overlap(box, other))) ?? placesFor(dot)[0]!;
      taken.push(place);
      const anchorX = place.left > dot.x ? place.left : place.right < dot.x ? place.right : dot.x;
      const anchorY = (place.top + place.bottom) / 2;
      const isAway = Math.hypot(anchorX - dot.x, anchorY - dot.y) > 18;
      const lead = isAway
        ? `<line x1="${dot.x.toFixed(1)}" y1="${dot.y.toFixed(1)}" x2="${anchorX.toFixed(1)}" y2="${anchorY.toFixed(1)}" style="stroke: var(--faint)"/>`
        : '';
      return `${lead}<circle class="${dot.look}" cx="${dot.x.toFixed(1)}" cy="${dot.y.toFixed(1)}" r="5"/><text class="${dot.look}" x="${(place.left + 2).toFixed(1)}" y="${(place.bottom - 4).toFixed(1)}">${dot.name.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
    })
    .join('\n');
}

function placesFor({ name, x, y }: Dot): readonly Box[] {
  const width = name.length * CHARACTER + 4;
  const places: Box[] = [];
  for (let away = 0; away <= 240; away += LINE / 2) {
    for (const middle of away === 0 ? [y] : [y - away, y + away]) {
      for (const left of [x + 10, x - 10 - width, ...(away < LINE ? [] : [x - width / 2])]) {
        places.push({ left, right: left + width, top: middle - LINE / 2, bottom: middle + LINE / 2 });
      }
    }
  }
  return places;
}

const around = (x: number, y: number, reach: number): Box => ({
  left: x - reach,
  right: x + reach,
  top: y - reach,
  bottom: y + reach,
});
const overlap = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const isInside = ({ left, top, right, bottom }: Box): boolean =>
  PLOT.left < left && right < PLOT.right && PLOT.top - 4 < top && bottom < PLOT.bottom + 4;
