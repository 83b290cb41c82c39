import type { Socket } from 'node:net';
import { encodeDocument, encodeDocumentAfter } from '../bson/codec.ts';
import type { Document } from '../bson/value.ts';
import { type CommandRequest, readCommandRequest } from '../commands/command-request.ts';
import type { Connection } from '../commands/connection.ts';
import type { CommandRunner } from '../commands/dispatch.ts';
import { DropConnection } from '../commands/fail-points.ts';
import type { Logger } from '../lib/logger.ts';
import { MAX_MESSAGE_BYTES, type OpMsg, type OpQuery, WireProtocolError } from '../wire/message.ts';
import { MessageFramer } from '../wire/message-framer.ts';
import { writeOpCompressed } from '../wire/op-compressed.ts';
import { OP_MSG_HEAD_BYTES, writeOpMsgHead } from '../wire/op-msg.ts';
import { writeOpReply } from '../wire/op-query.ts';
import { type ReceivedMessage, readMessage } from '../wire/read-message.ts';
import { isHello, nextRequest } from './exhaust.ts';

/** Commands whose messages must not be compressed (driver specification "OP_COMPRESSED"). */
const NEVER_COMPRESSED: ReadonlySet<string> = new Set([
  'hello',
  'isMaster',
  'ismaster',
  'saslStart',
  'saslContinue',
  'getnonce',
  'authenticate',
  'createUser',
  'updateUser',
  'copydbSaslStart',
  'copydbgetnonce',
  'copydb',
]);

/**
 * One client's connection: messages are answered in the order in which they came, and no more of them
 * are read while the client does not take its replies.
 */
export class ClientConnection implements Connection {
  readonly id: number;
  readonly remoteAddress: string;
  readonly isLocal: boolean;
  clientMetadata: Document | undefined;
  compressors: readonly string[] = [];
  user: Connection['user'];
  saslState: unknown;
  readonly #socket: Socket;
  readonly #dispatcher: CommandRunner;
  readonly #logger: Logger;
  readonly #framer = new MessageFramer();
  readonly #waiting: Buffer[] = [];
  #busy = false;
  #closed = false;
  #lastRequestId = 0;
  readonly #onClose: (connection: ClientConnection) => void;

  constructor(fields: {
    id: number;
    socket: Socket;
    dispatcher: CommandRunner;
    logger: Logger;
    onClose: (connection: ClientConnection) => void;
  }) {
    this.id = fields.id;
    this.#socket = fields.socket;
    this.#dispatcher = fields.dispatcher;
    this.#logger = fields.logger;
    this.#onClose = fields.onClose;
    const { remoteAddress, remotePort } = fields.socket;
    this.remoteAddress =
      remoteAddress === undefined ? 'anonymous unix socket' : `${remoteAddress}:${remotePort}`;
    this.isLocal =
      remoteAddress === undefined ||
      remoteAddress === '::1' ||
      remoteAddress.startsWith('127.') ||
      remoteAddress.startsWith('::ffff:127.');
    this.#listen();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get bytesIn(): number {
    return this.#socket.bytesRead;
  }

  get bytesOut(): number {
    return this.#socket.bytesWritten;
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#waiting.length = 0;
      this.#onClose(this);
    });
    socket.on('drain', () => {
      if (!this.#busy) this.#work();
    });
  }

  #receive(chunk: Buffer): void {
    try {
      this.#waiting.push(...this.#framer.push(chunk));
    } catch (error) {
      this.#reject(error);
      return;
    }
    if (this.#busy) {
      // what waits is bounded: the socket is not read further until it has been worked off
      if (this.#waiting.length > 0) this.#socket.pause();
      return;
    }
    this.#work();
  }

  /** Answers waiting messages until one of them takes its time. */
  #work(): void {
    this.#socket.cork();
    try {
      while (!this.#closed && this.#waiting.length > 0 && !this.#socket.writableNeedDrain) {
        const message = this.#waiting.shift();
        if (message === undefined) break;
        const answered = this.#answer(message);
        if (answered !== undefined) {
          this.#busy = true;
          answered.then(
            () => this.#resume(),
            (error: unknown) => this.#reject(error),
          );
          break;
        }
      }
    } catch (error) {
      this.#reject(error);
    } finally {
      this.#socket.uncork();
    }
    if (!this.#busy && this.#waiting.length === 0 && this.#socket.isPaused()) {
      this.#socket.resume();
    }
  }

  #resume(): void {
    this.#busy = false;
    if (this.#closed) return;
    this.#work();
    if (!this.#busy && this.#socket.isPaused() && !this.#socket.writableNeedDrain) {
      this.#socket.resume();
    }
  }

  #answer(message: Buffer): Promise<void> | undefined {
    const received = readMessage(message);
    if (received.request.kind === 'query') return this.#answerLegacy(received.request);
    return this.#answerMsg(received.request, received);
  }

  #answerMsg(message: OpMsg, received: ReceivedMessage): Promise<void> | undefined {
    let request: CommandRequest;
    try {
      request = readCommandRequest(message.body, message.sequences);
    } catch (error) {
      if (!message.moreToCome) {
        this.#send(message.requestId, this.#dispatcher.replyToUnreadable(error), false, false);
      }
      return undefined;
    }
    const compress =
      received.compressed && this.compressors.length > 0 && !NEVER_COMPRESSED.has(request.name);
    const finish = (document: Document): Promise<void> | undefined => {
      if (message.moreToCome || this.#closed) return undefined;
      const next = message.exhaustAllowed ? nextRequest(request, document) : undefined;
      const sent = this.#send(message.requestId, document, compress, next !== undefined);
      return next === undefined ? undefined : this.#stream(next, sent, compress);
    };
    const outcome = this.#dispatcher.run(this, request);
    if (outcome instanceof Promise) return outcome.then(finish);
    return finish(outcome);
  }

  /** Goes on answering one message, no faster than the client takes what is sent. */
  async #stream(first: CommandRequest, firstId: number, compress: boolean): Promise<void> {
    let responseTo = firstId;
    let request: CommandRequest | undefined = first;
    while (request !== undefined) {
      if (this.#socket.writableNeedDrain) await this.#drained();
      if (this.#closed) return;
      const document: Document = await this.#dispatcher.run(this, request);
      if (this.#closed) return;
      request = nextRequest(request, document);
      responseTo = this.#send(responseTo, document, compress, request !== undefined);
    }
  }

  #drained(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      const finish = (): void => {
        socket.off('drain', finish);
        socket.off('close', finish);
        resolve();
      };
      socket.on('drain', finish);
      socket.on('close', finish);
    });
  }

  #answerLegacy(query: OpQuery): Promise<void> | undefined {
    const [database = ''] = query.namespace.split('.', 1);
    const request = readCommandRequest(query.body, new Map(), database);
    const finish = (document: Document): undefined => {
      this.#lastRequestId += 1;
      this.#socket.write(
        writeOpReply({
          requestId: this.#lastRequestId,
          responseTo: query.requestId,
          body: encodeDocument(document),
        }),
      );
      return undefined;
    };
    if (!query.namespace.endsWith('.$cmd') || !isHello(request.name)) {
      throw new WireProtocolError(`unsupported OP_QUERY command: ${request.name}`);
    }
    const outcome = this.#dispatcher.run(this, request);
    return outcome instanceof Promise ? outcome.then(finish) : finish(outcome);
  }

  #send(responseTo: number, document: Document, compress: boolean, moreToCome: boolean): number {
    this.#lastRequestId = (this.#lastRequestId + 1) | 0;
    const message = encodeDocumentAfter(OP_MSG_HEAD_BYTES, document);
    writeOpMsgHead(message, { requestId: this.#lastRequestId, responseTo, moreToCome });
    if (message.length > MAX_MESSAGE_BYTES) throw new WireProtocolError('reply is too large');
    this.#socket.write(compress ? writeOpCompressed(message) : message);
    return this.#lastRequestId;
  }

  #reject(error: unknown): void {
    if (error instanceof WireProtocolError) {
      this.#logger.warn(
        { connection: this.id, remote: this.remoteAddress, reason: error.message },
        'closing a connection that broke the protocol',
      );
    } else if (!(error instanceof DropConnection)) {
      this.#logger.error({ connection: this.id, err: error }, 'connection failed');
    }
    this.#socket.destroy();
  }
}
