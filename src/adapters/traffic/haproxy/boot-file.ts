/**
 * The map's file on disk: what HAProxy starts with. It keeps the *stable* state and never a canary's weight, so that a
 * node that restarts in the middle of a release serves nobody the canary until it was told to.
 */
import { constants } from 'node:fs';
import { access, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Weight } from '../../../domain/ids.ts';
import { err, ok } from '../../../lib/result.ts';
import type { Result } from '../../../lib/result.ts';

/** Writes the share of one route, when it is another one; the answer says whether it was. */
export async function keepInFile(file: string, key: string, share: Weight): Promise<Result<boolean, string>> {
  try {
    const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const after = withEntry(before, key, share);
    if (after === before) return ok(false);
    await replace(file, after);
    return ok(true);
  } catch (error) {
    return err(reason(file, error));
  }
}

export async function canKeepIn(file: string): Promise<Result<void, string>> {
  try {
    await access(dirname(file), constants.W_OK);
    return ok(undefined);
  } catch (error) {
    return err(reason(file, error));
  }
}

const reason = (file: string, error: unknown): string =>
  `the boot file ${file} cannot be written: ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`;

/** Everything else in the file stays as it is, comments too. */
function withEntry(text: string, key: string, share: Weight): string {
  const lines = text.split('\n');
  const isOurs = (line: string): boolean => line.trimStart().split(/\s+/)[0] === key;
  const entry = `${key} ${share}`;
  const at = lines.findIndex(isOurs);
  if (at === -1) return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${entry}\n`;
  return lines.flatMap((line, index) => (index === at ? [entry] : isOurs(line) ? [] : [line])).join('\n');
}

/** Whole or not at all, whenever the power goes. */
async function replace(file: string, text: string): Promise<void> {
  const beside = `${file}.headgate`;
  try {
    const handle = await open(beside, 'w', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
