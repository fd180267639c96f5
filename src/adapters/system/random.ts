/** Chance and identity from the operating system. */
import { randomBytes, randomInt } from 'node:crypto';
import { TOKEN_BYTES } from '../../contract/token-text.ts';
import type { Random } from '../../ports/clock.ts';

export const systemRandom = (): Random => ({
  next: () => randomInt(2 ** 47) / 2 ** 47,
  id: () => sortableId(Date.now(), randomBytes(10)),
});

export const tokenChance = (): Uint8Array => randomBytes(TOKEN_BYTES);

/** UUID version 7 (RFC 9562): 48 bits of time, then chance, so that ids sort by when they were made. */
export function sortableId(ms: number, chance: Uint8Array): string {
  const hex = ms.toString(16).padStart(12, '0') + Buffer.from(chance).toString('hex').padEnd(20, '0');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
