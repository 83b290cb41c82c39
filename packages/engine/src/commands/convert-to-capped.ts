import { type Document, toDocument, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { insertDocument } from '../catalog/documents.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { WriteBatch } from '../storage/store.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { findWritable, logCreate } from './document-writes.ts';
import { requireField, toNumber } from './field-types.ts';
import { reply } from './reply.ts';
import { runWrite, type WriteTarget } from './run-write.ts';

/**
 * `convertToCapped` (manual): the collection becomes a capped one with its newest documents; of its
 * indexes only that on `_id` stays. It is one write, which others wait for.
 */
export const convertToCapped: CommandDefinition = {
  name: 'convertToCapped',
  help: 'Makes a collection capped',
  privilege: 'dbAdmin',
  fields: { size: 'number' },
  async run(context) {
    const name = context.collectionName;
    const size = readSize(context);
    await runWrite(context, (target) => {
      const source = requireSource(context, target.batch, name);
      const documents = newestDocuments(target.batch, source, size);
      const temporary = `tmp${String(source.id)}.convertToCapped.${name}`;
      const created = createCapped(context, target, { name: temporary, size, documents });
      const { catalog } = context.services;
      const replaced = source.uuid;
      catalog.rename(target.batch, created, context.database, name, { dropTarget: true });
      // as MongoDB does it, so that streams that watch the collection learn of its end
      target.log({
        op: 'c',
        ns: `${context.database}.$cmd`,
        uuid: created.uuid,
        command: toDocument({
          renameCollection: `${context.database}.${temporary}`,
          to: `${context.database}.${name}`,
          stayTemp: false,
          dropTarget: replaced,
        }),
      });
    });
    return reply({ writeConcernError: context.writeConcern.error });
  },
};

/** `cloneCollectionAsCapped` (manual): a capped copy of a collection's newest documents. */
export const cloneCollectionAsCapped: CommandDefinition = {
  name: 'cloneCollectionAsCapped',
  help: 'Copies a collection into a capped one',
  privilege: 'dbAdmin',
  fields: { toCollection: 'string', size: 'number', temp: 'bool' },
  async run(context) {
    const to = String(requireField('cloneCollectionAsCapped', context.args, 'toCollection'));
    const size = readSize(context);
    await runWrite(context, (target) => {
      const source = requireSource(context, target.batch, context.collectionName);
      if (context.services.catalog.find(target.batch, context.database, to) !== undefined) {
        throw new MongoCommandError(
          'NamespaceExists',
          `cloneCollectionAsCapped failed - destination collection ${context.namespace(to)} already exists`,
        );
      }
      const documents = newestDocuments(target.batch, source, size);
      createCapped(context, target, { name: to, size, documents });
    });
    return reply({ writeConcernError: context.writeConcern.error });
  },
};

function readSize(context: CommandContext): number {
  const size = toNumber(requireField(context.request.name, context.args, 'size')) ?? 0;
  if (size > 0) return size;
  throw new MongoCommandError('InvalidOptions', 'Capped collection size must be greater than zero');
}

function requireSource(context: CommandContext, batch: WriteBatch, name: string): Collection {
  const source = findWritable(context, batch, name);
  if (source === undefined) {
    throw new MongoCommandError(
      'NamespaceNotFound',
      `source collection ${context.namespace(name)} does not exist`,
    );
  }
  if (source.type === 'timeseries' || source.options.has('clusteredIndex')) {
    throw new MongoCommandError(
      'CommandNotSupported',
      `a collection of this kind cannot be made capped: ${source.namespace}`,
    );
  }
  return source;
}

/** The last documents in natural order that fit into `maxBytes`, oldest first. */
function newestDocuments(batch: WriteBatch, source: Collection, maxBytes: number): Uint8Array[] {
  const { prefix, end } = source.space;
  const newest: Uint8Array[] = [];
  let bytes = 0;
  for (const { value } of batch.range('records', { start: prefix, end, reverse: true })) {
    bytes += value.length;
    if (bytes > maxBytes) break;
    newest.push(value);
  }
  return newest.reverse();
}

function createCapped(
  context: CommandContext,
  target: WriteTarget,
  wanted: {
    readonly name: string;
    readonly size: number;
    readonly documents: readonly Uint8Array[];
  },
): Collection {
  const options: Document = new Map<string, Value>([
    ['capped', true],
    ['size', wanted.size],
  ]);
  const { catalog } = context.services;
  const created = catalog.create(target.batch, context.database, wanted.name, options);
  logCreate(target, created);
  for (const document of wanted.documents) {
    insertDocument(target.batch, created, document);
    target.log({ op: 'i', ns: created.namespace, uuid: created.uuid, document });
  }
  return created;
}
