/** The short form of a plan: `--stage 1%,5m --stage 25%,10m`. */
export type Stage = { readonly weight: string; readonly hold: string };

export const STAGE_SHAPE = 'a stage is a weight and a hold, such as 5%,10m';

/** Null for what is none. */
export function stageOf(text: string): Stage | null {
  const [, weight, hold] = /^(\d{1,3}(?:\.\d+)?%),([\da-z]+)$/.exec(text.trim()) ?? [];
  return weight && hold ? { weight, hold } : null;
}

export const planOfStages = (service: string, stages: readonly Stage[], checks: readonly string[]): object => ({
  name: `${service}-stages`,
  service,
  steps: stages,
  checks,
});
