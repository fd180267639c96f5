/** `npm run chaos:unleash`: Headgate, HAProxy and a real Unleash together; see `unleash.ts`. */
import { flagActs } from './unleash.ts';

let isClean = true;
await flagActs((name, lines, broken) => {
  console.log(`${broken.length === 0 ? 'ok    ' : 'BROKEN'} ${name}`);
  for (const text of [...lines, ...broken.map((each) => `BROKEN ${each}`)]) console.log(`       ${text}`);
  isClean &&= broken.length === 0;
});
process.exitCode = isClean ? 0 : 1;
