/** What the machine and the framework give at best: one hono route that answers a constant. A process of its own. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
const body = { id: 'x'.repeat(36), sentence: 'x'.repeat(1_500) };
app.get('/', (c) => c.json(body));
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send?.(port));
