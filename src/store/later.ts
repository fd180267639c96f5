/** When a service was changed: later than before whatever the clock says, so that it tells versions of it apart. */
import { Instant } from '../domain/ids.ts';
import type { Service } from '../domain/target.ts';

export const later = (now: Instant, { updatedAt }: Service): Instant => Instant(Math.max(now, updatedAt + 1));
