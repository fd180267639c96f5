/**
 * Who is believed. The vectors that ConfigCat, Standard Webhooks and GitHub publish; and of every sender's deliveries forged,
 * replayed, cut, joined and exchanged variants: none is taken for genuine, and every genuine one is.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isConfigcatSigned, isHexSigned, isStandardSigned, isToken } from '../../src/adapters/webhooks/signatures.ts';
import { Instant } from '../../src/domain/ids.ts';
import { keyOf } from '../../src/lib/standard-webhooks.ts';
import type { WebhookSource } from '../../src/ports/webhook-source.ts';
import { NOON } from '../story.ts';
import { senders, sourceOf } from './senders.ts';
import type { Sent } from './senders.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const at = (seconds: number): Instant => Instant(seconds * 1_000);
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 200);

function verified(source: WebhookSource, { headers, body }: { headers: Sent['headers']; body: string | Uint8Array }, now = NOON) {
  const raw = typeof body === 'string' ? bytes(body) : body;
  return source.verify({ header: (name) => headers[name.toLowerCase()], body: raw, now });
}

describe('published vectors', () => {
  it('of ConfigCat', () => {
    const key = 'configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88=';
    const stamped = {
      id: 'b616ca659d154a5fb907dd8475792eeb',
      timestamp: '1669629035',
      signature: 'Ks3cYsu9Lslfo+hVxNC3oQWnsF9e5d73TI5t94D9DRA=',
    };
    expect(isConfigcatSigned(bytes('examplebody'), stamped, ['another key', key], at(1_669_629_035))).toBe(true);
    expect(isConfigcatSigned(bytes('examplebody'), stamped, [key], at(1_669_629_035 + 300))).toBe(true);
    expect(isConfigcatSigned(bytes('examplebody'), stamped, [key], at(1_669_629_035 + 301))).toBe(false);
    expect(isConfigcatSigned(bytes('examplebody '), stamped, [key], at(1_669_629_035))).toBe(false);
  });

  it('of Standard Webhooks', () => {
    const keys = [keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')];
    const stamped = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      signature: 'v1a,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    const body = bytes('{"test": 2432232314}');
    expect(isStandardSigned(body, stamped, keys, at(1_614_265_330))).toBe(true);
    expect(isStandardSigned(body, stamped, keys, at(1_614_265_330 - 300))).toBe(true);
    expect(isStandardSigned(body, stamped, keys, at(1_614_265_330 - 301))).toBe(false);
    expect(isStandardSigned(body, { ...stamped, id: 'msg_other' }, keys, at(1_614_265_330))).toBe(false);
  });

  it('of GitHub', () => {
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    expect(isHexSigned(bytes('Hello, World!'), signature, ["It's a Secret to Everybody"], 'sha256=')).toBe(true);
    expect(isHexSigned(bytes('Hello, World!'), signature.slice(7), ["It's a Secret to Everybody"], 'sha256=')).toBe(false);
    expect(isHexSigned(bytes('Hello, World?'), signature, ["It's a Secret to Everybody"], 'sha256=')).toBe(false);
  });

  it('takes a token for what it is, whatever its length', () => {
    expect([
      isToken('abc', ['other', 'abc']),
      isToken('abcd', ['abc']),
      isToken('', ['abc']),
      isToken(undefined, ['abc']),
    ]).toEqual([true, false, false, false]);
  });
});

it('does not let the parts that ConfigCat signs without separators be divided another way', () => {
  const key = 'configcat_whsk_for_tests_only';
  const sender = senders.find(({ type }) => type === 'configcat');
  if (!sender) throw new Error('no configcat');
  for (let serial = 0; serial < 200; serial++) {
    const body = sender.payload('checkout-v2', serial);
    const headers = sender.sign(body, NOON, serial);
    const { 'x-configcat-webhook-id': id = '', 'x-configcat-webhook-timestamp': stamp = '' } = headers;
    const whole = `${id}${stamp}${body}`;
    const signature = headers['x-configcat-webhook-signature-v1'];
    for (let from = 1; from < id.length + 4; from++)
      for (let to = from + 1; to < id.length + 16; to++) {
        if (from === id.length && to === id.length + stamp.length) continue;
        const moved = { id: whole.slice(0, from), timestamp: whole.slice(from, to), signature };
        expect(isConfigcatSigned(bytes(whole.slice(to)), moved, [key], NOON)).toBe(false);
      }
  }
});

describe.each(senders.map((sender) => [sender.type, sender] as const))('%s', (_, sender) => {
  const source = sourceOf(sender);
  const sent = (serial: number, atMs: number = NOON): Sent => {
    const body = sender.payload('checkout-v2', serial);
    return { body, headers: sender.sign(body, atMs, serial) };
  };
  const serial = fc.integer({ min: 1, max: 1_000_000 });

  it('is believed, told a repetition by its key, and read for the flag', () => {
    fc.assert(
      fc.property(serial, serial, (one, other) => {
        const first = verified(source, sent(one));
        expect(first.ok).toBe(true);
        expect(verified(source, sent(one))).toEqual(first);
        if (one !== other) expect(verified(source, sent(other))).not.toEqual(first);
      }),
      { numRuns: RUNS, seed: 5 },
    );
    const hints = source.hints(sent(1).body);
    expect(hints).toMatchObject({ ok: true, value: [{ flag: sender.names === 'any' ? null : 'checkout-v2' }] });
  });

  it('is believed with either secret while one is exchanged for the other', () => {
    const secrets = sender.type === 'standard' ? [`whsec_${'A'.repeat(43)}=`, sender.secret] : ['a new secret', sender.secret];
    expect(verified(sourceOf({ ...sender, secret: secrets as never }), sent(1)).ok).toBe(true);
  });

  it('is not believed with another secret, without a signature, or with one that is cut, longer, or of another delivery', () => {
    const name = Object.keys(sent(1).headers).find((header) => /signature|authorization/.test(header)) ?? '';
    const whole = (headers: Sent['headers']): string => headers[name] ?? '';
    fc.assert(
      fc.property(serial, fc.nat(), fc.integer({ min: 1, max: 127 }), (one, place, flip) => {
        const { headers, body } = sent(one);
        const signature = whole(headers);
        const forged: string[] = [
          '',
          'null',
          signature.slice(0, -1),
          signature.slice(1),
          `${signature}0`,
          signature.toUpperCase(),
        ];
        const index = place % signature.length;
        forged.push(
          signature.slice(0, index) +
            String.fromCharCode((signature.charCodeAt(index) + flip) % 128) +
            signature.slice(index + 1),
        );
        for (const other of forged) {
          // ConfigCat sends a list, of which the first is another key's: what is changed there changes nothing.
          const stillGenuine =
            sender.type === 'configcat' && other.split(',').some((each) => each.trim() === signature.split(',')[1]);
          if (other !== signature && !stillGenuine)
            expect(verified(source, { body, headers: { ...headers, [name]: other } }).ok).toBe(false);
        }
        expect(verified(source, { body, headers: { ...headers, [name]: undefined as never } }).ok).toBe(false);
        if (sender.proof === 'signature')
          expect(verified(source, { body, headers: { ...headers, [name]: whole(sent(one + 1).headers) } }).ok).toBe(false);
        const wrong = sender.type === 'standard' ? `whsec_${'B'.repeat(43)}=` : 'some other secret';
        expect(verified(source, { body, headers: sender.sign(body, NOON, one, wrong) }).ok).toBe(false);
      }),
      { numRuns: RUNS, seed: 6 },
    );
  });

  it('is not believed when a single bit of the body is another, or its end or beginning is missing', () => {
    // What only knows a token says nothing of the body, and is taken for that much: its source is unconfirmed.
    if (sender.proof === 'token') return;
    fc.assert(
      fc.property(serial, fc.nat(), fc.integer({ min: 0, max: 7 }), (one, place, bit) => {
        const { headers, body } = sent(one);
        const raw = bytes(body);
        const index = place % raw.length;
        const flipped = raw.map((byte, i) => (i === index ? byte ^ (1 << bit) : byte));
        for (const other of [flipped, raw.slice(0, index), raw.slice(index + 1), new Uint8Array([...raw, 32]), new Uint8Array()])
          expect(verified(source, { headers, body: other }).ok).toBe(false);
        // The same JSON written another way is not what was signed.
        expect(verified(source, { headers, body: `${body}\n` }).ok).toBe(false);
        if (JSON.stringify(JSON.parse(body), null, 1) !== body)
          expect(verified(source, { headers, body: JSON.stringify(JSON.parse(body), null, 1) }).ok).toBe(false);
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });

  it('is worth nothing after five minutes, nor under another stamp or id, where it signs one', () => {
    if (!sender.isStamped) return;
    fc.assert(
      fc.property(serial, fc.integer({ min: 301, max: 10_000_000 }), fc.boolean(), (one, offBy, late) => {
        const then = late ? NOON - offBy * 1_000 : NOON + offBy * 1_000;
        expect(verified(source, sent(one, then)).ok).toBe(false);
        const { headers, body } = sent(one);
        for (const [name, value] of Object.entries(headers)) {
          if (/signature/.test(name)) continue;
          const others = [
            `${value}0`,
            `0${value}`,
            ` ${value}`,
            value.slice(0, -1),
            '',
            `${Number(value) + 1}`,
            `${value}.0`,
            `${value}e0`,
          ];
          for (const other of others) expect(verified(source, { body, headers: { ...headers, [name]: other } }).ok).toBe(false);
        }
      }),
      { numRuns: RUNS, seed: 8 },
    );
  });

  it('says of whatever else it may send that it cannot be read, or that it is about nothing, and never fails', () => {
    const parts = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom('', 'null', '[]', '{}', '{"data":null}', '{"__proto__":{"x":1}}'),
    );
    fc.assert(
      fc.property(parts, (body) => {
        const hints = source.hints(body);
        if (hints.ok) for (const { flag } of hints.value) expect(flag === null || typeof flag === 'string').toBe(true);
        else expect(hints.error).toMatch(/\S/);
      }),
      { numRuns: RUNS, seed: 9 },
    );
    const { body } = sent(1);
    for (let end = 0; end < body.length; end += 7) {
      const cut = source.hints(body.slice(0, end));
      if (cut.ok && sender.type !== 'configcat') expect(cut.value).toEqual([]);
    }
  });
});

it('finds the flags in a body of ConfigCat that a quote in a note has broken', () => {
  const sender = senders.find(({ type }) => type === 'configcat');
  if (!sender) throw new Error('no configcat');
  const broken = sender.payload('checkout-v2', 1).replace('"n 1"', '"he said "go" and \\ went"');
  expect(() => void JSON.parse(broken)).toThrow();
  expect(sourceOf(sender).hints(broken)).toEqual({
    ok: true,
    value: [{ flag: 'checkout-v2', what: 'changed', changedBy: null }],
  });
});

it('makes words from outside tame before they stand in a sentence', () => {
  const [ld] = senders;
  if (!ld) throw new Error('no sender');
  const body = ld
    .payload('checkout-v2', 1)
    .replace('"shortDescription":""', `"shortDescription":${JSON.stringify('a\u0000b\n\u202Ec.\u2028'.repeat(90))}`);
  const hints = sourceOf(ld).hints(body);
  expect(hints.ok && hints.value[0]?.what).toMatch(/^[ abc.]{1,200}[^.]$/);
});

it('ignores what is about another environment, or about no flag', () => {
  const [ld, unleash] = senders;
  if (!ld || !unleash) throw new Error('no sender');
  const api = { url: 'http://127.0.0.1:1', token: 'x', environment: 'staging' };
  for (const sender of [ld, unleash])
    expect(sourceOf(sender, { api }).hints(sender.payload('f', 1))).toEqual({ ok: true, value: [] });
  expect(sourceOf(ld).hints('{"kind":"project","accesses":[]}')).toEqual({ ok: true, value: [] });
  expect(sourceOf(unleash).hints('{"type":"user-created"}')).toEqual({ ok: true, value: [] });
});
