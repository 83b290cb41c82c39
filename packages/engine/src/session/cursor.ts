import { encodeDocument } from '../bson/codec.ts';
import { type Document, RawDocument } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { runSliced, SLICE_MS } from '../lib/sliced.ts';
import type { Operation } from './operation.ts';

/** The largest sum of document sizes in one batch: a reply must fit a BSON document. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** A stored document may be 16 MiB large; what a pipeline adds to it has a little room. */
const MAX_RESULT_BYTES = MAX_BATCH_BYTES + 16 * 1024;
const ITEMS_PER_CLOCK_LOOK = 64;

/** The refusal of a result that fits no document. */
export function tooLargeDocument(bytes: number): MongoCommandError {
  return new MongoCommandError(
    'BSONObjectTooLarge',
    `Executor error during getMore :: caused by :: BSONObj size: ${bytes} is invalid. Size must be between 0 and ${MAX_RESULT_BYTES}(16MB)`,
  );
}

/** What a cursor draws from. */
export interface CursorSource {
  /** The next document; `undefined` at the end, or for a tail: nothing more at the moment. */
  next(): Document | RawDocument | Pause | undefined;
  /** Present when the cursor outlives the end of its data (tailable, change stream). */
  readonly tail?: CursorTail;
  /** Called behind each batch: the next one may come much later. */
  endBatch?(): void;
  /** The resume token that a change stream's reply carries beside its batch. */
  postBatchResumeToken?(): Document;
  close(): void;
}

export interface CursorTail {
  readonly awaitData: boolean;
  /** Calls `wake` once when there may be more; the answer cancels. */
  onMore(wake: () => void): () => void;
  /** True once no more will ever come: the cursor closes after this batch. */
  isEnded(): boolean;
}

/** A source from any iterable of documents. */
export function sourceOf(iterable: Iterable<Document | RawDocument | Pause>): CursorSource {
  const iterator = iterable[Symbol.iterator]();
  let done = false;
  return {
    next() {
      if (done) return undefined;
      const result = iterator.next();
      if (result.done) {
        done = true;
        return undefined;
      }
      return result.value;
    },
    close() {
      done = true;
      iterator.return?.();
    },
  };
}

export interface CursorFields {
  readonly namespace: string;
  readonly source: CursorSource;
  /** The command that opened it, for currentOp and for messages. */
  readonly command: Document;
  readonly sessionKey?: string | undefined;
  readonly transactionNumber?: bigint | undefined;
  readonly noTimeout?: boolean;
  /** It is at its end when it has given so many documents. */
  readonly totalLimit?: number | undefined;
  /** What maxTimeMS leaves for all its batches together; 0 for no limit. */
  readonly maxTimeMs?: number;
  readonly user?: string | undefined;
  /** Fields that each reply's cursor carries, such as atClusterTime. */
  readonly replyFields?: Document;
}

/** A server-side result being read in batches. */
export class Cursor {
  readonly id: bigint;
  readonly namespace: string;
  readonly source: CursorSource;
  readonly command: Document;
  readonly sessionKey: string | undefined;
  readonly transactionNumber: bigint | undefined;
  readonly noTimeout: boolean;
  readonly totalLimit: number;
  readonly createdAtMs: number;
  readonly user: string | undefined;
  readonly replyFields: Document | undefined;
  lastUsedAtMs: number;
  remainingTimeMs: number;
  /** The operation drawing from it now. */
  pinnedBy: Operation | undefined;
  closed = false;
  /** Why it cannot go on, told to who asks for more. */
  failure: MongoCommandError | undefined;
  documentsReturned = 0;
  /** Drawn from the source but too large for the batch before. */
  #held: RawDocument | undefined;

  constructor(id: bigint, fields: CursorFields) {
    this.id = id;
    this.namespace = fields.namespace;
    this.source = fields.source;
    this.command = fields.command;
    this.sessionKey = fields.sessionKey;
    this.transactionNumber = fields.transactionNumber;
    this.noTimeout = fields.noTimeout ?? false;
    this.totalLimit = fields.totalLimit ?? Number.POSITIVE_INFINITY;
    this.user = fields.user;
    this.replyFields = fields.replyFields;
    this.createdAtMs = Date.now();
    this.lastUsedAtMs = this.createdAtMs;
    this.remainingTimeMs = fields.maxTimeMs ?? 0;
  }

  /**
   * Draws up to `limit` documents, or up to what one reply can hold.
   *
   * @returns the batch; `exhausted` when the source has nothing more at the moment
   */
  readBatch(limit: number, operation: Operation): Batch | Promise<Batch> {
    const documents: RawDocument[] = [];
    let bytes = 0;
    let exhausted = false;
    const step = (): boolean => {
      operation.check();
      const sliceEnd = performance.now() + SLICE_MS;
      for (let turn = 1; documents.length < limit; turn++) {
        const item = this.#held ?? this.source.next();
        this.#held = undefined;
        if (item === PAUSE) {
          if (performance.now() > sliceEnd) return false;
          operation.check();
          continue;
        }
        if (item === undefined) {
          exhausted = true;
          return true;
        }
        const raw = item instanceof RawDocument ? item : new RawDocument(encodeDocument(item));
        if (raw.bytes.length > MAX_RESULT_BYTES) throw tooLargeDocument(raw.bytes.length);
        if (bytes + raw.bytes.length > MAX_BATCH_BYTES && documents.length > 0) {
          this.#held = raw;
          return true;
        }
        bytes += raw.bytes.length;
        documents.push(raw);
        if (turn % ITEMS_PER_CLOCK_LOOK === 0 && performance.now() > sliceEnd) return false;
      }
      return true;
    };
    const finish = (): Batch => {
      this.documentsReturned += documents.length;
      this.source.endBatch?.();
      const isComplete = this.documentsReturned >= this.totalLimit;
      return { documents, exhausted: exhausted || isComplete };
    };
    const later = runSliced(step);
    return later === undefined ? finish() : later.then(finish);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.source.close();
  }
}

export interface Batch {
  readonly documents: RawDocument[];
  readonly exhausted: boolean;
}
