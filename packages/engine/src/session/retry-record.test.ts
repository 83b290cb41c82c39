import { describe, expect, it } from 'vitest';
import { toDocument } from '../bson/value.ts';
import type { ReadView, WriteBatch } from '../storage/store.ts';
import { findOldRecords, RetryRecord, readRetryRecord, writeRetryRecord } from './retry-record.ts';

const INSERTED = toDocument({ n: 1 });
const KEY = Buffer.from('00'.repeat(16), 'hex');

function store(): WriteBatch & ReadView {
  const values = new Map<string, { key: Uint8Array; value: Uint8Array }>();
  const text = (key: Uint8Array) => Buffer.from(key).toString('hex');
  return {
    get: (_table: string, key: Uint8Array) => values.get(text(key))?.value,
    put: (_table: string, key: Uint8Array, value: Uint8Array) => {
      values.set(text(key), { key, value });
    },
    range: () => values.values(),
  } as unknown as WriteBatch & ReadView;
}

describe('the record of a retryable write', () => {
  it('keeps statements with one outcome as one run', () => {
    const record = new RetryRecord(1n);
    for (let statement = 0; statement < 1_000; statement++) record.add(statement, INSERTED);
    expect(record.runs).toHaveLength(1);
    expect(record.outcomeOf(999)).toBe(INSERTED);
    expect(record.outcomeOf(1_000)).toBeUndefined();
  });

  it('knows nothing of statements between those that were executed', () => {
    const record = new RetryRecord(1n);
    record.add(0, INSERTED);
    record.add(2, INSERTED);
    record.add(3, toDocument({ n: 0 }));
    expect([0, 1, 2, 3].map((statement) => record.outcomeOf(statement)?.get('n'))).toEqual([
      1,
      undefined,
      1,
      0,
    ]);
  });

  it('is read as it was written', () => {
    const batch = store();
    const record = new RetryRecord(7n, [], 5n);
    record.add(0, INSERTED);
    record.add(1, INSERTED);
    writeRetryRecord(batch, KEY, record);
    const read = readRetryRecord(batch, KEY);
    expect(read?.transactionNumber).toBe(7n);
    expect(read?.committedAt).toBe(5n);
    expect(read?.outcomeOf(1)).toEqual(INSERTED);
  });

  it('is found as old once nothing has been written for long', () => {
    const batch = store();
    writeRetryRecord(batch, KEY, new RetryRecord(1n));
    expect(findOldRecords(batch, Date.now() - 60_000)).toEqual([]);
    expect(findOldRecords(batch, Date.now() + 60_000)).toEqual([KEY]);
  });
});
