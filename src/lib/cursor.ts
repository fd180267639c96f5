/** Keyset cursors of lists that are ordered by time and id: opaque to clients, stable while rows come and go. */
export type Keyset = { readonly ms: number; readonly id: string };

export const cursorOf = ({ ms, id }: Keyset): string => Buffer.from(`${ms} ${id}`).toString('base64url');

/** Null for anything that is no cursor of ours: the list then starts from its beginning. */
export function parseCursor(cursor: string | null): Keyset | null {
  if (cursor === null) return null;
  const match = /^(\d{1,15}) (\S{1,300})$/.exec(Buffer.from(cursor, 'base64url').toString());
  return match?.[1] && match[2] ? { ms: Number(match[1]), id: match[2] } : null;
}
