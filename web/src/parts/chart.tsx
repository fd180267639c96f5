/** A line chart over time, drawn in the colours of the theme. What it shows is also given as a table by whoever uses it. */
import { useEffect, useRef } from 'preact/hooks';
import { THEME_CHANGED } from '../theme.ts';
import type { Line, Plotted } from './plot.ts';

type ChartProps = {
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly words: (value: number) => string;
  readonly height?: number;
};

export function Chart({ label, times, lines, words, height = 160 }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plotted = useRef<Plotted | null>(null);
  const now = useRef({ times, lines, words, height });
  now.current = { times, lines, words, height };
  const shape = lines.map(({ name, colour }) => `${name} ${colour}`).join();
  useEffect(() => {
    const place = box.current;
    if (!place) return undefined;
    let isGone = false;
    // What draws is as large as all the rest of the console: it comes when there is something to draw.
    const draw = async (): Promise<void> => {
      const { plot } = await import('./plot.ts');
      if (isGone) return;
      plotted.current?.end();
      plotted.current = plot(place, now.current);
    };
    const again = (): void => void draw();
    again();
    const watch = new ResizeObserver(() => plotted.current?.resize());
    watch.observe(place);
    addEventListener(THEME_CHANGED, again);
    return () => {
      isGone = true;
      watch.disconnect();
      removeEventListener(THEME_CHANGED, again);
      plotted.current?.end();
      plotted.current = null;
    };
  }, [shape, height]);
  useEffect(() => plotted.current?.show(times, lines), [times, lines]);
  return (
    <div class="chart" role="img" aria-label={label}>
      <div class="legend" aria-hidden="true">
        {lines.map(({ name, colour, dashed, filled }) => (
          <span key={name} class={`key ${colour} ${dashed === true ? 'dashed' : ''} ${filled === true ? 'filled' : ''}`}>
            {name}
          </span>
        ))}
      </div>
      <div ref={box} class="plot" aria-hidden="true" style={{ minHeight: `${height}px` }} />
    </div>
  );
}
