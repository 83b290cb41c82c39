/**
 * A defect of the driver (7.9 and before): between a socket's end and its `close` event, Node's `write` gives false, the driver
 * waits for a `drain` that never comes, and the operation hangs for good, its place in the pool with it. Every lost primary
 * can do that to a request or two.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

interface DriverConnection {
  readonly socket: Pick<Socket, 'listenerCount' | 'emit'>;
}
interface DriverConnectionClass {
  readonly prototype: { cleanup(this: DriverConnection, error: Error): void };
}

let isMended = false;

/** From now on, connections that close wake who waits to write on them; the driver then sees the error and tries again. */
export function wakeWritersOfClosedSockets(): void {
  if (isMended) return;
  isMended = true;
  const require = createRequire(import.meta.url);
  // no public event of the driver tells of a connection together with its socket
  const { Connection } = require('mongodb/lib/cmap/connection.js') as {
    Connection: DriverConnectionClass;
  };
  const { cleanup } = Connection.prototype;
  Connection.prototype.cleanup = function wakeAfterCleanup(error) {
    cleanup.call(this, error);
    if (this.socket.listenerCount('drain') > 0) this.socket.emit('drain');
  };
}
