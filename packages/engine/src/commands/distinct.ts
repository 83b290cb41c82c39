import { decodeDocument } from '../bson/codec.ts';
import { hashableKey } from '../bson/compare.ts';
import { collectPath, splitPath } from '../bson/path.ts';
import { type Document, RawDocument, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Pause } from '../lib/pause.ts';
import { toTimestamp } from '../oplog/oplog-entry.ts';
import { compileFilter } from '../query/filter.ts';
import { bindPipeline, readDocuments, resolveNamespace } from './collection-reader.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { visitAll } from './drain.ts';
import { requireField, toMap } from './field-types.ts';
import { readHint } from './matched-record.ts';
import { createQueryEnvironment } from './query-environment.ts';
import { reply } from './reply.ts';

/** `distinct` (manual). */
export const distinct: CommandDefinition = {
  name: 'distinct',
  help: 'Finds the different values of a field',
  // not in Stable API version 1
  stable: false,
  inTransactions: true,
  privilege: 'read',
  fields: {
    key: 'string',
    query: 'object',
    collation: 'object',
    hint: 'objectOrString',
    collectionUUID: 'binData',
    encryptionInformation: 'any',
    querySettings: 'any',
  },
  run(context) {
    const { args } = context;
    const key = requireField('distinct', args, 'key');
    if (typeof key !== 'string' || key.includes('\0')) {
      throw new MongoCommandError(
        'Location31032',
        'Key field cannot contain an embedded null byte',
      );
    }
    const name = context.collectionName;
    const resolved = resolveNamespace(context, { database: context.database, collection: name });
    const environment = createQueryEnvironment(context, args, resolved.collation);
    const query = toMap(args.get('query')) ?? new Map();
    const documents: Iterable<Document | RawDocument | Pause> = resolved.isView
      ? bindPipeline(context, name, [toDocument({ $match: query })], { environment }).run()
      : readDocuments(context, resolved.collection, environment, {
          filter: compileFilter(query, environment.filterOptions),
          hint: readHint(args.get('hint')),
        });
    const values = new Map<string, Value>();
    const parts = splitPath(key);
    const later = visitAll<Document | RawDocument>(context.operation, documents, (item) => {
      const document = item instanceof RawDocument ? decodeDocument(item.bytes) : item;
      for (const value of leafValues(document, parts)) {
        const id = hashableKey(value, environment.collation);
        if (!values.has(id)) values.set(id, value);
      }
    });
    const finish = (): Document => distinctReply(context, [...values.values()]);
    return later === undefined ? finish() : later.then(finish);
  },
};

function distinctReply(context: CommandContext, values: Value[]): Document {
  const position = context.snapshotPosition;
  return reply({
    values,
    ...(position !== undefined && { atClusterTime: toTimestamp(position) }),
  });
}

/** The values at a path; of an array its elements. */
function leafValues(document: Document, parts: readonly string[]): Value[] {
  const values: Value[] = [];
  for (const value of collectPath(document, parts, false)) {
    if (Array.isArray(value)) values.push(...value);
    else if (value !== undefined) values.push(value);
  }
  return values;
}
