/** A wait for a step that the plan does not have: after the start it would be too late to say so. */
import { untilOf } from '../contract/until.ts';
import { ok } from '../lib/result.ts';
import { again } from './again.ts';
import type { Patience } from './again.ts';
import type { Answer, Client, StartOptions } from './client.ts';

type Wanted = { readonly asked: StartOptions; readonly until: string };

/** What to say, or null for a step that is there. What else may be wrong with the start is for the start to say. */
export async function beyondPlan(api: Client, { asked, until }: Wanted, patience: Patience): Answer<string | null> {
  const awaited = untilOf(until);
  if (awaited?.kind !== 'step') return ok(null);
  const trial = await again(() => api.tryStart(asked), patience);
  if (!trial.ok) return trial.error.kind === 'refused' ? ok(null) : trial;
  const { steps } = trial.value;
  return ok(steps < awaited.step ? `there is no step ${awaited.step} to wait for: the plan has ${steps}` : null);
}
