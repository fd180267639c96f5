/**
 * The console's pages: built files, read once, under a policy that lets them talk to nobody but us. The files have their
 * content in their name and may be kept for ever; the page that names them may not.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { permit } from './permission.ts';

const DIST = fileURLToPath(new URL('../../web/dist', import.meta.url));

/** Addresses that are pages; every other one is the API's, or nothing. */
const PAGES = ['/', '/releases/:id', '/new', '/history', '/audit', '/connections', '/deliveries', '/tokens'];

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Headgate</title>
<h1>The console is not built</h1>
<p>Headgate runs, and its API and command line work. Build the pages with <code>npm run build:console</code>, then start it
again; <code>npm start</code> does both.</p></html>`;

type File = { readonly type: string; readonly plain: Uint8Array<ArrayBuffer>; readonly packed: Uint8Array<ArrayBuffer> };

/** For a person who followed a wrong address: the console says so, and shows the way to its pages. Null for programs. */
export function missingPage(folder = DIST): (c: Context) => Response | null {
  const page = indexOf(folder);
  return (c) => {
    const wantsPage = c.req.method === 'GET' && /\btext\/html\b/.test(c.req.header('accept') ?? '');
    if (!wantsPage || page === null || /^\/(v1|ofrep|console)\//.test(c.req.path)) return null;
    c.status(404);
    return send(c, page, 'no-cache');
  };
}

export function consoleRoutes(folder = DIST): Hono {
  const app = new Hono();
  const assets = join(folder, 'console');
  for (const name of existsSync(assets) ? readdirSync(assets) : []) {
    const file = fileOf(join(assets, name));
    app.get(`/console/${name}`, permit('anyone'), (c) => send(c, file, 'public, max-age=31536000, immutable'));
  }
  const page = indexOf(folder);
  for (const path of PAGES) app.get(path, permit('anyone'), (c) => (page ? send(c, page, 'no-cache') : c.html(NOT_BUILT, 503)));
  return app;
}

function indexOf(folder: string): File | null {
  const index = join(folder, 'index.html');
  return existsSync(index) ? fileOf(index) : null;
}

function fileOf(path: string): File {
  const plain = readFileSync(path);
  return { type: TYPES[extname(path)] ?? 'application/octet-stream', plain, packed: gzipSync(plain, { level: 9 }) };
}

function send(c: Context, { type, plain, packed }: File, kept: string): Response {
  c.header('content-type', type);
  c.header('cache-control', kept);
  c.header('vary', 'accept-encoding');
  if (!/\bgzip\b/.test(c.req.header('accept-encoding') ?? '')) return c.body(plain);
  c.header('content-encoding', 'gzip');
  return c.body(packed);
}
