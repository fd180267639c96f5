/**
 * A TCP proxy that makes a link bad: late, slow, cut in pieces, silent, reset, or gone. What it does can change at any
 * moment, and holds for the connections that are open as well as for new ones.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, NetConnectOpts, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Fault =
  | { readonly kind: 'none' }
  /** Every piece comes later by so much, both ways. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Nobody listens. */
  | { readonly kind: 'down' }
  /** So many bytes a second. */
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number }
  /** The end of a connection comes later. */
  | { readonly kind: 'slow_close'; readonly ms: number }
  /** Takes everything, answers nothing, and hangs up after so long (0: never). */
  | { readonly kind: 'timeout'; readonly ms: number }
  /** A connection is reset so long after it began. */
  | { readonly kind: 'reset'; readonly ms: number }
  /** Pieces of so many bytes, with a pause between them. */
  | { readonly kind: 'slicer'; readonly bytes: number; readonly ms: number }
  /** Ends after so many bytes of the answer. */
  | { readonly kind: 'limit'; readonly bytes: number };

export type FaultProxy = { readonly port: number; set(fault: Fault): void; close(): Promise<void> };

export async function faultProxy(to: NetConnectOpts): Promise<FaultProxy> {
  let fault: Fault = { kind: 'none' };
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    open.add(near);
    near.on('error', () => near.destroy());
    near.on('close', () => open.delete(near));
    if (fault.kind === 'down') return void near.resetAndDestroy();
    const far = connect({ ...to, allowHalfOpen: true });
    far.on('error', () => near.resetAndDestroy());
    near.on('close', () => far.destroy());
    if (fault.kind === 'reset') setTimeout(() => near.resetAndDestroy(), fault.ms);
    if (fault.kind === 'timeout' && fault.ms > 0) setTimeout(() => near.destroy(), fault.ms);
    void pump(near, far, () => fault, 'there');
    void pump(far, near, () => fault, 'back');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    set(next) {
      fault = next;
      // Who was let in before the link went down is cut off with it.
      if (next.kind === 'down') for (const socket of open) socket.resetAndDestroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close').catch(() => {});
    },
  };
}

/** One direction of one connection. */
async function pump(from: Socket, to: Socket, faultNow: () => Fault, way: 'there' | 'back'): Promise<void> {
  let passed = 0;
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      const fault = faultNow();
      for (const piece of piecesOf(chunk, fault)) {
        if (to.destroyed) return; // what drips for minutes would outlive everybody who waits for it
        if (!(await mayPass(piece, fault))) continue;
        if (fault.kind === 'limit' && way === 'back' && fault.bytes < passed + piece.length) {
          to.write(piece.subarray(0, Math.max(0, fault.bytes - passed)));
          return void to.destroySoon();
        }
        passed += piece.length;
        if (!to.destroyed) to.write(piece);
      }
    }
    const fault = faultNow();
    if (fault.kind === 'slow_close') await sleep(fault.ms);
    if (fault.kind !== 'timeout') to.end();
  } catch {
    to.destroy();
  }
}

function piecesOf(chunk: Buffer, fault: Fault): readonly Buffer[] {
  if (fault.kind !== 'slicer') return [chunk];
  const pieces: Buffer[] = [];
  for (let at = 0; at < chunk.length; at += fault.bytes) pieces.push(chunk.subarray(at, at + fault.bytes));
  return pieces;
}

async function mayPass(piece: Buffer, fault: Fault): Promise<boolean> {
  if (fault.kind === 'latency' || fault.kind === 'slicer') await sleep(fault.ms);
  if (fault.kind === 'bandwidth') await sleep((piece.length / fault.bytesPerSecond) * 1000);
  return fault.kind !== 'timeout';
}
