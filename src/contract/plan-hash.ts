/** Which plan an approval is for: the hash of it as the release runs it, not of the text that it was made from. */
import { createHash } from 'node:crypto';
import type { Plan } from '../domain/plan.ts';
import { canonical } from '../lib/canonical.ts';

export const planHashOf = (plan: Plan): string => createHash('sha256').update(canonical(plan)).digest('hex');
