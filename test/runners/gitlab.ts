/** The GitLab component by gitlab-ci-local: it reads pipelines and components as GitLab does, and runs jobs in a shell. */
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { fromNpm } from '../real/installed.ts';
import { git, repository, said } from './runner.ts';
import type { Inputs, Job, Runner, Seen } from './runner.ts';

const VERSION = '4.75.1';
const root = resolve(import.meta.dirname, '../..');

const pipeline = (inputs: Inputs): string => `include:
  - component: $CI_SERVER_FQDN/platform/headgate/headgate@1.0.0
    inputs: ${JSON.stringify(inputs)}
after: { stage: .post, script: [echo the pipeline goes on] }
`;

export async function gitlabRunner(dir: string): Promise<Runner> {
  const main = await fromNpm({ name: 'gitlab-ci-local', version: VERSION, file: 'dist/index.js' });
  const [projects, bin] = [join(dir, 'platform'), join(dir, 'bin')];
  const component = join(projects, 'headgate.git');
  cpSync(join(root, 'deploy/gitlab'), component, { recursive: true });
  repository(component, {});
  git(component, 'tag', '1.0.0');
  mkdirSync(bin);
  symlinkSync(join(root, 'src/headgate.mjs'), join(bin, 'headgate'));
  const env = {
    ...process.env,
    PATH: [bin, dirname(process.execPath), process.env['PATH']].join(':'),
    FORCE_COLOR: '0',
    // Where the component's project is fetched from.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.file://${projects}/.insteadOf`,
    GIT_CONFIG_VALUE_0: 'https://gitlab.example/platform/',
  };
  const run = async ({ dir: cwd, plan, inputs, cancelled }: Job): Promise<Seen> => {
    repository(cwd, { '.gitlab-ci.yml': pipeline(inputs), 'plan.yaml': plan });
    git(cwd, 'remote', 'add', 'origin', 'https://gitlab.example/acme/shop.git');
    git(cwd, 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
    // The job is in its group, and is ended with it, as by a runner.
    const by = ({ pid = 0 }: { readonly pid?: number | undefined }): void => void process.kill(-pid, 'SIGTERM');
    const argv = [process.execPath, main, '--force-shell-executor', '--home', dir] as const;
    const text = await said([...argv], { cwd, env, detached: true }, { when: cancelled, by });
    const { code, wrong } = seen(text);
    const isRefused = text.includes('This GitLab CI configuration is invalid');
    const unexplained = code === null && cancelled === null && !isRefused ? ['it neither runs nor says what is wrong'] : [];
    return { code, text, wrong: [...wrong, ...unexplained] };
  };
  return { name: `gitlab-ci-local ${VERSION}`, run };
}

/** What is allowed to fail is a warning. Only there a later job tells something: this runner goes on after other codes, too. */
function seen(text: string): Omit<Seen, 'text'> {
  const ended = /^headgate\s+finished in .*?(?:(FAIL|WARN) (\d+))?\s*$/m.exec(text);
  const code = ended === null ? null : Number(ended[2] ?? 0);
  const isAllowed = code === EXIT.timedOut || code === EXIT.waitingForPerson;
  const expected = code === null || code === 0 ? undefined : isAllowed ? 'WARN' : 'FAIL';
  const mustGoOn = code === 0 || isAllowed;
  return {
    code,
    wrong: [
      ...(ended?.[1] === expected ? [] : [`the job is marked ${ended?.[1]}, not ${expected}`]),
      ...(mustGoOn && !text.includes('> the pipeline goes on') ? [`the pipeline ends after ${code}`] : []),
    ],
  };
}
