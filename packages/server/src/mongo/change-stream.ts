/** Change streams of one collection, as the service of streams consumes them. */
import {
  BSON,
  type ChangeStream,
  type ChangeStreamDocument,
  type ChangeStreamOptions,
  Int32,
} from 'mongodb';
import { type BsonDocument, type BsonValue, isDocument, Long } from '../model/bson.ts';
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
  /** JSON of the token of the last event read, or of a later moment up to which no event has passed. */
  readonly position: string | undefined;
  close(): Promise<void>;
}

/**
 * Opens a change stream with updates looked up; resolves when the database has opened it, so that
 * no later write is missed.
 *
 * @param options - `after`: the JSON of a resume token; events begin after it. `batchSize`: events per read
 * @throws ERR_DATABASE_* when it cannot be opened
 */
export async function watchCollection(
  mongo: MongoAccess,
  namespace: Namespace,
  pipeline: readonly BsonDocument[],
  options: {
    readonly permit: Permit;
    readonly after?: string | undefined;
    readonly batchSize?: number;
  },
): Promise<ChangeEvents> {
  const watchOptions: ChangeStreamOptions = {
    fullDocument: 'updateLookup',
    promoteValues: false,
    ...(options.batchSize !== undefined && { batchSize: options.batchSize }),
  };
  if (options.after !== undefined) watchOptions.startAfter = parseToken(options.after);
  // the driver serializes Maps as documents
  const stages = pipeline as unknown as Record<string, unknown>[];
  const stream = collectionOf(mongo.client, namespace).watch(stages, watchOptions);
  const first = await mapped(() => beginReading(stream));
  let isClosing = false;
  return {
    get position() {
      const token = stream.resumeToken;
      return token === undefined || token === null ? undefined : formatToken(token);
    },
    close() {
      isClosing = true;
      return stream.close();
    },
    async *[Symbol.asyncIterator]() {
      let { reading } = first as { reading: Promise<ChangeStreamDocument> | undefined };
      for (;;) {
        const next = reading ?? stream.next();
        reading = undefined;
        const change = await mapped(() => next).catch((error: unknown) => {
          // the driver also closes a stream that fails
          if (isClosing) return undefined;
          throw error;
        });
        if (change === undefined) return;
        yield toEvent(change);
        if (change.operationType === 'invalidate') return;
      }
    },
  };
}

/**
 * The position after the next event of a collection, without looking into the event.
 *
 * @returns undefined when no event comes within some seconds
 */
export async function nextPosition(
  mongo: MongoAccess,
  namespace: Namespace,
  options: { readonly permit: Permit; readonly after: string },
): Promise<string | undefined> {
  const stream = collectionOf(mongo.client, namespace).watch([{ $project: { _id: 1 } }], {
    startAfter: parseToken(options.after),
    batchSize: 1,
    maxAwaitTimeMS: 1000,
  });
  try {
    for (let attempts = 0; attempts < 3; attempts += 1) {
      const event = await mapped(() => stream.tryNext());
      if (event !== null) return formatToken(event._id);
    }
    return undefined;
  } finally {
    await stream.close();
  }
}

/** A resume token as RESTHeart writes it: Extended JSON on one line, a blank after each colon (streams.md §4). */
function formatToken(token: unknown): string {
  // names and values of tokens are hexadecimal or Base64: no text in them looks like the end of a name
  return BSON.EJSON.stringify(token).replaceAll('":', '": ');
}

function parseToken(text: string): BSON.Document {
  return BSON.EJSON.parse(text);
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

function toEvent(change: ChangeStreamDocument): ChangeEvent {
  const members = change as unknown as Readonly<Record<string, unknown>>;
  const document: BsonDocument = new Map();
  for (const name of MEMBERS) {
    const value = members[name];
    // a document that is gone when an update is looked up is absent, not null
    if (value === undefined || (value === null && change.operationType === 'update')) continue;
    document.set(name, fromDriver(value));
  }
  const full = document.get('fullDocument');
  if (full !== undefined && !isDocument(full)) document.set('fullDocument', null);
  const update = document.get('updateDescription');
  if (isDocument(update)) {
    document.set(
      'updateDescription',
      new Map<string, BsonValue>([
        ['updatedFields', update.get('updatedFields') ?? null],
        ['removedFields', update.get('removedFields') ?? []],
      ]),
    );
  }
  return { id: formatToken(change._id), document };
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
