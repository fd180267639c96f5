import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { keyOf, secretProblem, sign, verify } from './standard-webhooks.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const vector = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', atSeconds: 1_614_265_330, body: '{"test": 2432232314}' };
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

const key = fc.uint8Array({ minLength: 24, maxLength: 64 }).map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`);

it('makes and knows the signature that the standard publishes', () => {
  expect(sign(vector, [SECRET])).toBe(SIGNATURE);
  expect(verify(vector, SIGNATURE, [keyOf(SECRET)])).toBe(true);
  expect(verify({ ...vector, body: Buffer.from(vector.body) }, SIGNATURE, [keyOf(SECRET)])).toBe(true);
});

it('is what the library of the standard makes and accepts, whatever is sent, with the old secret and the new one', () => {
  fc.assert(
    fc.property(key, key, fc.uuid(), fc.string({ unit: 'binary' }), (old, fresh, id, body) => {
      const atSeconds = Math.floor(Date.now() / 1000);
      const signature = sign({ id, atSeconds, body }, [fresh, old]);
      expect(sign({ id, atSeconds, body }, [old])).toBe(new Webhook(old).sign(id, new Date(atSeconds * 1000), body));
      const headers = { 'webhook-id': id, 'webhook-timestamp': String(atSeconds), 'webhook-signature': signature };
      const quoted = JSON.stringify(body);
      const signed = { ...headers, 'webhook-signature': sign({ id, atSeconds, body: quoted }, [fresh, old]) };
      for (const secret of [old, fresh]) expect(new Webhook(secret).verify(quoted, signed)).toBe(body);
      for (const secret of [old, fresh]) expect(verify({ id, atSeconds, body }, signature, [keyOf(secret)])).toBe(true);
    }),
    { seed: 5, numRuns: 100 },
  );
});

it('refuses what was changed anywhere, made with another secret, or is no signature', () => {
  const other = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  expect(verify({ ...vector, id: 'msg_p5jXN8AQM9LWM0D4loKWxJeK' }, SIGNATURE, [keyOf(SECRET)])).toBe(false);
  expect(verify({ ...vector, atSeconds: vector.atSeconds + 1 }, SIGNATURE, [keyOf(SECRET)])).toBe(false);
  expect(verify({ ...vector, body: vector.body.slice(0, -1) }, SIGNATURE, [keyOf(SECRET)])).toBe(false);
  expect(verify(vector, SIGNATURE, [keyOf(other)])).toBe(false);
  expect(verify(vector, SIGNATURE, [])).toBe(false);
  for (const text of ['', 'v1,', 'v1', SIGNATURE.slice(3), SIGNATURE.slice(0, -5), `v1a,${SIGNATURE.slice(3)}`, 'v1,%%%'])
    expect(verify(vector, text, [keyOf(SECRET)])).toBe(false);
  expect(verify(vector, `v1,AAAA v1a,BBBB ${SIGNATURE}`, [keyOf(other), keyOf(SECRET)])).toBe(true);
});

it.each([
  [SECRET, null],
  [SECRET.slice(6), 'whsec_'],
  ['whsec_', 'whsec_'],
  ['whsec_not base64', 'whsec_'],
  [`whsec_${Buffer.alloc(23).toString('base64')}`, '24 bytes at least, and this one has 23'],
  [`whsec_${Buffer.alloc(65).toString('base64')}`, '64 bytes at most, and this one has 65'],
])('says what is wrong with %s, without telling it', (secret, said) => {
  const problem = secretProblem(secret);
  if (said === null) expect(problem).toBeNull();
  else expect(problem).toContain(said);
  if (secret.length > 10) expect(problem ?? '').not.toContain(secret);
});
