/** How much traffic is wanted on the new version (a mark), and how much it was last seen to get (the filled part). */
import { percent } from '../format.ts';

type WeightProps = { readonly wantedBp: number; readonly servedBp: number | null; readonly label: string };

export function WeightBar({ wantedBp, servedBp, label }: WeightProps) {
  const words = `${label}: ${percent(wantedBp)} wanted, ${servedBp === null ? 'not read back yet' : `${percent(servedBp)} served`}`;
  return (
    <div class="weight" role="img" aria-label={words} title={words}>
      <div class="fill" style={{ width: `${(servedBp ?? 0) / 100}%` }} />
      <div class="wanted" style={{ left: `${wantedBp / 100}%` }} />
    </div>
  );
}

/** As many segments as steps; those behind are full, the present one has a ring. */
export function Steps({ step, steps }: { readonly step: number; readonly steps: number }) {
  const words = step === 0 ? `${steps} steps ahead` : `step ${step} of ${steps}`;
  return (
    <span class="steps">
      <span class="segments" aria-hidden="true">
        {Array.from({ length: Math.min(steps, 24) }, (_, index) => (
          <i key={index} class={index + 1 < step ? 'past' : index + 1 === step ? 'present' : ''} />
        ))}
      </span>
      <span class="num">{words}</span>
    </span>
  );
}
