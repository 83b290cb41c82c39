/** What operations on clients, databases, collections, sessions and cursors are in the Node driver. */
import {
  type AbstractCursor,
  ChangeStream,
  type ClientSession,
  Collection,
  Db,
  type MongoClient,
} from 'mongodb';
import type { Entities } from './entities.ts';
import { RecordedClient } from './recorded-client.ts';
import type { Fields, SpecOperation } from './spec-file.ts';

/** One operation about to run: its arguments with sessions in place of their names. */
export interface Call {
  readonly entities: Entities;
  readonly object: string;
  readonly args: Fields;
  /** Runs an operation inside of this one, with its expectations; an expected error ends there or is passed on. */
  runNested(operation: SpecOperation, failure: 'ends' | 'passed on'): Promise<void>;
}

export type Operation = (call: Call) => Promise<unknown>;

const collection = ({ entities, object }: Call): Collection<Fields> => entities.collection(object);
const database = ({ entities, object }: Call): Db => entities.database(object);
const client = ({ entities, object }: Call): MongoClient => entities.client(object).client;
const session = ({ entities, object }: Call): ClientSession => entities.session(object);

/** Sends the command that opens a cursor and leaves its documents where they are. */
async function open<C extends AbstractCursor | ChangeStream>(cursor: C): Promise<C> {
  const inner = cursor instanceof ChangeStream ? changeStreamCursor(cursor) : cursor;
  await (inner as unknown as { cursorInit(): Promise<void> }).cursorInit();
  return cursor;
}

const changeStreamCursor = (stream: ChangeStream): AbstractCursor =>
  (stream as unknown as { cursor: AbstractCursor }).cursor;

/** The methods that change one document or many, as far as they are alike. */
type ChangeMethod = (filter: unknown, change: unknown, options: Fields) => Promise<unknown>;

function change(method: keyof Collection, given: 'update' | 'replacement'): Operation {
  return async (call) => {
    const { filter, [given]: what, returnDocument, ...rest } = call.args;
    const options =
      returnDocument === undefined
        ? rest
        : { ...rest, returnDocument: String(returnDocument).toLowerCase() };
    const target = collection(call);
    return (target[method] as ChangeMethod).call(target, filter, what, options);
  };
}

function toClientModel(model: unknown): Fields {
  const [entry] = Object.entries(model as Record<string, Fields>);
  if (entry === undefined) throw new Error('an empty model');
  const [name, fields] = entry;
  return { name, ...fields };
}

const toPlain = (value: unknown): unknown =>
  value instanceof Map
    ? Object.fromEntries([...value].map(([key, item]) => [String(key), toPlain(item)]))
    : value;

/** A result of the client's bulkWrite with documents for its maps. */
export function plainBulkResult(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return result;
  const plain = Object.fromEntries(
    Object.entries(bulkFields(result as Fields)).map(([key, value]) => [key, toPlain(value)]),
  );
  // says the driver beyond the specification
  for (const update of Object.values((plain['updateResults'] as Fields | undefined) ?? {})) {
    delete (update as Fields)['didUpsert'];
  }
  return plain;
}

function bulkFields(result: Fields): Fields {
  const names = [
    'acknowledged',
    'insertedCount',
    'upsertedCount',
    'matchedCount',
    'modifiedCount',
    'deletedCount',
    'insertResults',
    'updateResults',
    'deleteResults',
  ];
  return Object.fromEntries(names.map((name) => [name, result[name]]));
}

const ON_COLLECTIONS: Record<string, Operation> = {
  bulkWrite: async (call) => {
    const { requests, ...options } = call.args;
    return collection(call).bulkWrite(requests as never[], options);
  },
  count: async (call) => {
    const { filter, ...options } = call.args;
    return collection(call).count(filter as Fields, options);
  },
  countDocuments: async (call) => {
    const { filter, ...options } = call.args;
    return collection(call).countDocuments(filter as Fields, options);
  },
  estimatedDocumentCount: async (call) => collection(call).estimatedDocumentCount(call.args),
  createFindCursor: async (call) => {
    const { filter, ...options } = call.args;
    return open(collection(call).find(filter as Fields, options));
  },
  createIndex: async (call) => {
    const { keys, ...options } = call.args;
    return collection(call).createIndex(keys as Record<string, 1>, options);
  },
  createSearchIndex: async (call) =>
    collection(call).createSearchIndex(call.args['model'] as never),
  createSearchIndexes: async (call) =>
    collection(call).createSearchIndexes(call.args['models'] as never),
  updateSearchIndex: async (call) =>
    collection(call).updateSearchIndex(
      String(call.args['name']),
      call.args['definition'] as Fields,
    ),
  dropSearchIndex: async (call) => collection(call).dropSearchIndex(String(call.args['name'])),
  listSearchIndexes: async (call) => {
    const { name, aggregationOptions, ...options } = call.args;
    return collection(call)
      .listSearchIndexes(name as string, { ...(aggregationOptions as Fields), ...options })
      .toArray();
  },
  deleteOne: async (call) => {
    const { filter, ...options } = call.args;
    return collection(call).deleteOne(filter as Fields, options);
  },
  deleteMany: async (call) => {
    const { filter, ...options } = call.args;
    return collection(call).deleteMany(filter as Fields, options);
  },
  distinct: async (call) => {
    const { fieldName, filter, ...options } = call.args;
    return collection(call).distinct(String(fieldName), (filter ?? {}) as Fields, options);
  },
  dropIndex: async (call) => {
    const { name, ...options } = call.args;
    return collection(call).dropIndex(String(name), options);
  },
  dropIndexes: async (call) => collection(call).dropIndexes(call.args),
  find: async (call) => {
    const { filter, ...options } = call.args;
    return collection(call)
      .find(filter as Fields, options)
      .toArray();
  },
  findOne: async (call) => {
    const { filter, ...options } = call.args;
    return collection(call).findOne(filter as Fields, options);
  },
  findOneAndDelete: async (call) => {
    const { filter, ...options } = call.args;
    return collection(call).findOneAndDelete(filter as Fields, options);
  },
  findOneAndReplace: change('findOneAndReplace', 'replacement'),
  findOneAndUpdate: change('findOneAndUpdate', 'update'),
  insertMany: async (call) => {
    const { documents, ...options } = call.args;
    return collection(call).insertMany(documents as Fields[], options);
  },
  insertOne: async (call) => {
    const { document, ...options } = call.args;
    return collection(call).insertOne(document as Fields, options);
  },
  listIndexes: async (call) => collection(call).listIndexes(call.args).toArray(),
  listIndexNames: async (call) =>
    (await collection(call).listIndexes(call.args).toArray()).map(({ name }) => name),
  replaceOne: change('replaceOne', 'replacement'),
  updateOne: change('updateOne', 'update'),
  updateMany: change('updateMany', 'update'),
};

const ON_DATABASES: Record<string, Operation> = {
  createCollection: async (call) => {
    const { collection: name, ...options } = call.args;
    return database(call).createCollection(String(name), options);
  },
  dropCollection: async (call) => {
    const { collection: name, ...options } = call.args;
    return database(call).dropCollection(String(name), options);
  },
  listCollections: async (call) => {
    const { filter, ...options } = call.args;
    return database(call)
      .listCollections(filter as Fields, options)
      .toArray();
  },
  listCollectionNames: async (call) => {
    const { filter, ...options } = call.args;
    const found = database(call).listCollections(filter as Fields, { nameOnly: true, ...options });
    return (await found.toArray()).map(({ name }) => name);
  },
  modifyCollection: async (call) => {
    const { collection: name, ...options } = call.args;
    return database(call).command({ collMod: name, ...options });
  },
  runCommand: async (call) => {
    const { command, commandName: _, ...options } = call.args;
    return database(call).command(command as Fields, options);
  },
  runCursorCommand: async (call) => commandCursor(call).toArray(),
  createCommandCursor: async (call) => open(commandCursor(call)),
};

function commandCursor(call: Call): AbstractCursor {
  const { command, commandName: _, batchSize, maxTimeMS, comment, ...options } = call.args;
  const cursor = database(call).runCursorCommand(command as Fields, options);
  if (batchSize !== undefined) cursor.setBatchSize(Number(batchSize));
  if (maxTimeMS !== undefined) cursor.setMaxTimeMS(Number(maxTimeMS));
  if (comment !== undefined) cursor.setComment(comment);
  return cursor;
}

const ON_CLIENTS: Record<string, Operation> = {
  clientBulkWrite: async (call) => {
    const { models, ...options } = call.args;
    const result = await client(call).bulkWrite(
      (models as unknown[]).map(toClientModel) as never,
      options,
    );
    return plainBulkResult(result);
  },
  dropDatabase: async (call) => {
    const { database: name, ...options } = call.args;
    return client(call).db(String(name)).dropDatabase(options);
  },
  listDatabases: async (call) =>
    (await client(call).db('admin').admin().listDatabases(call.args)).databases,
  listDatabaseNames: async (call) => {
    const options = { nameOnly: true, ...call.args };
    const { databases } = await client(call).db('admin').admin().listDatabases(options);
    return databases.map(({ name }) => name);
  },
  appendMetadata: async (call) => {
    client(call).appendMetadata(call.args['driverInfoOptions'] as never);
  },
};

const ON_SESSIONS: Record<string, Operation> = {
  startTransaction: async (call) => session(call).startTransaction(call.args),
  commitTransaction: async (call) => session(call).commitTransaction(call.args),
  abortTransaction: async (call) => session(call).abortTransaction(call.args),
  endSession: async (call) => session(call).endSession(),
  getSnapshotTime: async (call) => (session(call) as { snapshotTime?: unknown }).snapshotTime,
  withTransaction: async (call) => {
    const { callback, ...options } = call.args;
    await session(call).withTransaction(async () => {
      for (const operation of callback as SpecOperation[])
        await call.runNested(operation, 'passed on');
    }, options);
  },
};

const ON_CURSORS: Record<string, Operation> = {
  iterateUntilDocumentOrError: async ({ entities, object }) => entities.cursor(object).next(),
  iterateOnce: async ({ entities, object }) => entities.cursor(object).tryNext(),
};

/** Operations of one name on things of several kinds. */
const ON_SEVERAL: Record<string, Operation> = {
  aggregate: async ({ entities, object, args }) => {
    const { pipeline, ...options } = args;
    const target = entities.get(object);
    if (!(target instanceof Db || target instanceof Collection)) throw new Error('no pipelines');
    return target.aggregate(pipeline as Fields[], options).toArray();
  },
  createChangeStream: async ({ entities, object, args }) => {
    const { pipeline, ...options } = args;
    const entity = entities.get(object);
    const target = entity instanceof RecordedClient ? entity.client : (entity as Db);
    return open(target.watch(pipeline as Fields[], options));
  },
  close: async ({ entities, object, args }) => {
    const entity = entities.get(object);
    if (entity instanceof RecordedClient) return entity.client.close();
    return (entity as AbstractCursor).close(args);
  },
  rename: async (call) => {
    const { to, id, newFilename, ...options } = call.args;
    if (to !== undefined) {
      await collection(call).rename(String(to), options);
      return;
    }
    await call.entities.bucket(call.object).rename(id as never, String(newFilename), options);
  },
  drop: async ({ entities, object, args }) => {
    const target = entities.get(object) as { drop(options: Fields): Promise<unknown> };
    return target.drop(args);
  },
};

/** Operations by name; those on buckets and those of the test runner are in files of their own. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...ON_COLLECTIONS,
  ...ON_DATABASES,
  ...ON_CLIENTS,
  ...ON_SESSIONS,
  ...ON_CURSORS,
  ...ON_SEVERAL,
};
