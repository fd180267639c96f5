/**
 * API tokens as text: `hg_<id>_<secret><checksum>`. The prefix is for secret scanners, the checksum tells a typing error
 * from a token without a look into the store. 256 bits of chance need no slow hash: what is kept is a plain digest.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LETTERS = 10;
const SECRET_LETTERS = 43;
const CHECK_LETTERS = 6;
const SHAPE = new RegExp(`^hgs?_[0-9A-Za-z]{${ID_LETTERS}}_[0-9A-Za-z]{${SECRET_LETTERS + CHECK_LETTERS}}$`);

/** How many bytes of chance a token is made of. */
export const TOKEN_BYTES = 40;

export type TokenKind = 'hg' | 'hgs';
export type TokenText = { readonly id: string; readonly text: string };

/** `hg` for tokens of the API, `hgs` for sessions of the console. */
export function tokenText(kind: TokenKind, chance: Uint8Array): TokenText {
  const id = letters(chance.subarray(0, 8), ID_LETTERS);
  const body = `${kind}_${id}_${letters(chance.subarray(8, TOKEN_BYTES), SECRET_LETTERS)}`;
  return { id, text: `${body}${checksum(body)}` };
}

export function isTokenText(text: string): boolean {
  return SHAPE.test(text) && checksum(text.slice(0, -CHECK_LETTERS)) === text.slice(-CHECK_LETTERS);
}

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const checksum = (body: string): string => fixed(BigInt(crc32(body)), CHECK_LETTERS);
const letters = (bytes: Uint8Array, length: number): string => fixed(BigInt(`0x${Buffer.from(bytes).toString('hex')}`), length);

function fixed(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = `${LETTERS[Number(rest % 62n)]}${text}`;
  return text;
}
