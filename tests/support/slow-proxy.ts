/** A TCP proxy that delays or swallows what passes: a slow member, or one that hangs, without the kernel's help. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { pause } from './cluster.ts';

export class SlowProxy {
  /** Each chunk waits this long, in both directions. */
  delayMs = 0;
  readonly port: number;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private resume: (() => void) | undefined;
  private stalled: Promise<void> | undefined;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
  }

  /** Listens on a free port, and connects to `targetPort` for each client. */
  static open(targetPort: number): Promise<SlowProxy> {
    return new Promise((resolve, reject) => {
      const server = createServer((client) => proxy?.join(client, targetPort));
      let proxy: SlowProxy | undefined;
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        proxy = new SlowProxy(server, port);
        resolve(proxy);
      });
    });
  }

  /** Nothing passes from now on; connections stay open, and new ones are accepted. */
  stall(): void {
    this.stalled ??= new Promise((resolve) => {
      this.resume = resolve;
    });
  }

  /** What was held back passes, and all that follows. */
  flow(): void {
    this.resume?.();
    this.stalled = undefined;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(client: Socket, targetPort: number): void {
    const target = connect(targetPort, '127.0.0.1');
    for (const socket of [client, target]) this.sockets.add(socket);
    void this.pass(client, target);
    void this.pass(target, client);
  }

  private async pass(from: Socket, to: Socket): Promise<void> {
    from.on('error', () => {});
    try {
      for await (const chunk of from) {
        if (this.delayMs > 0) await pause(this.delayMs);
        await this.stalled;
        if (!to.write(chunk)) await new Promise((resolve) => to.once('drain', resolve));
      }
    } catch {
      // a cut on one side is a cut on the other
    }
    to.destroy();
    this.sockets.delete(from);
  }
}
