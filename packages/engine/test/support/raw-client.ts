import { connect, type Socket } from 'node:net';
import { type Document, deserialize, serialize } from 'bson';
import { MessageFramer } from '../../src/wire/message-framer.ts';
import { readOpMsg, writeOpMsg } from '../../src/wire/op-msg.ts';

/** Sends commands exactly as they are written, without a driver's own fields. */
export class RawClient {
  readonly #socket: Socket;
  readonly #framer = new MessageFramer();
  readonly #waiting: ((reply: Document) => void)[] = [];
  #lastId = 0;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => {
      for (const message of this.#framer.push(chunk)) {
        this.#waiting.shift()?.(deserialize(readOpMsg(message).body));
      }
    });
  }

  command(database: string, command: Document): Promise<Document> {
    this.#lastId += 1;
    const body = serialize({ ...command, $db: database });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(writeOpMsg({ requestId: this.#lastId, responseTo: 0, body }));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
