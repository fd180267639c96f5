/**
 * The audit log as a chain: every row's hash is made of the one before it and of the row, so that nothing in it can be
 * changed, left out, put in or moved without every hash after it being wrong. That its end was cut off, only somebody
 * finds who has seen a later row: an anchor.
 */
import { createHash } from 'node:crypto';
import { canonical } from '../lib/canonical.ts';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { StoredAudit } from '../ports/store.ts';

/** What the first row is chained to. */
export const NO_HASH = '0'.repeat(64);

export const chainHash = (previous: string, row: Omit<StoredAudit, 'hash'>): string =>
  createHash('sha256').update(previous).update(canonical(row)).digest('hex');

/** One line of an export: the row in its only spelling. */
export const auditLine = (row: StoredAudit): string => canonical(row);

export type AuditHead = { readonly seq: number; readonly hash: string };
export const headText = ({ seq, hash }: AuditHead): string => `${seq}:${hash}`;

export function parseHead(text: string): AuditHead | null {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  return seq !== undefined && hash !== undefined ? { seq: Number(seq), hash } : null;
}

export type Broken = { readonly seq: number; readonly why: string };

/** Verifies line after line; the error is the first bad row, and then it is over. */
export async function verifyAudit(
  lines: AsyncIterable<string> | Iterable<string>,
  anchors: readonly AuditHead[],
): Promise<Result<AuditHead, Broken>> {
  let head: AuditHead = { seq: 0, hash: NO_HASH };
  for await (const line of lines) {
    if (line === '') continue;
    const next = verified(line, head);
    if (!next.ok) return next;
    head = next.value;
    const anchor = anchors.find(({ seq }) => seq === head.seq);
    if (anchor && anchor.hash !== head.hash)
      return err({ seq: head.seq, why: 'it was another row when the anchor was taken: the log was written anew' });
  }
  const cut = anchors.find(({ seq }) => head.seq < seq);
  return cut
    ? err({ seq: head.seq + 1, why: `the log ends before it, and had ${cut.seq} rows when the anchor was taken` })
    : ok(head);
}

function verified(line: string, before: AuditHead): Result<AuditHead, Broken> {
  const seq = before.seq + 1;
  const row = rowOf(line);
  if (row === null) return err({ seq, why: 'the line is no row' });
  if (row.seq !== seq) return err({ seq, why: `row ${String(row.seq)} stands in its place` });
  const { hash, ...rest } = row;
  if (typeof hash !== 'string') return err({ seq, why: 'it has no hash' });
  if (auditLine(row) !== line) return err({ seq, why: 'it is not spelled as it was written' });
  if (chainHash(before.hash, rest) !== hash)
    return err({ seq, why: 'its hash is not the one of its content and of the row before it' });
  return ok({ seq, hash });
}

function rowOf(line: string): StoredAudit | null {
  try {
    const value: unknown = JSON.parse(line);
    // Only `seq` and `hash` are read; everything else is what was hashed, whatever it is.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as StoredAudit) : null;
  } catch {
    return null;
  }
}
