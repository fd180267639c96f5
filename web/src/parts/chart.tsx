/** A line chart over time, drawn in the colours of the theme. What it shows is also given as a table by whoever uses it. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { THEME_CHANGED } from '../theme.ts';

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

type ChartProps = {
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly words: (value: number) => string;
  readonly height?: number;
  readonly top?: number;
};

export function Chart({ label, times, lines, words, height = 160, top }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = lines.map(({ name, colour }) => `${name} ${colour}`).join();
  useEffect(() => {
    const place = box.current;
    if (!place) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(place, { lines, words, height, top }), dataOf(times, lines), place);
    };
    draw();
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height }));
    watch.observe(place);
    addEventListener(THEME_CHANGED, draw);
    return () => {
      watch.disconnect();
      removeEventListener(THEME_CHANGED, draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, height, top]);
  useEffect(() => plot.current?.setData(dataOf(times, lines)), [times, lines]);
  return (
    <figure class="chart" role="img" aria-label={label}>
      <figcaption class="legend" aria-hidden="true">
        {lines.map(({ name, colour, dashed, filled }) => (
          <span key={name} class={`key ${colour} ${dashed === true ? 'dashed' : ''} ${filled === true ? 'filled' : ''}`}>
            {name}
          </span>
        ))}
      </figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  );
}

const dataOf = (times: readonly number[], lines: readonly Line[]): uPlot.AlignedData => [
  times.map((ms) => ms / 1000),
  ...lines.map(({ values }) => [...values]),
];

type Drawn = Pick<ChartProps, 'lines' | 'words'> & { readonly height: number; readonly top: number | undefined };

function optionsOf(place: HTMLElement, { lines, words, height, top }: Drawn): uPlot.Options {
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
    scales: { x: { time: true }, y: { range: (_, min, max) => [Math.min(0, min), top ?? (max > 0 ? max * 1.15 : 1)] } },
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
