/** `headgate audit export | verify`: the chain can be checked by whoever has the rows, with or without the service. */
import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { headText, parseHead, verifyAudit } from '../contract/audit-chain.ts';
import type { AuditHead } from '../contract/audit-chain.ts';
import { linesOf } from './transport.ts';
import { EXIT } from './exit-codes.ts';
import type { Printer } from './output.ts';
import { refusedAccess } from './token-commands.ts';
import type { AccessSession } from './token-commands.ts';

type Finish = (result: Promise<number>) => Promise<void>;

export function auditCommands(audit: Command, session: () => AccessSession, finish: Finish): void {
  audit
    .command('export')
    .description('every row, one line of JSON each, oldest first')
    .action(() => finish(exported(session())));
  audit
    .command('verify')
    .description('check that no row was changed, left out, put in or moved; the first bad one is named')
    .argument('[file]', 'an export; left out, the service is asked')
    .option('--anchor <row:hash>', 'a head that was seen earlier, as the service logs it every hour; again for more', anchor, [])
    .action((file: string | undefined, options: { anchor: readonly AuditHead[] }) =>
      finish(file === undefined ? verified(session(), options.anchor) : verifiedFile(session(), file, options.anchor)),
    );
}

function anchor(text: string, before: readonly AuditHead[]): readonly AuditHead[] {
  const head = parseHead(text);
  if (head === null) throw new InvalidArgumentError('the number of a row and its hash, such as 812:9f86d081…');
  return [...before, head];
}

async function exported({ api, print }: AccessSession): Promise<number> {
  const lines = await api.auditLines();
  if (!lines.ok) return refusedAccess(print, lines.error);
  try {
    for await (const line of lines.value) print.data(line);
    return EXIT.ok;
  } catch (error) {
    return broken(print, error);
  }
}

async function verified({ api, print }: AccessSession, anchors: readonly AuditHead[]): Promise<number> {
  const head = await api.auditHead();
  if (!head.ok) return refusedAccess(print, head.error);
  const lines = await api.auditLines();
  if (!lines.ok) return refusedAccess(print, lines.error);
  // What it says its end is, it has to show.
  return told(print, lines.value, head.value.seq === 0 ? anchors : [...anchors, head.value]);
}

const verifiedFile = ({ print }: AccessSession, file: string, anchors: readonly AuditHead[]): Promise<number> =>
  told(print, linesOf(createReadStream(file)), anchors);

async function told(print: Printer, lines: AsyncIterable<string>, anchors: readonly AuditHead[]): Promise<number> {
  try {
    const found = await verifyAudit(lines, anchors);
    if (found.ok) {
      print.data(`${found.value.seq} rows, an unbroken chain; its head is ${headText(found.value)}`);
      return EXIT.ok;
    }
    print.note(`row ${found.error.seq} of the audit log is not as it was written: ${found.error.why}`);
    return EXIT.ours;
  } catch (error) {
    return broken(print, error);
  }
}

function broken(print: Printer, error: unknown): number {
  print.note(`the rows cannot be read to their end: ${error instanceof Error ? error.message : String(error)}`);
  return EXIT.unreachable;
}
