import { toDouble } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';
import { readScale } from './statistics.ts';

/** `dbStats` (manual). */
export const dbStats: CommandDefinition = {
  name: 'dbStats',
  aliases: ['dbstats'],
  help: 'Figures of a database',
  privilege: 'read',
  fields: { scale: 'number', freeStorage: 'number' },
  run({ args, database, services, view }) {
    const scale = readScale(args.get('scale'));
    const scaled = (bytes: number) => toDouble(bytes / scale);
    const { catalog, store } = services;
    const all = catalog.collections(view, database);
    const collections = all.filter(({ type }) => type !== 'view');
    let objects = 0;
    let dataSize = 0;
    let indexes = 0;
    let indexSize = 0;
    for (const collection of collections) {
      const stats = catalog.stats(store.latest, collection);
      objects += stats.count;
      dataSize += stats.bytes;
      indexes += collection.indexes.length;
      for (const bytes of stats.indexBytes.values()) indexSize += bytes;
    }
    return reply({
      db: database,
      collections: BigInt(collections.length),
      views: BigInt(all.length - collections.length),
      objects: BigInt(objects),
      avgObjSize: toDouble(objects === 0 ? 0 : dataSize / objects),
      dataSize: scaled(dataSize),
      storageSize: scaled(dataSize),
      indexes: BigInt(indexes),
      indexSize: scaled(indexSize),
      totalSize: scaled(dataSize + indexSize),
      scaleFactor: BigInt(scale),
      fsUsedSize: scaled(store.sizeOnDisk),
      fsTotalSize: scaled(store.sizeOnDisk),
    });
  },
};
