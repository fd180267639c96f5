/** The status page, served from files beside the sources under a policy that lets it talk to nobody but us. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { permit } from './permission.ts';

const WEB = fileURLToPath(new URL('../../web', import.meta.url));

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/console/status.css': ['status.css', 'text/css; charset=utf-8'],
  '/console/status.js': ['status.js', 'text/javascript; charset=utf-8'],
} as const;

export function consoleRoutes(): Hono {
  const app = new Hono();
  for (const [path, [file, type]] of Object.entries(FILES)) {
    const body = readFileSync(`${WEB}/${file}`, 'utf8');
    app.get(path, permit('anyone'), (c) => c.body(body, 200, { 'content-type': type, 'cache-control': 'no-cache' }));
  }
  return app;
}
