import { type Document, toDocument } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { compileFilter } from '../query/filter.ts';
import { sourceOf } from '../session/cursor.ts';
import type { CommandDefinition } from './command.ts';
import { cursorBatchSize, firstBatchLimit, openCursor } from './cursor-reply.ts';
import { isTrue, toMap } from './field-types.ts';
import { type ServedCollection, servedCollections } from './served-collection.ts';

/** `listCollections` (manual). */
export const listCollections: CommandDefinition = {
  name: 'listCollections',
  help: 'Lists collections and views',
  stable: true,
  privilege: 'read',
  fields: {
    cursor: 'object',
    filter: 'object',
    nameOnly: 'bool',
    authorizedCollections: 'bool',
    rawData: 'bool',
  },
  run(context) {
    const { args, services, database } = context;
    const nameOnly = isTrue(args.get('nameOnly'));
    const filter = compileFilter(toMap(args.get('filter')) ?? new Map());
    const documents = [
      ...services.catalog.collections(context.view, database).map(describe),
      ...servedCollections(database).map(describeServed),
    ]
      .filter((document) => filter.matches(document))
      .map((document) => (nameOnly ? nameAndType(document) : document));
    return openCursor(
      context,
      { namespace: `${database}.$cmd.listCollections`, source: sourceOf(documents) },
      { limit: firstBatchLimit(cursorBatchSize(args)) },
    );
  },
};

function describe(collection: Collection): Document {
  const isView = collection.type === 'view';
  const document = toDocument({
    name: collection.name,
    type: collection.type,
    options: collection.options,
    info: toDocument({ readOnly: isView, uuid: isView ? undefined : collection.uuid }),
  });
  const { idIndex } = collection;
  // a clustered collection has its index among the options
  if (idIndex !== undefined && !collection.options.has('clusteredIndex'))
    document.set('idIndex', idIndex.spec.document);
  return document;
}

function describeServed({ name, options }: ServedCollection): Document {
  const info = toDocument({ readOnly: false });
  return toDocument({ name, type: 'collection', options, info });
}

function nameAndType(document: Document): Document {
  return toDocument({ name: document.get('name'), type: document.get('type') });
}
