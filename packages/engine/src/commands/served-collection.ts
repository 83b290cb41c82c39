/** Collections that are not stored but served from what the server knows: `local.oplog.rs` … */
import { encodeDocument } from '../bson/codec.ts';
import { DateTime, type Document, isDocument, Timestamp, toDocument } from '../bson/value.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { toOplogDocuments } from '../oplog/oplog-document.ts';
import { type Position, toPosition } from '../oplog/oplog-entry.ts';
import type { EngineServices } from './engine-services.ts';
import { setConfiguration } from './repl-set-get-config.ts';
import { FEATURE_COMPATIBILITY_VERSION, SERVER_VERSION } from './server-identity.ts';

/** What is read, and in which direction. */
export interface ServedRead {
  /** Newest first, where there is an order of time. */
  readonly backwards?: boolean;
  /** Conditions that all documents have to meet; the reader tests them all the same. */
  readonly filter?: Document | undefined;
}

export interface ServedCollection {
  readonly name: string;
  readonly options: Document;
  count(services: EngineServices): number;
  sizeBytes(services: EngineServices): number;
  read(services: EngineServices, read: ServedRead): Iterable<Document | Pause>;
  /** Follows what is appended; present for what tailable cursors may read. */
  readonly follow?: (services: EngineServices) => (wake: () => void) => () => void;
}

const ENTRIES_PER_PAUSE = 64;

/** The log as MongoDB's replica set members show it (manual, "Replica Set Oplog"). */
const OPLOG: ServedCollection = {
  name: 'oplog.rs',
  options: toDocument({ capped: true, autoIndexId: false }),
  count: ({ oplog }) => oplog.countEntries(),
  sizeBytes: ({ oplog }) => oplog.sizeBytes,
  *read({ oplog }, { backwards, filter }) {
    const after = earliest(filter);
    let read = 0;
    for (const entry of backwards ? oplog.readBackwards() : oplog.readAfter(after)) {
      if (backwards && entry.position <= after) return;
      const documents = toOplogDocuments(entry);
      yield* backwards ? documents.reverse() : documents;
      read += 1;
      if (read % ENTRIES_PER_PAUSE === 0) yield PAUSE;
    }
  },
  follow:
    ({ oplog }) =>
    (wake) =>
      oplog.onCommit(wake),
};

/** The place behind which a filter on `ts` begins, so that a long log is not read from its start. */
function earliest(filter: Document | undefined): Position {
  const condition = filter?.get('ts');
  if (condition instanceof Timestamp) return before(condition);
  if (!isDocument(condition)) return 0n;
  const from = condition.get('$gte') ?? condition.get('$gt') ?? condition.get('$eq');
  return from instanceof Timestamp ? before(from) : 0n;
}

function before(timestamp: Timestamp): Position {
  const position = toPosition(timestamp);
  return position > 0n ? position - 1n : 0n;
}

/** A collection of few documents that are made when they are asked for. */
function small(
  name: string,
  documents: (services: EngineServices) => readonly Document[],
): ServedCollection {
  return {
    name,
    options: toDocument({}),
    count: (services) => documents(services).length,
    sizeBytes: (services) =>
      documents(services).reduce((sum, one) => sum + encodeDocument(one).length, 0),
    read: (services) => documents(services),
  };
}

const STARTUP_LOG = small('startup_log', ({ identity }) => [
  toDocument({
    _id: `${identity.address}-${identity.startedAtMs}`,
    hostname: identity.address,
    startTime: new DateTime(identity.startedAtMs),
    pid: BigInt(process.pid),
    buildinfo: toDocument({ version: SERVER_VERSION }),
  }),
]);

/** The set's configuration, which shells take for the sign of a replica set. */
const REPLSET = small('system.replset', ({ identity }) => [setConfiguration(identity)]);

const VERSIONS = small('system.version', () => [
  toDocument({ _id: 'featureCompatibilityVersion', version: FEATURE_COMPATIBILITY_VERSION }),
]);

const SERVED: Readonly<Record<string, readonly ServedCollection[]>> = {
  local: [OPLOG, STARTUP_LOG, REPLSET],
  admin: [VERSIONS],
};

/** The served collections of a database. */
export function servedCollections(database: string): readonly ServedCollection[] {
  return Object.hasOwn(SERVED, database) ? (SERVED[database] ?? []) : [];
}

export function findServed(database: string, name: string): ServedCollection | undefined {
  return servedCollections(database).find((one) => one.name === name);
}
