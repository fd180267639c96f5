/** What one waits for: the pipeline checks it before it starts anything, the service holds releases against it. */
export type Until = { readonly kind: 'terminal' | 'promoted' | 'paused' } | { readonly kind: 'step'; readonly step: number };

export const UNTIL_SHAPE = 'terminal, promoted, paused or step:N';

/** Null for what is none. */
export function untilOf(text: string): Until | null {
  if (text === 'terminal' || text === 'promoted' || text === 'paused') return { kind: text };
  const step = /^step:([1-9]\d{0,2})$/.exec(text)?.[1];
  return step === undefined ? null : { kind: 'step', step: Number(step) };
}
