import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { LineSink } from './log.ts';

const FLUSH_AFTER_MS = 100;
const FLUSH_AT_LENGTH = 16 * 1024;

/**
 * Gathers lines and writes them in one go, at the latest 100 ms later or at exit: a line for each request
 * must not cost a system call for each request.
 */
export class BufferedSink implements LineSink {
  #pending = '';
  #timer: NodeJS.Timeout | undefined;
  readonly #writeOut: (text: string) => void;

  constructor(writeOut: (text: string) => void) {
    this.#writeOut = writeOut;
    process.once('exit', () => this.flushSync());
  }

  write(line: string): void {
    this.#pending += line;
    if (this.#pending.length > FLUSH_AT_LENGTH) this.flushSync();
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.flushSync(), FLUSH_AFTER_MS);
      this.#timer.unref();
    }
  }

  flushSync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    this.#writeOut(text);
  }
}

/** Standard output; a closed or full pipe never stops the server. */
export function createConsoleSink(): BufferedSink {
  return new BufferedSink((text) => writeAll(1, text));
}

const ROLL_AT_BYTES = 5 * 1024 * 1024;

/** A file that is moved aside, compressed, at 5 MB: `<file>-<n>.log.gz` (operations.md §4 has zip). */
export function createFileSink(path: string): BufferedSink {
  let file = openSync(path, 'a');
  let size = fstatSync(file).size;
  return new BufferedSink((text) => {
    writeAll(file, text);
    size += Buffer.byteLength(text);
    if (size < ROLL_AT_BYTES) return;
    closeSync(file);
    roll(path);
    file = openSync(path, 'a');
    size = 0;
  });
}

function roll(path: string): void {
  let n = 1;
  while (existsSync(`${path}-${n}.log.gz`)) n += 1;
  const aside = `${path}-${n}.log`;
  renameSync(path, aside);
  writeFileSync(`${aside}.gz`, gzipSync(readFileSync(aside)));
  rmSync(aside);
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  let offset = 0;
  for (let attempt = 0; offset < bytes.length && attempt < 1000; attempt += 1) {
    try {
      offset += writeSync(file, bytes, offset);
    } catch (error) {
      // a pipe that is full says EAGAIN: try again; anything else (EPIPE) gives the text up
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
  }
}
