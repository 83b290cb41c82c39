import { decodeDocument } from '../bson/codec.ts';
import type { Document, Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { readRecord } from '../catalog/documents.ts';
import type { Plan } from '../catalog/plan.ts';
import { executePlan } from '../catalog/plan-execute.ts';
import { planFind } from '../catalog/planner.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { nextTurn, SLICE_MS } from '../lib/sliced.ts';
import type { Filter } from '../query/filter.ts';
import type { ReadView } from '../storage/store.ts';
import type { CommandContext } from './context.ts';
import { findWritable } from './document-writes.ts';
import type { MatchedRecord } from './matched-record.ts';
import type { QueryEnvironment } from './query-environment.ts';
import { runWrite, type WriteTarget } from './run-write.ts';

/** Which documents a write is about. */
export interface RecordQuery {
  readonly filter: Filter;
  readonly sort?: Document | undefined;
  readonly hint?: Value | undefined;
  readonly environment: QueryEnvironment;
}

/** Documents whose ids are gathered before a batch of them is written. */
const RECORDS_PER_BATCH = 1_000;

function records(
  view: ReadView,
  collection: Collection,
  query: RecordQuery,
): Iterable<MatchedRecord | Pause> {
  return executePlan(view, planOf(collection, query));
}

function planOf(collection: Collection, query: RecordQuery): Plan {
  return planFind(collection, {
    filter: query.filter,
    sort: query.sort,
    hint: query.hint,
    collation: query.environment.collation,
  });
}

/** What a search before the batch has found: the record of the first match, if there is one. */
export interface Location {
  readonly recordId: number | undefined;
}

/** Collections up to this size are searched inside the batch: it takes about a millisecond. */
const MAX_SEARCHED_IN_BATCH = 1_000;

/**
 * Whether the search for one document may go through many, which must not happen inside a batch:
 * there it would keep the event loop and the writer.
 */
export function isLongSearch(
  context: CommandContext,
  collectionName: string,
  filter: Document,
  query: () => RecordQuery,
): boolean {
  if (context.transaction !== undefined || filter.has('_id')) return false;
  const { store, catalog } = context.services;
  const collection = catalog.find(store.latest, context.database, collectionName);
  if (collection === undefined || collection.type === 'view') return false;
  if (store.latest.counters(collection.id).count <= MAX_SEARCHED_IN_BATCH) return false;
  const { access, sort } = planOf(collection, query());
  if (access.kind === 'index') return sort !== undefined || access.scan.equalFields === 0;
  return access.kind === 'collection' || sort !== undefined;
}

/** Looks for the first document that matches on the latest view, giving other work its turn. */
export async function locate(
  context: CommandContext,
  collectionName: string,
  query: RecordQuery,
): Promise<Location> {
  const { latest } = context.services.store;
  const collection = findWritable(context, latest, collectionName);
  if (collection === undefined) return { recordId: undefined };
  let sliceEnd = performance.now() + SLICE_MS;
  for (const record of records(latest, collection, query)) {
    if (record !== PAUSE) return { recordId: record.recordId };
    if (performance.now() > sliceEnd) {
      context.operation.check();
      await nextTurn();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  return { recordId: undefined };
}

/**
 * The first document that matches, looked for inside the batch itself.
 *
 * @param location - found before; looked for anew when it does not match any more
 */
export function firstMatch(
  view: ReadView,
  collection: Collection,
  query: RecordQuery,
  location?: Location,
): MatchedRecord | undefined {
  if (location !== undefined) {
    if (location.recordId === undefined) return undefined;
    const stored = readRecord(view, collection, location.recordId);
    const document = stored === undefined ? undefined : decodeDocument(stored.bytes);
    if (stored !== undefined && document !== undefined && query.filter.matches(document)) {
      return { ...stored, document: () => document };
    }
  }
  for (const record of records(view, collection, query)) {
    if (record !== PAUSE) return record;
  }
  return undefined;
}

/** All documents that match, gathered first: writing while scanning could meet one twice. */
export function allMatches(
  view: ReadView,
  collection: Collection,
  query: RecordQuery,
): MatchedRecord[] {
  const found: MatchedRecord[] = [];
  for (const record of records(view, collection, query)) {
    if (record !== PAUSE) found.push(record);
  }
  return found;
}

/**
 * Writes to all documents that match, however many: they are looked for on the latest view, giving
 * other work its turn, and written some at a time, each one checked again in the batch that writes it.
 *
 * @param write - true when it has changed the document
 */
export async function writeAllMatches(
  context: CommandContext,
  collectionName: string,
  query: RecordQuery,
  write: (target: WriteTarget, collection: Collection, record: MatchedRecord) => boolean,
): Promise<{ matched: number; modified: number }> {
  const collection = findWritable(context, context.services.store.latest, collectionName);
  const total = { matched: 0, modified: 0 };
  if (collection === undefined) return total;
  const seen = new Set<number>();
  let pending: MatchedRecord[] = [];
  const flush = async (): Promise<void> => {
    const chunk = pending;
    pending = [];
    if (chunk.length === 0) return;
    const done = await runWrite(context, (target) =>
      writeChunk(target, collection, query.filter, chunk, write),
    );
    total.matched += done.matched;
    total.modified += done.modified;
  };
  let sliceEnd = performance.now() + SLICE_MS;
  for (const record of records(context.services.store.latest, collection, query)) {
    if (record !== PAUSE && !seen.has(record.recordId)) {
      seen.add(record.recordId);
      pending.push(record);
    }
    if (pending.length >= RECORDS_PER_BATCH) await flush();
    if (performance.now() > sliceEnd) {
      context.operation.check();
      await nextTurn();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  await flush();
  return total;
}

function writeChunk(
  target: WriteTarget,
  collection: Collection,
  filter: Filter,
  chunk: readonly MatchedRecord[],
  write: (target: WriteTarget, collection: Collection, record: MatchedRecord) => boolean,
): { matched: number; modified: number } {
  let matched = 0;
  let modified = 0;
  if (collection.isDropped) return { matched, modified };
  for (const { recordId, bytes } of chunk) {
    const stored = readRecord(target.batch, collection, recordId);
    if (stored === undefined) continue;
    const document = decodeDocument(stored.bytes);
    const unchanged = Buffer.compare(bytes, stored.bytes) === 0;
    if (!unchanged && !filter.matches(document)) continue;
    matched += 1;
    if (write(target, collection, { ...stored, document: () => document })) modified += 1;
  }
  return { matched, modified };
}
