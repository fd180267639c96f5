/**
 * Tests about the code itself. The floors of `docs/architecture.md` are enforced here and not by good will: a file may
 * import its own folder and any lower floor, nothing else.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const under = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => join(folder, file));

const sources = under('src', /\.ts$/).filter((file) => !/\.(test|fixtures)\.ts$/.test(file));

/** `[floor, room]`: what is on one floor in different rooms does not see each other. */
function place(file: string): readonly [number, string] {
  const path = relative('src', file);
  const rooms: readonly (readonly [string, number, string])[] = [
    ['demo/', 6, 'top'],
    ['http/', 5, 'http'],
    ['scheduler/', 5, 'scheduler'],
    ['cli/', 5, 'cli'],
    ['controller/', 4, 'controller'],
    ['adapters/', 4, 'adapters'],
    ['store/', 4, 'store'],
    ['ports/', 3, 'ports'],
    ['contract/', 3, 'contract'],
    ['domain/', 2, 'domain'],
    ['lib/', 1, 'lib'],
  ];
  const found = rooms.find(([prefix]) => path.startsWith(prefix));
  return found ? [found[1], found[2]] : [6, 'top'];
}

const IMPORT = /^(?:import|export)\s(type\s)?[^;]*?from '([^']+)';/gm;
const importsOf = (file: string) =>
  [...read(file).matchAll(IMPORT)].map(([, type, from = '']) => ({ type: type !== undefined, from }));

describe('floors', () => {
  test.each(sources)('%s imports its own room and lower floors only', (file) => {
    const [floor, room] = place(file);
    const climbing = importsOf(file)
      .filter(({ from }) => from.startsWith('.'))
      .map(({ from, type }) => ({ target: relative(root, resolve(root, dirname(file), from)), type }))
      .filter(({ target, type }) => {
        const [targetFloor, targetRoom] = place(target);
        // The typed client of the command line may know the shapes that the API answers with.
        if (room === 'cli' && targetRoom === 'http' && type) return false;
        // Ports speak in domain words, contract in both; the two share a floor.
        return (
          targetFloor > floor ||
          (targetFloor === floor && targetRoom !== room && !(room === 'contract' && targetRoom === 'ports'))
        );
      });
    expect(climbing).toEqual([]);
  });

  test('the domain depends on nothing but itself and lib', () => {
    const foreign = sources
      .filter((file) => place(file)[1] === 'domain' || place(file)[1] === 'lib')
      .flatMap((file) =>
        importsOf(file)
          // A digest of bytes is arithmetic, and not for us to write.
          .filter(({ from }) => !from.startsWith('.') && !(place(file)[1] === 'lib' && from === 'node:crypto'))
          .map(({ from }) => `${file}: ${from}`),
      );
    expect(foreign).toEqual([]);
  });
});

describe('rules about the text', () => {
  const matches = (files: readonly string[], pattern: RegExp): string[] =>
    files.flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, index) =>
          pattern.test(line.replace(/\/\/.*$|^\s*\*.*$|\/\*\*.*\*\//, '')) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
        ),
    );
  const MAY_ASK_THE_MACHINE = /^src\/(adapters\/system|cli|demo)\/|^src\/(main|start|app)\.ts$/;

  test('time and chance are injected everywhere but at the top and in adapters/system', () => {
    const files = sources.filter((file) => !MAY_ASK_THE_MACHINE.test(file));
    expect(
      matches(
        files,
        /Date\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|setInterval\(|randomUUID|performance\.now|process\.env/,
      ),
    ).toEqual([]);
  });

  test('SQL and its drivers are in the store and nowhere else', () => {
    const files = sources.filter((file) => !file.startsWith('src/store/'));
    expect(
      matches(
        files,
        /drizzle-orm|better-sqlite3|\bsql`|\b(select|insert into|update|delete from)\b.*\b(from|values|set|where)\b/,
      ),
    ).toEqual([]);
  });

  test('no transaction of the store is asynchronous', () => {
    expect(matches(sources, /transaction\(\s*async/)).toEqual([]);
  });

  test('every file opens with what it is for', () => {
    expect(sources.filter((file) => !/^(#!.*\n)?\/\*\*/.test(read(file)))).toEqual([]);
  });

  test('no file is longer than 400 lines', () => {
    expect(sources.map((file) => [file, read(file).split('\n').length] as const).filter(([, lines]) => lines > 401)).toEqual([]);
  });

  test('nothing is left for later without an issue', () => {
    expect(
      matches([...sources, ...under('test', /\.ts$/).filter((file) => !file.endsWith('tidy.test.ts'))], /\b(TODO|FIXME|XXX)\b/),
    ).toEqual([]);
  });

  test('no file only passes on what others export', () => {
    const barrels = sources.filter((file) => /^export \* from/m.test(read(file)));
    expect(barrels).toEqual([]);
  });

  test('every export is used by another file', () => {
    const everything = new Map(
      [
        ...sources,
        ...under('test', /\.ts$/),
        ...under('src', /\.(test|fixtures)\.ts$/),
        ...under('bench', /\.ts$/),
        ...under('scripts', /\.ts$/),
        ...under('web/src', /\.tsx?$/),
        'drizzle.config.ts',
      ].map((file) => [file, read(file)]),
    );
    const unused = sources.flatMap((file) =>
      [...read(file).matchAll(/^export (?:async )?(?:declare )?(?:const|function|class|type)\s+(\w+)/gm)].flatMap(
        ([, name = '']) => {
          const word = new RegExp(`\\b${name}\\b`);
          const elsewhere = [...everything].some(([other, text]) => other !== file && word.test(text));
          return elsewhere ? [] : [`${file}: ${name}`];
        },
      ),
    );
    // A name that its own file uses is part of what it exports, though nobody else has to write it.
    const named = unused.filter((line) => {
      const [file = '', name = ''] = line.split(': ');
      return read(file).match(new RegExp(`\\b${name}\\b`, 'g'))?.length === 1;
    });
    expect(named).toEqual([]);
  });
});

describe('documents', () => {
  const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...under('docs', /\.md$/)];

  test('every link to a file leads to one', () => {
    const broken = documents.flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].flatMap(([, to = '']) =>
        existsSync(resolve(root, dirname(file), to)) ? [] : [`${file}: ${to}`],
      ),
    );
    expect(broken).toEqual([]);
  });

  test('the README names only scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...read('README.md').matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(named).toContain('demo');
  });

  test('decisions are numbered without gaps', () => {
    const numbers = under('docs/adr', /^\d{4}-.*\.md$/).map((file) => Number(/(\d{4})-/.exec(file)?.[1]));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
  });
});

describe('tools', () => {
  const bin = (name: string): string => join(root, 'node_modules/.bin', name);

  test('the types hold', async () => {
    for (const project of ['.', 'web'])
      await expect(run(bin('tsc'), ['-p', project], { cwd: root })).resolves.toMatchObject({ stdout: '' });
  });

  test('the linter has nothing to say', async () => {
    const { stdout } = await run(bin('oxlint'), ['--type-aware', '--deny-warnings'], { cwd: root }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toContain('Found 0 warnings and 0 errors');
  });

  test('everything is formatted', async () => {
    await expect(run(bin('oxfmt'), ['--check', 'src', 'test', 'scripts', 'bench', 'web'], { cwd: root })).resolves.toBeDefined();
  });
});
