/** What an operator says of one HAProxy, or of several that serve as one, in `headgate.yaml`. */
import { z } from 'zod';
import { strict } from '../../../contract/values.ts';

/** Everything that is put into a command line: no blank, no semicolon, no backslash, so that nobody adds a command. */
const WORD = /^[A-Za-z0-9._:@/-]{1,200}$/;
const word = (what: string) => z.string().regex(WORD, `${what} of letters, digits and . _ : @ / -`);

const node = z
  .string()
  .regex(/^(unix:\/[^\s;]+|tcp:[^\s:;]+:\d{1,5})$/, 'unix:/path/to/stats.sock, or tcp:host:port of a stats socket on loopback');

const slot = strict({
  /** The backend that serves the slot, in the map form; `<route>_<slot>` when it is left out. */
  backend: word('a backend').optional(),
  /** The slot's servers in the route's backend, in the form with server weights. */
  servers: z.array(word('a server')).min(1, 'at least one server').max(100, '100 servers at most').optional(),
  /** Told by PUT `{"fenced":true}` to fail its health checks while a node that should send it nothing cannot be reached. */
  fence: z.url({ protocol: /^https?$/, error: 'an address that takes a PUT, such as http://10.0.0.2:8080/fence' }).optional(),
});

const route = strict({
  /** One backend whose servers belong to two slots: the split is by server weights, not by the map. */
  backend: word('a backend').optional(),
  slots: z
    .record(word('a slot'), slot)
    .refine((slots) => Object.keys(slots).length === 2, 'exactly two slots, such as blue and green'),
}).superRefine(({ backend, slots }, issues) => {
  for (const [name, { servers, backend: own }] of Object.entries(slots)) {
    const path = ['slots', name];
    if (backend !== undefined && servers === undefined)
      issues.addIssue({ code: 'custom', path: [...path, 'servers'], message: `the slot's servers in the backend ${backend}` });
    if (backend === undefined && servers !== undefined)
      issues.addIssue({ code: 'custom', path: ['backend'], message: 'servers split one backend by weight: name that backend' });
    if (backend !== undefined && own !== undefined)
      issues.addIssue({ code: 'custom', path: [...path, 'backend'], message: 'the route names one backend for both slots' });
  }
});

export const haproxyOptions = strict({
  type: z.literal('haproxy'),
  nodes: z.array(node).min(1, 'at least one node').max(50, '50 nodes at most'),
  /** The map file by the name that HAProxy's configuration gives it: it is how the map is addressed in memory. */
  map: word('a path').optional(),
  /** The same file as this machine sees it: the stable state is kept in it, for the next start of HAProxy. */
  bootFile: z.string().startsWith('/', 'an absolute path').optional(),
  routes: z.record(word('a route'), route).default({}),
  /** How clients stick: `hash` where the frontend splits by a hash, `cookie` where a backend inserts one. */
  sticky: z.enum(['none', 'hash', 'cookie'], 'none, hash or cookie').default('none'),
  /** How long one node may take to answer one command. */
  nodeTimeoutMs: z.number().int().min(50).max(10_000).default(1_000),
}).superRefine(({ map, bootFile, routes, nodes }, issues) => {
  const byMap = Object.values(routes).filter(({ backend }) => backend === undefined);
  if (map === undefined && (byMap.length > 0 || Object.keys(routes).length === 0))
    issues.addIssue({ code: 'custom', path: ['map'], message: 'the map file of the split, such as /etc/haproxy/weights.map' });
  if (map === undefined && bootFile !== undefined)
    issues.addIssue({ code: 'custom', path: ['bootFile'], message: 'belongs to the form with a map' });
  if (new Set(nodes).size < nodes.length) issues.addIssue({ code: 'custom', path: ['nodes'], message: 'a node is there twice' });
});

export type HaproxyOptions = z.output<typeof haproxyOptions>;
export type HaproxyRoute = z.output<typeof route>;

/** What keeps a name from becoming part of another command. */
export const isWord = (text: string): boolean => WORD.test(text);
