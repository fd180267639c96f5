/** A real Prometheus, by the configuration of `docs/metrics/prometheus.md` at a quicker pace, and exporters for it to scrape. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { codeBlock, freePort, scratch, start, until } from './programs.ts';
import type { Program } from './programs.ts';

export type Exporter = {
  readonly target: string;
  /** What it exports, line by line. */
  text: string;
  close(): Promise<void>;
};

export async function exporter(text = ''): Promise<Exporter> {
  const made = { text };
  const server = createServer(
    (_, answer) => void answer.setHeader('content-type', 'text/plain; version=0.0.4').end(`${made.text}\n`),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(made, {
    target: `127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close').catch(() => {});
    },
  });
}

export type RealPrometheus = {
  readonly url: string;
  /** PEM, when it was started with TLS. */
  readonly ca: string;
  program(): Program;
  /** Ends it, and starts it again on the same data. */
  startAgain(): Promise<void>;
  close(): Promise<void>;
};

export type PrometheusWish = {
  readonly targets: readonly string[];
  readonly scrapeEvery?: string;
  /** TLS with a certificate of its own, and the user `headgate` with the password `secret`. */
  readonly isSecured?: boolean;
  /** Native histograms, which it has to be told to take. */
  readonly hasNatives?: boolean;
};

/** `secret`, hashed as Prometheus wants it. */
const SECRET = '$2b$04$hoM/VeX94vgR14nmOP1YAepqDslsQR9EJbmS8ONrFbcxwo1beTGqW';

export async function realPrometheus({
  targets,
  scrapeEvery = '200ms',
  isSecured = false,
  hasNatives = false,
}: PrometheusWish): Promise<RealPrometheus> {
  const { dir, remove } = scratch('prometheus');
  const port = await freePort();
  const configuration = writeScrapes(dir, targets, scrapeEvery);
  execFileSync('promtool', ['check', 'config', configuration], { stdio: 'pipe' });
  const { args, ca } = isSecured ? secured(dir) : { args: [], ca: '' };
  const url = `${isSecured ? 'https' : 'http'}://127.0.0.1:${port}`;
  let program: Program;
  const startAgain = async (): Promise<void> => {
    program = start('prometheus', [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
      ...(hasNatives ? ['--enable-feature=native-histograms'] : []),
      ...args,
    ]);
    await until('Prometheus', () => isReady(url, program, isSecured), 60_000);
  };
  await startAgain();
  return {
    url,
    ca,
    program: () => program,
    startAgain,
    async close() {
      await program.kill();
      remove();
    },
  };
}

/** The page's own configuration, with these targets. */
export function writeScrapes(dir: string, targets: readonly string[], scrapeEvery: string): string {
  const file = join(dir, 'prometheus.yml');
  const page = codeBlock('metrics/prometheus.md', 'yaml').replace('5s', scrapeEvery);
  const lines = targets.map((target) => `      - targets: ['${target}']`).join('\n');
  writeFileSync(file, page.replace(/( {6}- targets: .*\n)+/, `${lines}\n`));
  return file;
}

async function isReady(url: string, program: Program, isSecured: boolean): Promise<boolean> {
  if (program.child.exitCode !== null) throw new Error(`prometheus ended: ${program.said()}`);
  if (isSecured) return /Server is ready|TLS is enabled/.test(program.said()) || program.said() === '' ? isListening(url) : false;
  const answer = await fetch(`${url}/-/ready`).catch(() => null);
  return answer?.ok ?? false;
}

/** A TLS server that refuses our plain certificate check listens all the same. */
const isListening = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    (error: unknown) => error instanceof Error && !String(error.cause).includes('ECONNREFUSED'),
  );

function secured(dir: string): { readonly args: readonly string[]; readonly ca: string } {
  const [key, cert, web] = [join(dir, 'key.pem'), join(dir, 'cert.pem'), join(dir, 'web.yml')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
    ].concat(['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']),
    { stdio: 'pipe' },
  );
  writeFileSync(web, `tls_server_config: { cert_file: ${cert}, key_file: ${key} }\nbasic_auth_users: { headgate: ${SECRET} }\n`);
  return { args: [`--web.config.file=${web}`], ca: readFileSync(cert, 'utf8') };
}
