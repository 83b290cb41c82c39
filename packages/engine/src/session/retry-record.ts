import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import {
  DateTime,
  type Document,
  isDocument,
  Timestamp,
  toDocument,
  type Value,
} from '../bson/value.ts';
import { type Position, toPosition, toTimestamp } from '../oplog/oplog-entry.ts';
import type { ReadView, WriteBatch } from '../storage/store.ts';

/** Statements next to each other that had the same outcome: a large insert is one such run. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly outcome: Document;
}

/**
 * What the last retryable write of a session did, statement by statement. It is stored in the batch
 * of the write itself, so that a retry after a crash is answered from it and never executed again.
 */
export class RetryRecord {
  readonly transactionNumber: bigint;
  /** Set when it was a transaction: the place of its commit in the log. */
  readonly committedAt: Position | undefined;
  readonly #runs: Run[];

  constructor(transactionNumber: bigint, runs: readonly Run[] = [], committedAt?: Position) {
    this.transactionNumber = transactionNumber;
    this.#runs = [...runs];
    this.committedAt = committedAt;
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  /** The outcome of an executed statement by its number within the command. */
  outcomeOf(statement: number): Document | undefined {
    const last = this.#runs.at(-1);
    if (last === undefined || statement > last.to) return undefined;
    return this.#runs.find(({ from, to }) => from <= statement && statement <= to)?.outcome;
  }

  /**
   * Notes a statement down; statements come in order.
   *
   * @param outcome - the same object for the same outcome lets statements share a run
   */
  add(statement: number, outcome: Document): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.outcome === outcome && last.to === statement - 1) {
      this.#runs[this.#runs.length - 1] = { from: last.from, to: statement, outcome };
    } else {
      this.#runs.push({ from: statement, to: statement, outcome });
      if (last !== undefined && last.to > statement) this.#runs.sort((a, b) => a.from - b.from);
    }
  }
}

export function readRetryRecord(view: ReadView, key: Uint8Array): RetryRecord | undefined {
  const bytes = view.get('sessions', key);
  if (bytes === undefined) return undefined;
  const document = decodeDocument(bytes);
  const stored = document.get('runs');
  const runs = (Array.isArray(stored) ? stored : []).filter(isDocument).map((run) => ({
    from: Number(run.get('from')),
    to: Number(run.get('to')),
    outcome: run.get('outcome') as Document,
  }));
  const committedAt = document.get('committedAt');
  return new RetryRecord(
    BigInt(String(document.get('txnNumber'))),
    runs,
    committedAt instanceof Timestamp ? toPosition(committedAt) : undefined,
  );
}

export function writeRetryRecord(batch: WriteBatch, key: Uint8Array, record: RetryRecord): void {
  batch.put(
    'sessions',
    key,
    encodeDocument(
      toDocument({
        txnNumber: record.transactionNumber,
        lastWriteDate: new DateTime(Date.now()),
        committedAt: record.committedAt === undefined ? undefined : toTimestamp(record.committedAt),
        runs: record.runs.map((run): Value => toDocument({ ...run })),
      }),
    ),
  );
}

/** The records whose sessions have not written since `olderThan`. */
export function findOldRecords(view: ReadView, olderThanMs: number): Uint8Array[] {
  const old: Uint8Array[] = [];
  for (const { key, value } of view.range('sessions', {})) {
    const written = decodeDocument(value).get('lastWriteDate');
    if (written instanceof DateTime && written.epochMs < olderThanMs) old.push(key);
  }
  return old;
}
