/**
 * Bytes between a producer and a slower consumer, in order, in constant memory. What does not fit into memory goes to a
 * temporary file, so that a consumer that begins only when the producer has ended keeps nobody waiting. Where no file can be
 * made, the producer waits.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READ_BYTES = 64 * 1024;

export class OverflowQueue {
  readonly #memoryBytes: number;
  readonly #openFile: () => Promise<FileHandle>;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #file: FileHandle | undefined;
  #isFileUsable = true;
  #written = 0;
  #read = 0;
  #isEnded = false;
  #failure: unknown;
  #isAbandoned = false;
  #wake: () => void = () => {};

  /** @param options - `openFile`: makes the temporary file */
  constructor(options: {
    readonly memoryBytes: number;
    readonly openFile?: () => Promise<FileHandle>;
  }) {
    this.#memoryBytes = options.memoryBytes;
    this.#openFile = options.openFile ?? openTemporaryFile;
  }

  /** True when nobody reads any more. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Adds bytes; one call at a time. */
  async write(piece: Buffer): Promise<void> {
    if (this.#isAbandoned) return;
    const fits = this.#waitingBytes + piece.length <= this.#memoryBytes;
    if (this.#file === undefined && (fits || !(await this.#prepareFile()))) {
      while (this.#waitingBytes > 0 && this.#waitingBytes + piece.length > this.#memoryBytes) {
        if (this.#isAbandoned) return;
        await this.#change();
      }
      this.#waiting.push(piece);
      this.#waitingBytes += piece.length;
    } else {
      await this.#file?.write(piece, 0, piece.length, this.#written);
      this.#written += piece.length;
    }
    this.#wake();
  }

  /** No more bytes; the consumer gets the failure, if there is one, after all of them. */
  end(failure?: unknown): void {
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake();
  }

  /** The bytes; to be read once. */
  read(): AsyncIterable<Buffer> {
    const pieces = this.#pieces();
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => pieces.next(),
        // also of a reader that leaves before the first piece
        return: async () => {
          await this.#abandon();
          return pieces.return(undefined);
        },
      }),
    };
  }

  async *#pieces(): AsyncGenerator<Buffer, undefined> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece !== undefined) {
        this.#waitingBytes -= piece.length;
        this.#wake();
        yield piece;
      } else if (this.#read < this.#written) {
        yield await this.#readFile();
      } else if (this.#isEnded) {
        await this.#abandon();
        if (this.#failure !== undefined) throw this.#failure;
        return undefined;
      } else {
        await this.#change();
      }
    }
  }

  async #abandon(): Promise<void> {
    this.#isAbandoned = true;
    this.#wake();
    const file = this.#file;
    this.#file = undefined;
    this.#isFileUsable = false;
    await file?.close();
  }

  async #readFile(): Promise<Buffer> {
    const length = Math.min(READ_BYTES, this.#written - this.#read);
    const buffer = Buffer.allocUnsafe(length);
    await this.#file?.read(buffer, 0, length, this.#read);
    this.#read += length;
    return buffer;
  }

  async #prepareFile(): Promise<boolean> {
    if (!this.#isFileUsable) return false;
    try {
      this.#file = await this.#openFile();
      return true;
    } catch {
      this.#isFileUsable = false;
      return false;
    }
  }

  /** Resolves when the other side has done something. */
  #change(): Promise<void> {
    const before = this.#wake;
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = () => {};
        before();
        resolve();
      };
    });
  }
}

/** Nobody else can open it: it has no name from the beginning, where the system allows that. */
async function openTemporaryFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `quorate-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path).catch(() => undefined);
  return file;
}
