/** The way in for the first person: a token in a file beside the database, for nobody but its owner to read. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Access } from './controller/access.ts';
import type { Log } from './ports/log.ts';

export async function leaveFirstToken(access: Access, database: string, log: Log): Promise<void> {
  const file = `${database === ':memory:' ? './headgate' : database}.admin-token`;
  const left = await access.firstToken((text) => {
    // Made under another name: nobody finds half of it, and no file that was there before lends it its mode.
    const made = `${file}.new`;
    rmSync(made, { force: true });
    writeFileSync(made, `${text}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(made, file);
  });
  if (left)
    log.warn(
      { file },
      `nobody has an admin token yet, so one is in ${file}: make tokens for people and pipelines with it (headgate token create), then delete the file`,
    );
}
