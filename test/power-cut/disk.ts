/**
 * A disk that tells what is on it from what it only promised. A change of a file is kept for sure once the file was synced
 * after it; until then chance decides, file by file, what became of it.
 *
 * Names are taken at their worst: making and removing one is sure only after its folder was synced (a sync of the file
 * itself is not enough, though most file systems do more), and until then each of them may be missing, in any combination: a
 * file that was made is gone, one that was removed is back with what it held. Setting a length is a change like a write.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Chance } from '../sim/chance.ts';
import type { Operation } from './trace.ts';

const SECTOR = 512;

type Change = { readonly at: number; readonly bytes: Buffer } | { readonly length: number };
type Naming = Extract<Operation, { kind: 'made' | 'removed' }>;

/** What becomes of the changes that were not synced. */
const FATES = ['none', 'prefix', 'subset', 'shuffled', 'torn', 'sectors', 'lengths', 'all'] as const;
type Fate = (typeof FATES)[number];

/** The synced bytes of one file, in a buffer with room to grow. */
class Content {
  private buffer = Buffer.alloc(0);
  private length = 0;

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  apply(change: Change): void {
    if ('bytes' in change) {
      this.resize(Math.max(this.length, change.at + change.bytes.length));
      change.bytes.copy(this.buffer, change.at);
    } else this.resize(change.length);
  }

  private resize(length: number): void {
    if (length > this.buffer.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * this.buffer.length));
      this.bytes.copy(grown);
      this.buffer = grown;
    } else if (length < this.length) this.buffer.fill(0, length, this.length);
    this.length = length;
  }
}

type Stored = { readonly sure: Content; unsure: Change[] };

export class Disk {
  private readonly files = new Map<number, Stored>();
  private readonly sureNames = new Map<string, number>();
  private unsureNames: Naming[] = [];

  take(operation: Operation): void {
    switch (operation.kind) {
      case 'made':
        this.files.set(operation.file, { sure: new Content(), unsure: [] });
        this.unsureNames.push(operation);
        break;
      case 'removed':
        this.unsureNames.push(operation);
        break;
      case 'write':
        this.stored(operation.file).unsure.push({ at: operation.at, bytes: operation.bytes });
        break;
      case 'resize':
        this.stored(operation.file).unsure.push({ length: operation.length });
        break;
      case 'sync': {
        const stored = this.stored(operation.file);
        for (const change of stored.unsure) stored.sure.apply(change);
        stored.unsure = [];
        break;
      }
      case 'syncFolder':
        for (const naming of this.unsureNames) name(this.sureNames, naming);
        this.unsureNames = [];
        break;
      case 'acknowledged':
        break;
    }
  }

  /** Writes the files as they may be after the power is back; the answer is each file's fate, for the report. */
  writeImage(folder: string, luck: Chance): readonly string[] {
    const names = new Map(this.sureNames);
    for (const naming of this.unsureNames) if (luck.hits(0.5)) name(names, naming);
    const fates: string[] = [];
    for (const [file, id] of names) {
      const { sure, unsure } = this.stored(id);
      const fate = luck.pick(FATES);
      writeFile(join(folder, file), sure.bytes, surviving(unsure, fate, luck));
      if (unsure.length > 0) fates.push(`${file}: ${fate} of ${unsure.length}`);
    }
    return fates;
  }

  private stored(file: number): Stored {
    const stored = this.files.get(file);
    if (!stored) throw new Error(`no file ${file}`);
    return stored;
  }
}

function name(names: Map<string, number>, naming: Naming): void {
  if (naming.kind === 'made') names.set(naming.name, naming.file);
  else names.delete(naming.name);
}

function writeFile(path: string, sure: Buffer, changes: readonly Change[]): void {
  const file = openSync(path, 'wx');
  writeSync(file, sure);
  for (const change of changes) {
    if (!('bytes' in change)) ftruncateSync(file, change.length);
    else if (change.bytes.length > 0) writeSync(file, change.bytes, 0, change.bytes.length, change.at);
    else if (fstatSync(file).size < change.at) ftruncateSync(file, change.at);
  }
  closeSync(file);
}

function surviving(changes: readonly Change[], fate: Fate, luck: Chance): readonly Change[] {
  const prefix = (): readonly Change[] => changes.slice(0, luck.int(0, changes.length));
  switch (fate) {
    case 'none':
      return [];
    case 'prefix':
      return prefix();
    case 'subset':
      return changes.filter(() => luck.hits(0.5));
    case 'shuffled':
      return shuffled(
        changes.filter(() => luck.hits(0.7)),
        luck,
      );
    case 'torn': {
      const kept = prefix();
      return kept.flatMap((change, index) => (index === kept.length - 1 ? torn(change, luck) : [change]));
    }
    case 'sectors':
      return changes.flatMap(sectorsOf).filter(() => luck.hits(0.7));
    case 'lengths':
      return changes.map(lengthOf);
    case 'all':
      return changes;
  }
}

function shuffled(changes: readonly Change[], luck: Chance): readonly Change[] {
  const mixed = [...changes];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = luck.int(0, last);
    const [a, b] = [mixed[last]!, mixed[other]!];
    mixed[last] = b;
    mixed[other] = a;
  }
  return mixed;
}

/** The file has grown, and what was written beyond its end reads as zeros. */
const lengthOf = (change: Change): Change =>
  'bytes' in change ? { at: change.at + change.bytes.length, bytes: Buffer.alloc(0) } : change;

/** Only the sectors up to some boundary; a write within one sector is whole or not there. */
function torn(change: Change, luck: Chance): readonly Change[] {
  const sectors = sectorsOf(change);
  return sectors.slice(0, luck.int(0, sectors.length - 1));
}

function sectorsOf(change: Change): readonly Change[] {
  if (!('bytes' in change)) return [change];
  const { at, bytes } = change;
  const pieces: Change[] = [];
  for (let from = at; from < at + bytes.length;) {
    const to = Math.min(at + bytes.length, (Math.floor(from / SECTOR) + 1) * SECTOR);
    pieces.push({ at: from, bytes: bytes.subarray(from - at, to - at) });
    from = to;
  }
  return pieces;
}
