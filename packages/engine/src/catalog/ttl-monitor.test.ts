import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeDocument } from '../bson/codec.ts';
import { DateTime, toDocument, type Value } from '../bson/value.ts';
import { openLmdbStore } from '../storage/lmdb-store.ts';
import type { Store } from '../storage/store.ts';
import { Catalog } from './catalog.ts';
import { checkStore } from './check-store.ts';
import { insertDocument, removeDocument } from './documents.ts';
import { createIndexes } from './index-build.ts';
import { TtlMonitor } from './ttl-monitor.ts';

describe('TtlMonitor', () => {
  let folder: string;
  let store: Store;
  let catalog: Catalog;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-ttl-'));
    store = await openLmdbStore(folder);
    catalog = Catalog.open(store);
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('removes documents whose earliest date is old enough, and no others', async () => {
    const at = (seconds: number): DateTime => new DateTime(1_000_000 + seconds * 1000);
    const values: Value[] = [at(-10), at(-4), [at(5), at(-9)], 'text', at(20), null];
    const collection = await store.write(
      (batch) => {
        const made = catalog.create(batch, 'db', 'c');
        const spec = toDocument({
          v: 2,
          key: toDocument({ t: 1 }),
          name: 't_1',
          expireAfterSeconds: 5,
        });
        createIndexes(batch, catalog, made, [spec]);
        values.forEach((t, i) => {
          insertDocument(batch, made, encodeDocument(toDocument({ _id: i, t })));
        });
        return made;
      },
      { durable: false },
    );
    const monitor = new TtlMonitor({
      store,
      catalog,
      now: () => 1_000_000,
      remove: (from, records) =>
        store.write(
          (batch) => {
            for (const record of records) removeDocument(batch, from, record);
          },
          { durable: false },
        ),
    });
    expect(await monitor.run()).toBe(2);
    expect(catalog.stats(store.latest, collection).count).toBe(4);
    expect(await monitor.run()).toBe(0);
    expect(checkStore(store.latest, catalog).problems).toEqual([]);
    await monitor.close();
  });
});
