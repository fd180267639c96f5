/** `npm run chaos:webhooks -- [--rounds 40] [--seed 1]`: kills the real process while it tells receivers that are in trouble. */
import { parseArgs } from 'node:util';
import { webhookRounds } from './webhook-rounds.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, seed: { type: 'string', default: '1' } },
});
const report = await webhookRounds({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  say: (line) => console.log(line),
});
const { kills, releases, events, heard, again, waitingAtKills, heldAtKills, parked, broken } = report;
console.log(`${kills} kills, ${releases} releases, ${events} events, seven receivers:`);
console.log(`  ${waitingAtKills} deliveries were committed and not made at the kills, ${heldAtKills} were being answered`);
console.log(
  `  ${heard} webhooks read, every one signed; ${again} of them a repetition, under the same id and with the same words`,
);
console.log(`  ${parked} parked, all of them replayed`);
for (const line of broken) console.log(`  BROKEN ${line}`);
console.log(broken.length === 0 ? '  every event heard by every receiver, in order in its release' : `  ${broken.length} broken`);
process.exit(broken.length === 0 ? 0 : 1);
