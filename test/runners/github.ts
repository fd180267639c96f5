/** The GitHub Action by act, on this machine and without containers: called as `docs/ci.md` calls it, from a repository of its own. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fromGo } from '../real/installed.ts';
import { git, repository, said } from './runner.ts';
import type { Inputs, Job, Runner, Seen } from './runner.ts';

const VERSION = '0.2.89';
const root = resolve(import.meta.dirname, '../..');

const workflow = (inputs: Inputs): string => `on: push
jobs:
  release:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: acme/headgate/deploy/github-action@v1
        id: headgate
        with: ${JSON.stringify(inputs)}
      - if: always()
        run: echo "later \${{ steps.headgate.outputs.exit-code }} \${{ steps.headgate.outputs.url }}"
`;

/** Null where there is no Go to build it with. */
export async function githubRunner(dir: string): Promise<Runner | null> {
  const act = await fromGo({ name: 'act', version: VERSION, module: 'github.com/nektos/act' });
  if (act === null) return null;
  const action = join(dir, 'action');
  cpSync(join(root, 'deploy/github-action'), join(action, 'deploy/github-action'), { recursive: true });
  // Whatever package the action is copied into.
  writeFileSync(join(action, 'package.json'), '{ "type": "commonjs" }\n');
  const home = join(dir, 'home');
  mkdirSync(home);
  const run = async ({ dir: cwd, plan, inputs, cancelled }: Job): Promise<Seen> => {
    repository(cwd, { '.github/workflows/release.yml': workflow(inputs), 'plan.yaml': plan });
    git(cwd, 'remote', 'add', 'origin', 'https://github.com/acme/shop.git');
    const here = ['-P', 'ubuntu-latest=-self-hosted', '--local-repository', `acme/headgate@v1=${action}`];
    const env = {
      ...process.env,
      PATH: [dirname(process.execPath), process.env['PATH']].join(':'),
      HOME: home,
      XDG_CACHE_HOME: home,
      XDG_CONFIG_HOME: home,
    };
    const by = { when: cancelled, by: (child: { kill(signal: 'SIGINT'): unknown }): void => void child.kill('SIGINT') };
    const text = await said([act, 'push', '--json', '--no-cache-server', ...here], { cwd, env }, by);
    return seen(text);
  };
  return { name: `act ${VERSION}`, run };
}

type Line = Readonly<Record<'command' | 'name' | 'arg' | 'content' | 'msg' | 'stepResult' | 'jobResult', string | undefined>> & {
  readonly stepID?: readonly string[];
};

function seen(text: string): Seen {
  const lines = text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
  const output = (name: string): string => lines.find((line) => line.command === 'set-output' && line.name === name)?.arg ?? '';
  const [exit, url] = [output('exit-code'), output('url')];
  const code = exit === '' ? null : Number(exit);
  const step = lines.find((line) => line.stepID?.[0] === 'headgate' && line.stepResult)?.stepResult;
  const job = lines.find((line) => line.jobResult)?.jobResult;
  const summary = lines.find((line) => line.command === 'summary')?.content ?? '';
  const result = code === 0 ? 'success' : 'failure';
  return {
    code,
    text,
    wrong: [
      ...(step === result && job === result ? [] : [`the step is a ${step} and the job a ${job}, not a ${result}`]),
      ...(lines.some(({ msg }) => msg?.trim() === `later ${exit} ${url}`.trim())
        ? []
        : ['a later step does not see the outputs']),
      ...(code === null || summary.includes(url) ? [] : [`the summary does not link to the release: ${summary}`]),
      ...(text.includes('\\u001b[2K') ? ['its log is drawn over'] : []),
    ],
  };
}
