/**
 * Places at which a process can die, by name: planted into the sources while they are loaded, so that the product carries
 * none of them. `node --import ./test/chaos/kill-points.ts`, with HEADGATE_KILL_AT and HEADGATE_KILL_PASS in the environment.
 */
import { registerHooks } from 'node:module';

type Point = { readonly file: string; readonly find: string; readonly side: 'before' | 'after' };

const at = (file: string, find: string, side: Point['side'] = 'before'): Point => ({ file: `/src/${file}`, find, side });
const COMMIT = 'const committed = await ctx.store.commit(commit);';

export const POINTS: Readonly<Record<string, Point>> = {
  'before a decision is committed': at('controller/record.ts', COMMIT),
  'after a decision is committed': at('controller/record.ts', COMMIT, 'after'),
  'before a target is written': at('controller/actuate.ts', 'const order: WeightWrite = {'),
  'after a target was written, before it is noted': at('controller/actuate.ts', 'if (written.ok) {\n      await noteVerified'),
  'after a target was noted': at('controller/tick.ts', 'const failedTries = countTries('),
  'after one node was written': at(
    'adapters/traffic/haproxy/map.ts',
    'if (!set.ok) return { reading: unreachable(node, set.error)',
  ),
  'after all nodes were raised': at(
    'adapters/traffic/nodes.ts',
    'const failure = failureOf(attempts, order);\n  if (failure === null) return ok(appliedOf(attempts));\n  await putBack',
  ),
  'after releases were claimed': at('scheduler/scheduler.ts', 'for (const due of claimed) {'),
  'after checks were measured': at('controller/judge-checks.ts', 'const given = checks.map('),
  'before a notice is delivered': at('controller/deliver.ts', 'const outcome = await attempt('),
  'after a notice was delivered': at('controller/deliver.ts', 'const outcome = await attempt(', 'after'),
  'before drift is repaired': at('controller/reconcile.ts', 'const written = await write('),
  'after drift was repaired': at('controller/reconcile.ts', 'if (!written.ok) return noteUnreachable(ctx, again.target'),
  'before a release is stored': at('controller/commands.ts', 'const created = await ctx.store.create('),
  'after a commit inside the store': at('store/sqlite/releases.ts', 'appendEvents(ctx, commit.events, commit.notify);'),
};

const name = process.env['HEADGATE_KILL_AT'];
if (name !== undefined) plant(name);

function plant(named: string): void {
  const point = POINTS[named];
  if (!point) throw new Error(`no kill point named ${named}`);
  let passes = Number(process.env['HEADGATE_KILL_PASS'] ?? 0);
  Object.assign(globalThis, {
    headgateKillPoint: () => {
      if (passes-- <= 0) process.kill(process.pid, 'SIGKILL');
    },
  });
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(point.file)) return loaded;
      const source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
      const found = source.indexOf(point.find);
      if (found === -1) throw new Error(`the kill point "${named}" finds no place in ${point.file}`);
      const end = point.side === 'before' ? found : source.indexOf(';\n', found) + 1;
      return { ...loaded, source: `${source.slice(0, end)} globalThis.headgateKillPoint(); ${source.slice(end)}` };
    },
  });
}
