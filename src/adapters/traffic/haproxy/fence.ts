/**
 * The way that needs no stats socket: a slot that fails its own health checks gets nothing from any node. Used only while
 * a node that should send it nothing cannot be reached, and taken back as soon as all of them were.
 */
import { ALL, NONE } from '../../../domain/ids.ts';
import type { Weight } from '../../../domain/ids.ts';
import type { Route } from '../../../ports/traffic-router.ts';
import { answerTo } from '../../outgoing/client.ts';
import type { Send } from '../../outgoing/client.ts';
import type { Place } from './place.ts';

const FENCE_MS = 1_000;

/** Tells the slot that gets nothing to fail its health checks, or to stop (both, when each gets something); what came of it. */
export const fencing =
  (send: Send) =>
  async ({ options }: Place, { slots }: Route, secondShare: Weight, isFenced: boolean): Promise<string | null> => {
    const empty = secondShare === NONE ? slots[1] : secondShare === ALL ? slots[0] : null;
    const told = empty !== null || !isFenced ? slots.filter((slot) => empty === null || slot === empty) : [];
    const urls = told.flatMap((slot) => options?.slots[slot]?.fence ?? []);
    const answers = await Promise.all(
      urls.map(async (url) => {
        const body = { type: 'application/json', text: JSON.stringify({ fenced: isFenced }) };
        const answer = await answerTo(send, { method: 'PUT', url, body, upTo: 0 }, AbortSignal.timeout(FENCE_MS));
        if (!answer.ok) return 'its fence could not be reached';
        const { status } = answer.value;
        return 200 <= status && status < 300 ? 'the slot was told to fail its health checks' : `its fence answered ${status}`;
      }),
    );
    return answers[0] ?? null;
  };
