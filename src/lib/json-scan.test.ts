/** Bodies that are refused for their shape, and that none is which a parser takes and nobody minds. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { misshapen } from './json-scan.ts';

const LIMITS = { depth: 5, values: 10 };

it.each([
  ['[[[[[1]]]]]', null],
  ['[[[[[[1]]]]]]', 'values are nested 5 deep at most'],
  ['{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}', 'values are nested 5 deep at most'],
  ['[1,2,3,4,5,6,7,8,9]', null],
  ['[1,2,3,4,5,6,7,8,9,10,11,12]', 'a body has 10 values at most'],
  ['{"a":1,"b":{"a":1}}', null],
  ['{"a":1,"a":2}', 'the key "a" is there twice in one object'],
  ['{"a":1,"\\u0061":2}', 'the key "a" is there twice in one object'],
  ['[{"a":1},{"a":2}]', null],
  ['{"__proto__":{}}', '__proto__ is no key of any document'],
  ['{"\\u005f_proto__" : 1}', '__proto__ is no key of any document'],
  ['["__proto__","__proto__"]', null],
  ['{"a":"__proto__","b":"a,b,c,{[[[[[[["}', null],
  ['{"a\\"":1,"a\\\\":2}', null],
  ['', null],
  ['{"a', null],
  ['}}]]', null],
])('%s', (text, said) => expect(misshapen(text, LIMITS)).toBe(said));

it('has nothing against what JSON.stringify makes', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      fc.pre(!text.includes('__proto__'));
      expect(misshapen(text, { depth: 50, values: 100_000 })).toBeNull();
    }),
    { seed: 5, numRuns: 500 },
  );
});

it('finds what JSON.parse would lose', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 2 }), { maxLength: 8 }), (keys) => {
      const text = `{${keys.map((key) => `${JSON.stringify(key)}: [{}]`).join(' , ')}}`;
      const isLost = Object.keys(JSON.parse(text) as object).length !== keys.length;
      expect(misshapen(text, { depth: 50, values: 1_000 }) !== null).toBe(isLost);
    }),
    { seed: 5, numRuns: 1_000 },
  );
});
