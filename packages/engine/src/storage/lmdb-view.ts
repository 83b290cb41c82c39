import type { Database } from 'lmdb';
import type { Counters, Entry, RangeOptions, ReadView, Table } from './store.ts';

/** An LMDB table with binary keys and values. */
export type LmdbTable = Database<Uint8Array, Uint8Array>;
export type LmdbTables = Readonly<Record<Table, LmdbTable>>;

/** A held read transaction, as `useReadTransaction` gives it. */
export type LmdbReadTransaction = ReturnType<LmdbTable['useReadTransaction']>;

/** lmdb keeps the size of the value it last read here; its types do not say so. */
interface SizedTable {
  readonly lastSize: number;
}

const FIRST_CHUNK = 16;
const MAX_CHUNK = 512;
const MAX_CHUNK_BYTES = 256 * 1024;
const NO_VALUE = new Uint8Array(0);
const NO_COUNTERS: Counters = { count: 0, bytes: 0 };

/** A copy from the buffer that lmdb uses again with the next read; half the price of getBinary. */
export function readValue(
  table: LmdbTable,
  key: Uint8Array,
  transaction?: LmdbReadTransaction,
): Uint8Array | undefined {
  const shared = table.getBinaryFast.call(
    table,
    key,
    // @ts-expect-error the types leave out the options that the implementation takes
    transaction === undefined ? undefined : { transaction },
  );
  if (shared === undefined) return undefined;
  const size = (table as unknown as SizedTable).lastSize;
  const copy = Buffer.allocUnsafe(size);
  // lmdb gives its buffer a length of its own, which `copy` stumbles over
  copy.set(new Uint8Array(shared.buffer, shared.byteOffset, size));
  return copy;
}

/** How lmdb's ranges turn its own buffers into keys and values; its types do not show it. */
interface RangeDecoding {
  readKey: (source: Uint8Array, start: number, end: number) => Uint8Array;
  decoder: { decode: (shared: Uint8Array, size: number) => Uint8Array };
  decoderCopies: boolean;
}

/**
 * Makes a table's ranges copy keys and values into memory from Node's pool: lmdb's own copies have
 * an ArrayBuffer each, which costs a third of a scan.
 */
export function copyFromPool(table: LmdbTable): void {
  let view: Uint8Array | undefined;
  const decoding: RangeDecoding = {
    readKey(source, start, end) {
      const key = Buffer.allocUnsafe(end - start);
      for (let at = start; at < end; at++) key[at - start] = source[at] as number;
      return key;
    },
    decoder: {
      decode(shared, size) {
        // one view of lmdb's buffer serves until lmdb takes a larger one
        if (view?.buffer !== shared.buffer || view.byteOffset !== shared.byteOffset) {
          view = new Uint8Array(shared.buffer, shared.byteOffset);
        }
        const value = Buffer.allocUnsafe(size);
        value.set(view.subarray(0, size));
        return value;
      },
    },
    decoderCopies: true,
  };
  Object.assign(table, decoding);
}

/** lmdb's range options; its types leave out `inclusiveEnd`. */
interface ChunkOptions {
  limit: number;
  values?: boolean;
  transaction?: LmdbReadTransaction;
  reverse?: boolean;
  start?: Uint8Array;
  exclusiveStart?: boolean;
  end?: Uint8Array;
  inclusiveEnd?: boolean;
}

function chunkOptions(
  options: RangeOptions,
  limit: number,
  transaction: LmdbReadTransaction | undefined,
): ChunkOptions {
  const chunk: ChunkOptions = { limit };
  if (options.keysOnly === true) chunk.values = false;
  if (transaction !== undefined) chunk.transaction = transaction;
  if (options.reverse === true) {
    // LMDB's reverse ranges start at the upper end
    chunk.reverse = true;
    if (options.end !== undefined) {
      chunk.start = options.end;
      chunk.exclusiveStart = true;
    }
    if (options.start !== undefined) {
      chunk.end = options.start;
      if (options.startExclusive !== true) chunk.inclusiveEnd = true;
    }
  } else {
    if (options.start !== undefined) chunk.start = options.start;
    if (options.startExclusive === true) chunk.exclusiveStart = true;
    if (options.end !== undefined) chunk.end = options.end;
  }
  return chunk;
}

/** Up to `limit` entries from the beginning of the range, copied. */
function readChunk(
  table: LmdbTable,
  options: RangeOptions,
  limit: number,
  transaction: LmdbReadTransaction | undefined,
): { entries: Entry[]; isLast: boolean } {
  const entries: Entry[] = [];
  const chunk = chunkOptions(options, limit, transaction);
  if (options.keysOnly === true) {
    for (const key of table.getKeys(chunk)) entries.push({ key, value: NO_VALUE });
    return { entries, isLast: entries.length < limit };
  }
  let bytes = 0;
  for (const entry of table.getRange(chunk)) {
    entries.push(entry);
    bytes += entry.value.length;
    if (bytes > MAX_CHUNK_BYTES) return { entries, isLast: false };
  }
  return { entries, isLast: entries.length < limit };
}

function isEmptyRange({ start, end }: RangeOptions): boolean {
  return start !== undefined && end !== undefined && Buffer.compare(start, end) >= 0;
}

/** Where a range's reads come from, and how to notice that they are outdated. */
export interface RangeSource {
  /** The held transaction to read in, asked for with each chunk. */
  readonly transaction?: () => LmdbReadTransaction | undefined;
  /** A number that grows with each commit. */
  readonly version?: () => number;
}

/**
 * The range in chunks, each of which is read at one time and copied. When a commit has come between
 * two steps, the rest of the chunk is read again: who walks a range slowly sees no stale entries.
 */
export function* readRange(
  table: LmdbTable,
  options: RangeOptions,
  source: RangeSource = {},
): Generator<Entry, void, undefined> {
  let rest = options;
  let limit = FIRST_CHUNK;
  while (!isEmptyRange(rest)) {
    const version = source.version?.();
    const { entries, isLast } = readChunk(table, rest, limit, source.transaction?.());
    let last: Entry | undefined;
    let isOutdated = false;
    for (const entry of entries) {
      last = entry;
      yield entry;
      isOutdated = version !== undefined && source.version?.() !== version;
      if (isOutdated) break;
    }
    if (last === undefined || (isLast && !isOutdated)) return;
    rest =
      options.reverse === true
        ? { ...rest, end: last.key }
        : { ...rest, start: last.key, startExclusive: true };
    limit = Math.min(limit * 4, MAX_CHUNK);
  }
}

/** The key of an id in the table of counters. */
export function counterKey(id: number): Buffer {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(id);
  return key;
}

export function decodeCounters(bytes: Uint8Array | undefined): Counters {
  if (bytes === undefined) return NO_COUNTERS;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { count: view.getFloat64(0), bytes: view.getFloat64(8) };
}

export function encodeCounters(counters: Counters): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeDoubleBE(counters.count, 0);
  bytes.writeDoubleBE(counters.bytes, 8);
  return bytes;
}

/** What is committed, as of each read; inside a write it shows that write's changes too. */
export class LatestView implements ReadView {
  readonly #tables: LmdbTables;
  readonly #source: RangeSource;

  constructor(tables: LmdbTables, version: () => number) {
    this.#tables = tables;
    this.#source = { version };
  }

  get(table: Table, key: Uint8Array): Uint8Array | undefined {
    return readValue(this.#tables[table], key);
  }

  range(table: Table, options: RangeOptions): Iterable<Entry> {
    return readRange(this.#tables[table], options, this.#source);
  }

  counters(id: number): Counters {
    return decodeCounters(readValue(this.#tables.counters, counterKey(id)));
  }
}

/** The store as it was at one moment, until it is closed. */
export class LmdbSnapshot implements ReadView {
  readonly #tables: LmdbTables;
  #transaction: LmdbReadTransaction | undefined;

  constructor(tables: LmdbTables) {
    this.#tables = tables;
    this.#transaction = tables.records.useReadTransaction();
  }

  get(table: Table, key: Uint8Array): Uint8Array | undefined {
    return readValue(this.#tables[table], key, this.#held());
  }

  range(table: Table, options: RangeOptions): Iterable<Entry> {
    return readRange(this.#tables[table], options, { transaction: () => this.#held() });
  }

  counters(id: number): Counters {
    return decodeCounters(this.get('counters', counterKey(id)));
  }

  close(): void {
    this.#transaction?.done();
    this.#transaction = undefined;
  }

  #held(): LmdbReadTransaction {
    if (this.#transaction === undefined) throw new Error('the snapshot is closed');
    return this.#transaction;
  }
}

/** True when both are absent or hold the same bytes. */
export function sameValue(
  a: Uint8Array | null | undefined,
  b: Uint8Array | null | undefined,
): boolean {
  if (a === null || a === undefined) return b === null || b === undefined;
  return b !== null && b !== undefined && Buffer.compare(a, b) === 0;
}
