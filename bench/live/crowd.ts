/**
 * Users of many shops at once, at a steady rate each, whatever comes back: plain sockets, one request at a time on each, so
 * that thousands a second fit into one process. They count what they were given, by shop and version.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export type CrowdWish = { readonly ports: readonly number[]; readonly perSecond: number };
/** By shop: answers of each version, errors among them, and how many got no answer of any. */
export type CrowdCount = { readonly v1: number; readonly v2: number; readonly errorsOfV2: number; readonly lost: number };

const { ports, perSecond } = JSON.parse(process.argv[2] ?? '{}') as CrowdWish;
const counts = ports.map(() => ({ v1: 0, v2: 0, errorsOfV2: 0, lost: 0 }));
const REQUEST = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n';

function visitor(port: number, count: (typeof counts)[number]): () => void {
  const idle: Socket[] = [];
  const open = (): Socket => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
      if (!text.endsWith('ok') && !text.endsWith('0\r\n\r\n')) return;
      const version = /x-version: (v\d)/i.exec(text)?.[1];
      if (version === 'v1') count.v1++;
      else if (version === 'v2') {
        count.v2++;
        if (text.startsWith('HTTP/1.1 5')) count.errorsOfV2++;
      } else count.lost++;
      text = '';
      idle.push(socket);
    });
    socket.on('error', () => count.lost++);
    return socket;
  };
  return () => {
    let socket = idle.pop();
    while (socket?.destroyed) socket = idle.pop();
    (socket ?? open()).write(REQUEST);
  };
}

const visitors = ports.map((port, index) => visitor(port, counts[index] ?? { v1: 0, v2: 0, errorsOfV2: 0, lost: 0 }));
const bornMs = performance.now();
let sent = 0;
setInterval(() => {
  const owed = Math.floor(((performance.now() - bornMs) / 1000) * perSecond) - sent;
  for (let n = 0; n < Math.min(owed, perSecond); n++) for (const visit of visitors) visit();
  sent += owed;
}, 5);
process.on('message', () => process.send?.(counts));
