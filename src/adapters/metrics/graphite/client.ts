/** Graphite's `/render`, strictly: every series with its points as they were stored, gaps left out. */
import { z } from 'zod';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';
import type { Send } from '../../outgoing/client.ts';
import { exchange } from '../../outgoing/json.ts';
import type { Point } from '../lines.ts';

export type Series = {
  readonly target: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly points: readonly Point[];
};

const tagValue = z.union([z.string(), z.number()]).transform(String);
const answer = z.array(
  z.strictObject({
    target: z.string(),
    tags: z.record(z.string(), tagValue).default({}),
    xFilesFactor: z.unknown().optional(),
    stepInSec: z.unknown().optional(),
    datapoints: z.array(z.tuple([z.number().nullable(), z.number().int().min(0)])).min(1),
  }),
);

export type Wanted = { readonly target: string; readonly fromMs: number; readonly toMs: number };

export async function render(
  url: string,
  { target, fromMs, toMs }: Wanted,
  send: Send,
  signal: AbortSignal,
): Promise<Result<readonly Series[], string>> {
  const text = new URLSearchParams({
    target,
    format: 'json',
    from: String(Math.floor(fromMs / 1000)),
    until: String(Math.ceil(toMs / 1000)),
    noCache: '1',
  }).toString();
  const body = { type: 'application/x-www-form-urlencoded', text };
  const asked = await exchange(send, { method: 'POST', url: `${url.replace(/\/$/, '')}/render`, body }, () => null, signal);
  if (!asked.ok) return asked;
  const read = answer.safeParse(asked.value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return err(
      `an answer that cannot be read at /${(issue?.path ?? []).map(String).join('/')}: ${issue?.message ?? ''}`.slice(0, 300),
    );
  }
  return ok(
    read.data.map(({ target: name, tags, datapoints }) => ({
      target: name,
      tags,
      points: datapoints
        .flatMap(([value, atS]) => (value === null ? [] : [{ atMs: atS * 1000, value }]))
        .toSorted((a, b) => a.atMs - b.atMs),
    })),
  );
}
