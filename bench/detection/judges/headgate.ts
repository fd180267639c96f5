/**
 * Headgate itself, in the profiles `default` and `strict`. Empty until the engine of the product is there.
 */
import type { Judge } from '../judge.ts';

export const headgate: readonly Judge[] = [];
