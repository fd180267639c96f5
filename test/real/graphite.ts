/** A real Carbon and Graphite's web part before it, by the configuration of `docs/metrics/graphite.md`. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeBlock, freePort, scratch, start, until } from './programs.ts';

export type RealGraphite = {
  readonly url: string;
  /** Lines of its plain protocol: a path, a value, seconds since 1970. */
  send(lines: readonly string[]): Promise<void>;
  /** The JSON of a target over the last minutes. */
  render(target: string): Promise<string>;
  close(): Promise<void>;
};

export async function realGraphite(): Promise<RealGraphite> {
  const { dir, remove } = scratch('graphite');
  const [line, pickle, query, web] = [await freePort(), await freePort(), await freePort(), await freePort()];
  for (const folder of ['whisper', 'log', 'conf']) mkdirSync(join(dir, folder));
  const conf = join(dir, 'conf');
  const on = (name: string, port: number): string => `${name}_INTERFACE = 127.0.0.1\n${name}_PORT = ${port}\n`;
  writeFileSync(
    join(conf, 'carbon.conf'),
    `[cache]
STORAGE_DIR = ${dir}
LOCAL_DATA_DIR = ${join(dir, 'whisper')}
CONF_DIR = ${conf}
LOG_DIR = ${join(dir, 'log')}
PID_DIR = ${dir}
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
MIN_TIMESTAMP_RESOLUTION = 1
ENABLE_TAGS = True
TAG_UPDATE_INTERVAL = 1
GRAPHITE_URL = http://127.0.0.1:${web}
${on('LINE_RECEIVER', line)}${on('PICKLE_RECEIVER', pickle)}${on('CACHE_QUERY', query)}`,
  );
  writeFileSync(join(conf, 'storage-schemas.conf'), codeBlock('metrics/graphite.md', 'ini-schemas'));
  writeFileSync(join(conf, 'storage-aggregation.conf'), codeBlock('metrics/graphite.md', 'ini-aggregation'));
  writeFileSync(
    join(dir, 'headgate_graphite.py'),
    `SECRET_KEY = 'for tests'
ALLOWED_HOSTS = ['*']
STORAGE_DIR = '${dir}'
CONF_DIR = '${conf}'
LOG_DIR = '${join(dir, 'log')}'
WHISPER_DIR = '${join(dir, 'whisper')}'
STANDARD_DIRS = ['${join(dir, 'whisper')}']
INDEX_FILE = '${join(dir, 'index')}'
CARBONLINK_HOSTS = ['127.0.0.1:${query}']
TAGDB_CACHE_DURATION = 0
LOG_ROTATION = False
DATABASES = {'default': {'NAME': '${join(dir, 'graphite.db')}', 'ENGINE': 'django.db.backends.sqlite3'}}
`,
  );
  const env = { ...process.env, PYTHONPATH: dir, GRAPHITE_SETTINGS_MODULE: 'headgate_graphite', PYTHONWARNINGS: 'ignore' };
  await promisify(execFile)('graphite-manage', ['migrate', '--run-syncdb', '-v', '0'], { env });
  const carbon = start('carbon-cache', ['--nodaemon', `--config=${join(conf, 'carbon.conf')}`, 'start'], { env });
  const django = start('graphite-manage', ['runserver', '--noreload', '--insecure', `127.0.0.1:${web}`], { env });
  const url = `http://127.0.0.1:${web}`;
  const send = async (lines: readonly string[]): Promise<void> => {
    const socket = connect(line, '127.0.0.1');
    socket.end(`${lines.join('\n')}\n`);
    await once(socket, 'close');
  };
  const close = async (): Promise<void> => {
    await Promise.all([carbon.kill(), django.kill()]);
    remove();
  };
  const render = async (target: string): Promise<string> => {
    const asked = new URLSearchParams({ target, format: 'json', from: '-3min', noCache: '1' }).toString();
    const answer = await fetch(`${url}/render?${asked}`);
    return answer.text();
  };
  try {
    await until('Graphite', async () => {
      for (const program of [carbon, django]) if (program.child.exitCode !== null) throw new Error(`it ended: ${program.said()}`);
      return (await fetch(`${url}/render?target=x&format=json`).catch(() => null))?.ok ?? false;
    });
    await until('Carbon', () =>
      send(['carbon.up 1 1'])
        .then(() => true)
        .catch(() => false),
    );
  } catch (error) {
    await close();
    throw error;
  }
  return { url, send, render, close };
}
