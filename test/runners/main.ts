/** `npm run try:runners`: the GitLab component and the GitHub Action on programs that run pipelines, against a real service. */
import { join } from 'node:path';
import { scratch, until } from '../real/programs.ts';
import { githubRunner } from './github.ts';
import { gitlabRunner } from './gitlab.ts';
import { CASES } from './runner.ts';
import type { Case, Runner, Seen } from './runner.ts';
import { pipelineWorld, planText } from './world.ts';
import type { PipelineWorld } from './world.ts';

/** Each runner has a service of its own for each case. */
async function tried(runner: Runner, dir: string): Promise<boolean> {
  const world = await pipelineWorld(CASES.map(({ service }) => service));
  let isClean = true;
  try {
    for (const each of CASES) {
      const seen = await one(runner, world, { ...each, dir: join(dir, each.service) });
      const wrong = [...seen.wrong, ...(await mismatches(each, seen, world))];
      console.log(`${wrong.length === 0 ? 'ok    ' : 'BROKEN'} ${runner.name}: ${each.says} (${seen.code ?? 'no code'})`);
      for (const text of wrong) console.log(`       ${text}`);
      if (wrong.length > 0) console.log(seen.text.replaceAll(/^/gm, '       | '));
      isClean &&= wrong.length === 0;
    }
  } finally {
    await world.close();
  }
  return isClean;
}

function one(runner: Runner, world: PipelineWorld, { service, hold, inputs, isCancelled, dir }: Case & { readonly dir: string }) {
  const isUnderWay = async (): Promise<boolean> => (await world.releases(service))[0]?.phase.kind === 'watching';
  const cancelled = isCancelled ? until(`${service} to be under way`, isUnderWay) : null;
  const given = { server: world.server, file: 'plan.yaml', ...inputs };
  return runner.run({ dir, plan: planText(service, hold), inputs: given, cancelled });
}

async function mismatches({ service, code, phase }: Case, seen: Seen, world: PipelineWorld): Promise<readonly string[]> {
  const releases = await world.releases(service);
  const [release] = releases;
  const found = releases.map((each) => each.phase.kind).join(' and ') || 'none';
  return [
    ...(code === null || code === seen.code ? [] : [`the code is ${seen.code}, not ${code}`]),
    ...(found === phase ? [] : [`the release is ${found}, not ${phase}`]),
    ...(phase === 'watching' && release?.rollback ? ['it is being taken back'] : []),
    ...(release && !release.createdBy.startsWith('acme/shop ') ? [`it was started by ${release.createdBy}`] : []),
  ];
}

const { dir, remove } = scratch('runners');
let isClean = true;
try {
  for (const [name, made] of [
    ['gitlab', gitlabRunner],
    ['github', githubRunner],
  ] as const) {
    const runner = await made(join(dir, name));
    if (runner === null) console.log(`left   ${name}: its runner is built with Go, which is not here`);
    else isClean = (await tried(runner, join(dir, name, 'jobs'))) && isClean;
  }
} finally {
  remove();
}
process.exitCode = isClean ? 0 : 1;
