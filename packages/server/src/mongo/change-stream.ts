/** Change streams of one collection, as the service of streams consumes them. */
import {
  type ChangeStream,
  type ChangeStreamDocument,
  type ChangeStreamOptions,
  Int32,
} from 'mongodb';
import { type BsonDocument, type BsonValue, Long } from '../model/bson.ts';
import type { Permit } from '../model/permit.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

/** A change event with its position. */
export interface ChangeEvent {
  /** The resume token as JSON on one line. */
  readonly id: string;
  /** `fullDocument`, `documentKey`, `updateDescription`, `operationType`: what clients are sent (streams.md §5). */
  readonly document: BsonDocument;
}

/** An open change stream. */
export interface ChangeEvents extends AsyncIterable<ChangeEvent> {
  close(): Promise<void>;
}

/**
 * Opens a change stream with updates looked up; resolves when the database has opened it, so that
 * no later write is missed.
 *
 * @param options - `after`: the JSON of a resume token; events begin after it
 * @throws ERR_DATABASE_* when it cannot be opened
 */
export async function watchCollection(
  mongo: MongoAccess,
  namespace: Namespace,
  pipeline: readonly BsonDocument[],
  options: { readonly permit: Permit; readonly after?: string | undefined },
): Promise<ChangeEvents> {
  const watchOptions: ChangeStreamOptions = { fullDocument: 'updateLookup', promoteValues: false };
  if (options.after !== undefined) watchOptions.startAfter = JSON.parse(options.after);
  // the driver serializes Maps as documents
  const stages = pipeline as unknown as Record<string, unknown>[];
  const stream = collectionOf(mongo.client, namespace).watch(stages, watchOptions);
  const first = await mapped(() => beginReading(stream));
  return {
    close: () => stream.close(),
    async *[Symbol.asyncIterator]() {
      let { reading } = first as { reading: Promise<ChangeStreamDocument> | undefined };
      for (;;) {
        const next = reading ?? stream.next();
        reading = undefined;
        const change = await mapped(() => next).catch((error: unknown) => {
          if (stream.closed) return undefined;
          throw error;
        });
        if (change === undefined) return;
        yield toEvent(change);
        if (change.operationType === 'invalidate') return;
      }
    },
  };
}

const OPENING_MS = 1000;

/**
 * The first read, already under way when this resolves: the driver opens the cursor with it, and
 * tells of the position the cursor begins at. Waiting for the read itself would wait for an event, or
 * for as long as the database lets an empty read rest.
 *
 * @throws what opening the cursor throws
 */
async function beginReading(
  stream: ChangeStream,
): Promise<{ readonly reading: Promise<ChangeStreamDocument> }> {
  const opened = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, OPENING_MS);
    stream.once('resumeTokenChanged', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  const reading = stream.next();
  await Promise.race([opened, reading]);
  return { reading };
}

const MEMBERS = ['fullDocument', 'documentKey', 'updateDescription', 'operationType'] as const;
const UPDATE_MEMBERS = ['updatedFields', 'removedFields'];

function toEvent(change: ChangeStreamDocument): ChangeEvent {
  const members = change as unknown as Readonly<Record<string, unknown>>;
  const document: BsonDocument = new Map();
  for (const name of MEMBERS) {
    const value = members[name];
    // a document that is gone when an update is looked up is absent, not null
    if (value === undefined || (value === null && change.operationType === 'update')) continue;
    document.set(name, fromDriver(value));
  }
  const update = document.get('updateDescription');
  if (update instanceof Map) {
    document.set(
      'updateDescription',
      new Map(UPDATE_MEMBERS.map((name) => [name, update.get(name) ?? null])),
    );
  }
  return { id: JSON.stringify(change._id), document };
}

/** A value read with `promoteValues: false` in the server's own model. */
function fromDriver(value: unknown): BsonValue {
  if (Array.isArray(value)) return value.map(fromDriver);
  if (value instanceof Int32) return value.value;
  if (typeof value === 'bigint') return Long.fromBigInt(value);
  if (isPlainObject(value)) {
    return new Map(Object.entries(value).map(([name, member]) => [name, fromDriver(member)]));
  }
  // every other type is the bson library's own, in the driver and here
  return (value ?? null) as BsonValue;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
