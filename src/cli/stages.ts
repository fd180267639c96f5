/** The short form of a plan: `--stage 1%,5m --stage 25%,10m`. */
import { InvalidArgumentError } from 'commander';

export type Stage = { readonly weight: string; readonly hold: string };

export function stage(text: string): Stage {
  const [, weight, hold] = /^(\d{1,3}(?:\.\d+)?%),([\da-z]+)$/.exec(text.trim()) ?? [];
  if (!weight || !hold) throw new InvalidArgumentError('a stage is a weight and a hold, such as 5%,10m');
  return { weight, hold };
}

export const planOfStages = (service: string, stages: readonly Stage[], checks: readonly string[]): object => ({
  name: `${service}-stages`,
  service,
  steps: stages,
  checks,
});
