/**
 * Room on the disk that is kept for bad days: a file that is given up when the disk is full, so that what runs can still be
 * recorded, above all that it is taken back. While it is gone nothing new is started.
 */
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { StoreUnavailable } from '../../ports/store.ts';

export type Reserve = {
  /** Gives the room free; false when there is none left to give. */
  giveUp(): boolean;
  /** Throws while the room is not there and cannot be had. */
  require(): void;
};

export const noReserve: Reserve = { giveUp: () => false, require: () => {} };

const PIECE = 1 << 20;

export function reserve(file: string, bytes: number, onGivenUp: () => void): Reserve {
  const restore = (): boolean => {
    try {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < bytes) fill(file, bytes);
      return true;
    } catch {
      // What was written of it is worth more as room.
      rmSync(file, { force: true });
      return false;
    }
  };
  restore();
  return {
    giveUp() {
      if (statSync(file, { throwIfNoEntry: false }) === undefined) return false;
      rmSync(file, { force: true });
      onGivenUp();
      return true;
    },
    require() {
      if (!restore())
        throw new StoreUnavailable(
          'the disk is full: what runs goes on in its reserve, and nothing new starts until there is room',
        );
    },
  };
}

/** Not zeros, which some file systems do not keep. */
function fill(file: string, bytes: number): void {
  const piece = Buffer.alloc(PIECE, 'kept for the day on which the disk is full; ');
  const handle = openSync(file, 'w');
  try {
    // A disk that is nearly full takes a part of a piece first, and refuses the next one.
    for (let written = 0; written < bytes;) written += writeSync(handle, piece, 0, Math.min(PIECE, bytes - written));
  } finally {
    closeSync(handle);
  }
}
