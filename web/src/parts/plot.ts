/** Draws lines over time by uPlot. Loaded when the first chart is shown, and by nothing else. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export type Line = {
  readonly name: string;
  /** Name of a colour of the theme, such as `accent`. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  /** Stands until the next value. */
  readonly stepped?: boolean;
  readonly filled?: boolean;
  readonly dashed?: boolean;
};

type Drawn = {
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly words: (value: number) => string;
  readonly height: number;
};

export type Plotted = {
  show(times: readonly number[], lines: readonly Line[]): void;
  /** As wide as its place is now. */
  resize(): void;
  end(): void;
};

export function plot(place: HTMLElement, drawn: Drawn): Plotted {
  const made = new uPlot(optionsOf(place, drawn), dataOf(drawn.times, drawn.lines), place);
  return {
    show: (times, lines) => made.setData(dataOf(times, lines)),
    resize: () => made.setSize({ width: place.clientWidth, height: drawn.height }),
    end: () => made.destroy(),
  };
}

const dataOf = (times: readonly number[], lines: readonly Line[]): uPlot.AlignedData => [
  times.map((ms) => ms / 1000),
  ...lines.map(({ values }) => [...values]),
];

function optionsOf(place: HTMLElement, { lines, words, height }: Drawn): uPlot.Options {
  const colours = coloursOf(place);
  const axis = {
    stroke: colours('soft'),
    grid: { stroke: colours('line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, min, max) => [Math.min(0, min), max > 0 ? max * 1.15 : 1] } },
    axes: [
      { ...axis, space: 70, values: [...TIMES] },
      { ...axis, size: 62, space: 28, values: (_, splits) => splits.map((value) => (value === null ? '' : words(value))) },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => ({
        stroke: colours(line.colour),
        width: 2,
        points: { show: false },
        spanGaps: false,
        ...(line.dashed === true ? { dash: [5, 4] } : {}),
        ...(line.filled === true ? { fill: colours(line.colour, 0.22) } : {}),
        ...(line.stepped === true && stepped ? { paths: stepped } : {}),
      })),
    ],
  };
}

/** By what step of time the axis is divided: as a clock of 24 hours says it. */
const TIMES: readonly (string | number | null)[][] = [
  [86_400, '{D} {MMM}', null, null, null, null, null, null, 1],
  [3_600, '{HH}:{mm}', '\n{D} {MMM}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', null, null, null, null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1],
];

/** `light-dark()` is resolved by nobody but an element: a probe wears each colour, and is asked. */
function coloursOf(place: HTMLElement): (name: string, alpha?: number) => string {
  const probe = document.createElement('span');
  return (name, alpha = 1) => {
    probe.style.color = alpha === 1 ? `var(--${name})` : `color-mix(in srgb, var(--${name}) ${alpha * 100}%, transparent)`;
    place.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
