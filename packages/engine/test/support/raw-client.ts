import { connect, type Socket } from 'node:net';
import { type Document, deserialize, serialize } from 'bson';
import type { OpMsg } from '../../src/wire/message.ts';
import { MessageFramer } from '../../src/wire/message-framer.ts';
import { readOpMsg, writeOpMsg } from '../../src/wire/op-msg.ts';

/** A reply as it came, its flags beside what it says. */
export interface RawReply {
  readonly message: OpMsg;
  readonly body: Document;
}

/** Sends commands exactly as they are written, without a driver's own fields. */
export class RawClient {
  readonly #socket: Socket;
  readonly #framer = new MessageFramer();
  readonly #waiting: ((reply: RawReply) => void)[] = [];
  readonly #unread: RawReply[] = [];
  #lastId = 0;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => {
      for (const bytes of this.#framer.push(chunk)) {
        const message = readOpMsg(bytes);
        const reply = { message, body: deserialize(message.body, { useBigInt64: true }) };
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#unread.push(reply);
        else waiting(reply);
      }
    });
  }

  async command(database: string, command: Document): Promise<Document> {
    this.send(database, command);
    return (await this.receive()).body;
  }

  /** @returns the id of the message */
  send(database: string, command: Document, flags: { exhaustAllowed?: boolean } = {}): number {
    this.#lastId += 1;
    const body = serialize({ ...command, $db: database });
    this.#socket.write(writeOpMsg({ requestId: this.#lastId, responseTo: 0, body, ...flags }));
    return this.#lastId;
  }

  /** The next reply, whatever it answers. */
  receive(): Promise<RawReply> {
    const unread = this.#unread.shift();
    if (unread !== undefined) return Promise.resolve(unread);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Takes nothing off the socket until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }
}
