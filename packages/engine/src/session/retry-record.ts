import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import { DateTime, type Document, toDocument } from '../bson/value.ts';
import type { ReadView, WriteBatch } from '../storage/store.ts';

/**
 * What the last retryable write of a session did, statement by statement. It is stored in the batch
 * of the write itself, so that a retry after a crash is answered from it and never executed again.
 */
export interface RetryRecord {
  readonly transactionNumber: bigint;
  /** The outcome of each executed statement by its number within the command. */
  readonly statements: ReadonlyMap<number, Document>;
}

export function readRetryRecord(view: ReadView, key: Uint8Array): RetryRecord | undefined {
  const bytes = view.get('sessions', key);
  if (bytes === undefined) return undefined;
  const document = decodeDocument(bytes);
  const statements = new Map<number, Document>();
  const stored = document.get('stmts');
  if (stored instanceof Map) {
    for (const [number, outcome] of stored) {
      if (outcome instanceof Map) statements.set(Number(number), outcome);
    }
  }
  return { transactionNumber: BigInt(String(document.get('txnNumber'))), statements };
}

export function writeRetryRecord(batch: WriteBatch, key: Uint8Array, record: RetryRecord): void {
  const stored: Document = new Map();
  for (const [number, outcome] of record.statements) stored.set(String(number), outcome);
  batch.put(
    'sessions',
    key,
    encodeDocument(
      toDocument({
        txnNumber: record.transactionNumber,
        lastWriteDate: new DateTime(Date.now()),
        stmts: stored,
      }),
    ),
  );
}
