import { type Document, toDocument } from '../bson/value.ts';
import { compileFilter } from '../query/filter.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { isTrue, toMap } from './field-types.ts';
import { reply } from './reply.ts';
import { servedCollections } from './served-collection.ts';

const MEBIBYTE = 1024 * 1024;
/** They are there on every server, with or without collections. */
const OWN_DATABASES = ['admin', 'config', 'local'];

/** `listDatabases` (manual). */
export const listDatabases: CommandDefinition = {
  name: 'listDatabases',
  help: 'Lists the databases',
  adminOnly: true,
  stable: true,
  privilege: 'read',
  fields: { filter: 'object', nameOnly: 'bool', authorizedDatabases: 'any' },
  run(context) {
    const { args, services } = context;
    const nameOnly = isTrue(args.get('nameOnly'));
    const filter = compileFilter(toMap(args.get('filter')) ?? new Map());
    const names = new Set([...services.catalog.databases(context.view), ...OWN_DATABASES]);
    const databases = [...names]
      .sort()
      .map((name) => describe(context, name))
      .filter((database) => filter.matches(database));
    if (nameOnly) {
      return reply({
        databases: databases.map((database) => toDocument({ name: database.get('name') })),
      });
    }
    const total = databases.reduce((sum, one) => sum + Number(one.get('sizeOnDisk')), 0);
    return reply({
      databases,
      totalSize: BigInt(total),
      totalSizeMb: BigInt(Math.floor(total / MEBIBYTE)),
    });
  },
};

function describe(context: CommandContext, name: string): Document {
  const { catalog, store } = context.services;
  let size = 0;
  let isEmpty = true;
  for (const collection of catalog.collections(context.view, name)) {
    const { bytes, indexBytes } = catalog.stats(store.latest, collection);
    size += bytes;
    for (const indexed of indexBytes.values()) size += indexed;
    isEmpty = false;
  }
  for (const served of servedCollections(name)) {
    size += served.sizeBytes(context.services);
    isEmpty = false;
  }
  return toDocument({ name, sizeOnDisk: BigInt(size), empty: isEmpty });
}
