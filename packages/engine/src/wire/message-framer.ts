import { HEADER_BYTES, MAX_MESSAGE_BYTES, WireProtocolError } from './message.ts';

/**
 * Cuts a byte stream into whole messages. Chunks are joined only once a message is complete, so a
 * message that arrives in many pieces is copied once and not once per piece.
 */
export class MessageFramer {
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #needBytes = HEADER_BYTES;

  /**
   * The messages that `chunk` completes, in order.
   *
   * @throws WireProtocolError when a length prefix is impossible
   */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    const messages: Buffer[] = [];
    while (this.#bufferedBytes >= this.#needBytes) {
      const buffer = this.#join();
      const size = readSize(buffer);
      if (buffer.length < size) {
        this.#needBytes = size;
        break;
      }
      messages.push(buffer.subarray(0, size));
      this.#reset(buffer.subarray(size));
    }
    return messages;
  }

  /** Bytes of an incomplete message held back. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  #join(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks, this.#bufferedBytes);
    this.#chunks = [joined];
    return joined;
  }

  #reset(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#bufferedBytes = rest.length;
    this.#needBytes = HEADER_BYTES;
  }
}

function readSize(buffer: Buffer): number {
  const size = buffer.readInt32LE(0);
  if (size < HEADER_BYTES || size > MAX_MESSAGE_BYTES) {
    throw new WireProtocolError(`message of ${size} bytes`);
  }
  return size;
}
