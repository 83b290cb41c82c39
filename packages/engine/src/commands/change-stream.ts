import { readStage, unknownStage } from '../aggregation/stage-spec.ts';
import { isStageName } from '../aggregation/stage-table.ts';
import { valuesEqual } from '../bson/compare.ts';
import { type Document, isDocument, RawDocument, Timestamp, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { type ChangeEvent, eventsOf, type WatchedScope } from '../oplog/change-event.ts';
import type { Oplog } from '../oplog/oplog.ts';
import { type Position, toPosition } from '../oplog/oplog-entry.ts';
import { formatResumeToken, parseResumeToken, type ResumePoint } from '../oplog/resume-token.ts';
import type { CursorSource } from '../session/cursor.ts';
import { checkType, isTrue } from './field-types.ts';
import { splitEvent } from './split-event.ts';

/** Entries looked through in silence before the event loop gets a turn. */
const ENTRIES_PER_PAUSE = 128;

const OPTIONS: ReadonlySet<string> = new Set([
  'fullDocument',
  'fullDocumentBeforeChange',
  'resumeAfter',
  'startAfter',
  'startAtOperationTime',
  'allChangesForCluster',
  'showExpandedEvents',
  'showSystemEvents',
  'showMigrationEvents',
  'showRawUpdateDescription',
  'showCommitTimestamp',
  'allowToRunOnConfigDB',
  'allowToRunOnSystemNS',
  'matchCollectionUUIDForUpdateLookup',
]);
const FLAGS = [
  'allChangesForCluster',
  'showExpandedEvents',
  'showSystemEvents',
  'showMigrationEvents',
  'showRawUpdateDescription',
] as const;
const FULL_DOCUMENT_MODES: readonly string[] = [
  'default',
  'updateLookup',
  'whenAvailable',
  'required',
];
const BEFORE_CHANGE_MODES: readonly string[] = ['off', 'whenAvailable', 'required'];

/** What `$changeStream` asks for (manual, "$changeStream"). */
export interface ChangeStreamOptions {
  readonly scope: WatchedScope;
  readonly fullDocument: string;
  readonly fullDocumentBeforeChange: string;
  readonly showExpandedEvents: boolean;
  readonly start: ResumePoint;
  /** Events too large for a document come in fragments. */
  readonly splitsLargeEvents: boolean;
}

/**
 * Reads the stage's options.
 *
 * @throws with MongoDB's codes for contradictions and for a place the log does not hold any more
 */
export function parseChangeStream(
  spec: Value,
  place: { readonly database: string; readonly collection: string | undefined },
  oplog: Oplog,
): Omit<ChangeStreamOptions, 'splitsLargeEvents'> {
  if (!isDocument(spec)) {
    throw new MongoCommandError(
      'Location50808',
      '$changeStream stage expects a document as argument',
    );
  }
  for (const name of spec.keys()) {
    if (!OPTIONS.has(name)) {
      throw new MongoCommandError(
        'Location40415',
        `BSON field '$changeStream.${name}' is an unknown field.`,
      );
    }
  }
  for (const name of FLAGS) checkType(`$changeStream.${name}`, spec.get(name) ?? null, 'bool');
  return {
    scope: readScope(spec, place),
    fullDocument: readMode(spec, 'fullDocument', FULL_DOCUMENT_MODES),
    fullDocumentBeforeChange: readMode(spec, 'fullDocumentBeforeChange', BEFORE_CHANGE_MODES),
    showExpandedEvents: isTrue(spec.get('showExpandedEvents')),
    start: readStart(spec, oplog),
  };
}

function readScope(
  spec: Document,
  place: { readonly database: string; readonly collection: string | undefined },
): WatchedScope {
  if (!isTrue(spec.get('allChangesForCluster'))) return place;
  if (place.database !== 'admin' || place.collection !== undefined) {
    throw new MongoCommandError(
      'InvalidOptions',
      "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name; found " +
        place.database,
    );
  }
  return {};
}

function readMode(spec: Document, name: string, modes: readonly string[]): string {
  const value = spec.get(name) ?? modes[0] ?? '';
  if (typeof value === 'string' && modes.includes(value)) return value;
  throw new MongoCommandError(
    typeof value === 'string' ? 'BadValue' : 'TypeMismatch',
    `Enumeration value '${String(value)}' for field '$changeStream.${name}' is not a valid value.`,
  );
}

function readStart(spec: Document, oplog: Oplog): ResumePoint {
  const given = ['resumeAfter', 'startAfter', 'startAtOperationTime'].filter((name) =>
    spec.has(name),
  );
  if (given.length === 2 && !given.includes('startAtOperationTime')) {
    throw new MongoCommandError(
      'Location50865',
      "Do not specify both 'resumeAfter' and 'startAfter' in a $changeStream stage",
    );
  }
  if (given.length > 1) {
    throw new MongoCommandError(
      'Location40674',
      'Only one type of resume option is allowed, but multiple were found.',
    );
  }
  const [option] = given;
  if (option === undefined) return momentOf(oplog.stablePosition);
  const value = spec.get(option) ?? null;
  if (option === 'startAtOperationTime') return startAt(value, oplog);
  if (!isDocument(value)) {
    throw new MongoCommandError(
      'TypeMismatch',
      `BSON field '$changeStream.${option}' is the wrong type, expected type 'object'`,
    );
  }
  const point = parseResumeToken(value);
  if (point.kind === 'invalidate' && option === 'resumeAfter') {
    throw new MongoCommandError(
      'InvalidResumeToken',
      "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.",
    );
  }
  checkHistory(point.position, oplog);
  return point;
}

function startAt(value: Value, oplog: Oplog): ResumePoint {
  if (!(value instanceof Timestamp)) {
    throw new MongoCommandError(
      'TypeMismatch',
      "BSON field '$changeStream.startAtOperationTime' is the wrong type, expected type 'timestamp'",
    );
  }
  const position = toPosition(value);
  checkHistory(position, oplog);
  return momentOf(position - 1n);
}

function checkHistory(position: Position, oplog: Oplog): void {
  if (position >= oplog.oldestPosition) return;
  throw new MongoCommandError(
    'ChangeStreamHistoryLost',
    'Resume of change stream was not possible, as the resume point may no longer be in the oplog.',
    { labels: ['NonResumableChangeStreamError'] },
  );
}

function momentOf(position: Position): ResumePoint {
  return { position, index: 0, kind: 'moment' };
}

export interface ChangeStreamParts {
  readonly oplog: Oplog;
  readonly options: ChangeStreamOptions;
  /** The document of that key as it is now, for fullDocument: updateLookup. */
  readonly lookUp: (event: ChangeEvent) => Document | undefined;
  /** The stages behind `$changeStream`; they must pass PAUSE on at once. */
  readonly transform: (
    events: Iterable<Document | Pause>,
  ) => Iterable<Document | RawDocument | Pause>;
}

/** The source of a change stream's cursor: reads the log and sleeps at its end. */
export class ChangeStreamSource implements CursorSource {
  readonly #oplog: Oplog;
  readonly #options: ChangeStreamOptions;
  readonly #lookUp: ChangeStreamParts['lookUp'];
  readonly #output: Iterator<Document | RawDocument | Pause>;
  /** All events up to here have been read. */
  #position: Position;
  #caughtUp = false;
  #ended = false;
  #token: Document;
  /** Fragments of an event that has been read but not sent as a whole. */
  #fragments: Document[] = [];
  /** The token of the event that went into the pipeline last. */
  #lastRead: Document | undefined;

  readonly tail: {
    readonly awaitData: true;
    onMore(wake: () => void): () => void;
    isEnded(): boolean;
  };

  constructor(parts: ChangeStreamParts) {
    this.#oplog = parts.oplog;
    this.#options = parts.options;
    this.#lookUp = parts.lookUp;
    const { start } = parts.options;
    this.#token = formatResumeToken(start);
    // the entry of an event token is read again: a transaction's later events are in it
    this.#position = start.kind === 'moment' ? start.position : start.position - 1n;
    this.#output = parts.transform(this.#events())[Symbol.iterator]();
    this.tail = {
      awaitData: true,
      onMore: (wake) => this.#oplog.onCommit(wake),
      isEnded: () => this.#ended,
    };
  }

  next(): Document | Pause | undefined {
    const fragment = this.#fragments.shift();
    if (fragment !== undefined) return this.#sent(fragment);
    if (this.#ended) return undefined;
    this.#caughtUp = false;
    const result = this.#output.next();
    if (result.done) {
      this.#ended = true;
      return undefined;
    }
    const { value } = result;
    if (value === PAUSE) {
      if (!this.#caughtUp) return PAUSE;
      this.#moveTokenToPresent();
      return undefined;
    }
    if (value instanceof RawDocument) throw new Error('change events are documents');
    this.#checkToken(value);
    const [first = value, ...others] = this.#options.splitsLargeEvents
      ? this.#notSentYet(splitEvent(value))
      : [value];
    this.#fragments = others;
    return this.#sent(first);
  }

  #sent(event: Document): Document {
    this.#token = event.get('_id') as Document;
    return event;
  }

  /** A client that resumes behind a fragment gets the ones after it. */
  #notSentYet(fragments: Document[]): Document[] {
    const { start } = this.#options;
    if (start.fragment === undefined || fragments.length === 1) return fragments;
    const { position, index } = parseResumeToken(this.#lastRead ?? null);
    const isResumed = position === start.position && index === start.index;
    return isResumed ? fragments.slice(start.fragment) : fragments;
  }

  postBatchResumeToken(): Document {
    return this.#token;
  }

  close(): void {
    this.#ended = true;
    this.#output.return?.();
  }

  /** Nothing more until the end of the log: the token may stand at the end. */
  #moveTokenToPresent(): void {
    if (parseResumeToken(this.#token).position < this.#position) {
      this.#token = formatResumeToken(momentOf(this.#position));
    }
  }

  #checkToken(event: Document): void {
    const token = event.get('_id');
    if (isDocument(token) && valuesEqual(token, this.#lastRead)) return;
    throw new MongoCommandError(
      'ChangeStreamFatalError',
      'Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed.',
      { labels: ['NonResumableChangeStreamError'] },
    );
  }

  *#events(): Generator<Document | Pause> {
    const { scope, showExpandedEvents } = this.#options;
    for (;;) {
      let silent = 0;
      for (const entry of this.#oplog.readAfter(this.#position)) {
        for (const event of eventsOf(entry, scope, showExpandedEvents)) {
          if (this.#isBeforeStart(event.point)) continue;
          this.#lastRead = event.document.get('_id') as Document;
          yield this.#complete(event);
          if (event.kind === 'invalidate') return;
        }
        this.#position = entry.position;
        silent += 1;
        if (silent % ENTRIES_PER_PAUSE === 0) yield PAUSE;
      }
      this.#caughtUp = true;
      yield PAUSE;
    }
  }

  #isBeforeStart(point: ResumePoint): boolean {
    const { start } = this.#options;
    if (start.kind === 'moment' || point.position !== start.position) return false;
    if (point.index !== start.index) return point.index < start.index;
    // of a split event the fragments behind the token are still to come
    if (start.fragment !== undefined && point.kind === 'event') return false;
    return start.kind === 'invalidate' || point.kind === 'event';
  }

  /** Adds the images the stream asks for. */
  #complete(event: ChangeEvent): Document {
    const { fullDocument, fullDocumentBeforeChange } = this.#options;
    const isUpdate = event.kind === 'update';
    const document: Document = new Map(event.document);
    if (isUpdate && fullDocument === 'updateLookup') {
      document.set('fullDocument', this.#lookUp(event) ?? null);
    } else if (isUpdate && fullDocument !== 'default') {
      requireImage(event, event.postImage, fullDocument, 'post-image');
      document.set('fullDocument', event.postImage ?? null);
    }
    const hasBefore = isUpdate || event.kind === 'replace' || event.kind === 'delete';
    if (hasBefore && fullDocumentBeforeChange !== 'off') {
      requireImage(event, event.preImage, fullDocumentBeforeChange, 'pre-image');
      document.set('fullDocumentBeforeChange', event.preImage ?? null);
    }
    return document;
  }
}

function requireImage(
  event: ChangeEvent,
  image: Value | undefined,
  mode: string,
  what: 'pre-image' | 'post-image',
): void {
  if (image !== undefined || mode !== 'required') return;
  throw new MongoCommandError(
    'NoMatchingDocument',
    `Change stream was configured to require a ${what} for all update, delete and replace events, but the ${what} was not found for event of kind ${event.kind}`,
    { labels: ['NonResumableChangeStreamError'] },
  );
}

/** The stage that a stream carries out itself. */
export const SPLIT_STAGE = '$changeStreamSplitLargeEvent';

const ALLOWED_STAGES: ReadonlySet<string> = new Set([
  '$addFields',
  '$match',
  '$project',
  '$replaceRoot',
  '$replaceWith',
  '$redact',
  '$set',
  '$unset',
  SPLIT_STAGE,
]);

/** @throws IllegalOperation for a stage that a change stream cannot have, Location40324 for none */
export function checkChangeStreamStages(stages: readonly Value[]): void {
  const splits = stages.findIndex((stage) => isDocument(stage) && stage.has(SPLIT_STAGE));
  if (splits !== -1 && splits !== stages.length - 1) {
    throw new MongoCommandError(
      'Location7182802',
      `${SPLIT_STAGE} must be the last stage in the pipeline`,
    );
  }
  for (const stage of stages) {
    const { name } = readStage(stage);
    if (!ALLOWED_STAGES.has(name)) {
      if (!isStageName(name)) throw unknownStage(name);
      throw new MongoCommandError(
        'IllegalOperation',
        `${name} is not permitted in a $changeStream pipeline`,
      );
    }
  }
}
