import type { Collection } from '../catalog/collection.ts';
import { readRecord } from '../catalog/documents.ts';
import type { FoundRecord } from '../catalog/plan-execute.ts';
import type { OplogOperation } from '../oplog/oplog-entry.ts';
import { removeFrom } from './document-writes.ts';
import type { EngineServices } from './engine-services.ts';

/** Removes expired documents that are still the same, with their log entries. */
export async function removeExpired(
  services: Pick<EngineServices, 'store' | 'oplog'>,
  collection: Collection,
  records: readonly FoundRecord[],
): Promise<void> {
  await services.store.write(
    (batch) => {
      const operations: OplogOperation[] = [];
      const target = {
        batch,
        log: (operation: OplogOperation): unknown => operations.push(operation),
        retried: () => undefined,
        record: () => undefined,
      };
      for (const record of records) {
        const stored = readRecord(batch, collection, record.recordId);
        if (stored === undefined || Buffer.compare(stored.bytes, record.bytes) !== 0) continue;
        removeFrom(target, collection, record);
      }
      if (operations.length > 0) services.oplog.append(batch, operations);
    },
    { durable: false },
  );
}
