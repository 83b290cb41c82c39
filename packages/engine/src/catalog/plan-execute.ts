/** Carrying out plans: the documents they find, or how many. */
import { decodeDocument, decodeFields } from '../bson/codec.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { ENTRIES_PER_PAUSE, PAUSE, type Pause } from '../lib/pause.ts';
import { fieldsOfFilter } from '../query/filter-fields.ts';
import type { SortPlan } from '../query/sort.ts';
import type { Direction } from '../storage/key-encoding.ts';
import type { ReadView } from '../storage/store.ts';
import type { Collection } from './collection.ts';
import { findById, readRecord } from './documents.ts';
import type { IndexScan, KeyRange } from './index-scan.ts';
import type { Access, Plan } from './plan.ts';
import { type RecordId, readRecordId, recordIdOfKey } from './store-keys.ts';
import { TopSorter } from './top-sorter.ts';

/** A document that a plan has found; decoded when it is asked for. */
export class FoundRecord {
  readonly recordId: RecordId;
  readonly bytes: Uint8Array;
  #document: Document | undefined;

  constructor(recordId: RecordId, bytes: Uint8Array) {
    this.recordId = recordId;
    this.bytes = bytes;
  }

  document(): Document {
    this.#document ??= decodeDocument(this.bytes);
    return this.#document;
  }
}

/** What the carrying out of a plan has cost. */
export class ExecutionStats {
  keysExamined = 0;
  docsExamined = 0;
  /** Documents that passed the filter, before they were sorted, skipped and limited. */
  matched = 0;
  returned = 0;
  elapsedMs = 0;
}

/** Says when it is time to yield a pause: after so many entries that gave nothing. */
class Silence {
  #entries = 0;

  isLong(): boolean {
    this.#entries += 1;
    if (this.#entries < ENTRIES_PER_PAUSE) return false;
    this.#entries = 0;
    return true;
  }

  end(): void {
    this.#entries = 0;
  }
}

function* rangesOf(scan: IndexScan, direction: Direction): Generator<KeyRange> {
  if (direction === 1) {
    yield* scan.ranges;
    return;
  }
  for (let i = scan.ranges.length - 1; i >= 0; i--) yield scan.ranges[i] as KeyRange;
}

/** Record ids in the order of an index, each once. */
function* scanIndex(
  view: ReadView,
  scan: IndexScan,
  direction: Direction,
  stats: ExecutionStats,
  seen: Set<RecordId> | undefined = scan.index.flags.isMultikey ? new Set() : undefined,
): Generator<RecordId | Pause, void, undefined> {
  const { index } = scan;
  if (scan.hasPoints === true && index.hasUniqueEntries) {
    yield* lookUp(view, scan, direction, stats, seen);
    return;
  }
  const silence = new Silence();
  for (const { start, end } of rangesOf(scan, direction)) {
    const keysOnly = !index.hasUniqueEntries;
    const entries = view.range('index', { start, end, keysOnly, reverse: direction === -1 });
    for (const { key, value } of entries) {
      if (index.isDropped) throw indexDropped(index.name);
      stats.keysExamined += 1;
      const recordId = keysOnly ? recordIdOfKey(key) : readRecordId(value);
      if (seen !== undefined) {
        if (seen.has(recordId)) {
          if (silence.isLong()) yield PAUSE;
          continue;
        }
        seen.add(recordId);
      }
      silence.end();
      yield recordId;
    }
    // its keys are cleared away, so that the range may have ended early
    if (index.isDropped) throw indexDropped(index.name);
  }
}

function indexDropped(name: string): MongoCommandError {
  return new MongoCommandError('QueryPlanKilled', `query plan killed :: index '${name}' dropped`);
}

/** Whole keys of a unique index are looked up, which costs a third of a range. */
function* lookUp(
  view: ReadView,
  scan: IndexScan,
  direction: Direction,
  stats: ExecutionStats,
  seen: Set<RecordId> | undefined,
): Generator<RecordId | Pause, void, undefined> {
  const silence = new Silence();
  for (const { start } of rangesOf(scan, direction)) {
    const value = view.get('index', start);
    const recordId = value === undefined ? undefined : readRecordId(value);
    if (recordId !== undefined) stats.keysExamined += 1;
    if (recordId === undefined || seen?.has(recordId) === true) {
      if (silence.isLong()) yield PAUSE;
      continue;
    }
    seen?.add(recordId);
    silence.end();
    yield recordId;
  }
}

function* fetchRecords(
  view: ReadView,
  collection: Collection,
  recordIds: Iterable<RecordId | Pause>,
  stats: ExecutionStats,
): Generator<FoundRecord | Pause, void, undefined> {
  for (const recordId of recordIds) {
    if (recordId === PAUSE) {
      yield PAUSE;
      continue;
    }
    const record = readRecord(view, collection, recordId);
    // removed since the index was read
    if (record === undefined) continue;
    stats.docsExamined += 1;
    yield new FoundRecord(record.recordId, record.bytes);
  }
}

function* scanCollection(
  view: ReadView,
  collection: Collection,
  direction: Direction,
  skip: number,
  stats: ExecutionStats,
): Generator<FoundRecord | Pause, void, undefined> {
  const { prefix, end } = collection.space;
  const reverse = direction === -1;
  let bounds: KeyRange & { startExclusive?: boolean } = { start: prefix, end };
  if (skip > 0) {
    const last: Uint8Array | undefined = yield* skipKeys(view, bounds, reverse, skip);
    if (last === undefined) return;
    const at = Buffer.from(last);
    bounds = reverse ? { start: prefix, end: at } : { start: at, end, startExclusive: true };
  }
  for (const { key, value } of view.range('records', { ...bounds, reverse })) {
    stats.docsExamined += 1;
    yield new FoundRecord(recordIdOfKey(key), value);
  }
}

/** Passes over documents without reading them; the last key passed, or nothing at the end. */
function* skipKeys(
  view: ReadView,
  bounds: KeyRange,
  reverse: boolean,
  skip: number,
): Generator<Pause, Uint8Array | undefined, undefined> {
  const silence = new Silence();
  let passed = 0;
  for (const { key } of view.range('records', { ...bounds, reverse, keysOnly: true })) {
    passed += 1;
    if (passed === skip) return key;
    if (silence.isLong()) yield PAUSE;
  }
  return undefined;
}

function* unionOf(
  view: ReadView,
  branches: readonly IndexScan[],
  stats: ExecutionStats,
): Generator<RecordId | Pause, void, undefined> {
  const seen = new Set<RecordId>();
  for (const branch of branches) yield* scanIndex(view, branch, 1, stats, seen);
}

function* oneById(
  view: ReadView,
  collection: Collection,
  id: Value,
  stats: ExecutionStats,
): Generator<FoundRecord, void, undefined> {
  const record = findById(view, collection, id);
  if (record === undefined) return;
  stats.keysExamined += 1;
  stats.docsExamined += 1;
  yield new FoundRecord(record.recordId, record.bytes);
}

function* skipIds(
  recordIds: Iterable<RecordId | Pause>,
  skip: number,
): Generator<RecordId | Pause, void, undefined> {
  const silence = new Silence();
  let left = skip;
  for (const recordId of recordIds) {
    if (recordId === PAUSE || left === 0) {
      yield recordId;
      continue;
    }
    left -= 1;
    if (silence.isLong()) yield PAUSE;
  }
}

function recordIdsOf(
  view: ReadView,
  plan: Plan,
  stats: ExecutionStats,
): Iterable<RecordId | Pause> | undefined {
  const { access } = plan;
  if (access.kind === 'index') return scanIndex(view, access.scan, access.direction, stats);
  if (access.kind === 'or') return unionOf(view, access.branches, stats);
  return undefined;
}

/** The documents of the plan's access path, `skip` of them passed over unread. */
function sourceOf(
  view: ReadView,
  plan: Plan,
  skip: number,
  stats: ExecutionStats,
): Iterable<FoundRecord | Pause> {
  const { access, collection } = plan;
  const recordIds = recordIdsOf(view, plan, stats);
  if (recordIds !== undefined) {
    const wanted = skip > 0 ? skipIds(recordIds, skip) : recordIds;
    return fetchRecords(view, collection, wanted, stats);
  }
  if (access.kind === 'collection') {
    return scanCollection(view, collection, access.direction, skip, stats);
  }
  return access.kind === 'id' && skip === 0 ? oneById(view, collection, access.id, stats) : [];
}

function* filterRecords(
  records: Iterable<FoundRecord | Pause>,
  plan: Plan,
  stats: ExecutionStats,
): Generator<FoundRecord | Pause, void, undefined> {
  const { filter } = plan;
  const silence = new Silence();
  const fields =
    filter === undefined || !plan.testsDocuments ? undefined : fieldsOfFilter(filter.root);
  const isMatch = (record: FoundRecord): boolean =>
    filter === undefined ||
    !plan.testsDocuments ||
    filter.matches(fields === undefined ? record.document() : decodeFields(record.bytes, fields));
  for (const record of records) {
    if (record === PAUSE) {
      yield PAUSE;
    } else if (isMatch(record)) {
      stats.matched += 1;
      silence.end();
      yield record;
    } else if (silence.isLong()) {
      yield PAUSE;
    }
  }
}

function* sortRecords(
  records: Iterable<FoundRecord | Pause>,
  sort: SortPlan,
  limit: number,
): Generator<FoundRecord | Pause, void, undefined> {
  const sorter = new TopSorter<FoundRecord>(sort, limit);
  const silence = new Silence();
  for (const record of records) {
    if (record === PAUSE) {
      yield PAUSE;
      continue;
    }
    // a fresh record is kept, so that the decoded document is not
    sorter.add(sort.key(record.document()), new FoundRecord(record.recordId, record.bytes));
    if (silence.isLong()) yield PAUSE;
  }
  yield* sorter.finish();
}

function* cut(
  records: Iterable<FoundRecord | Pause>,
  skip: number,
  limit: number,
  stats: ExecutionStats,
): Generator<FoundRecord | Pause, void, undefined> {
  let toSkip = skip;
  const silence = new Silence();
  for (const record of records) {
    if (record === PAUSE) {
      yield PAUSE;
    } else if (toSkip > 0) {
      toSkip -= 1;
      if (silence.isLong()) yield PAUSE;
    } else {
      stats.returned += 1;
      yield record;
      if (limit > 0 && stats.returned >= limit) return;
    }
  }
}

/** Counts the indexes that a read goes by; explaining it does not count (manual, "$indexStats"). */
function noteUse(access: Access): void {
  if (access.kind === 'index') access.scan.index.use.count += 1;
  else if (access.kind === 'id') access.index.use.count += 1;
  else if (access.kind === 'or') for (const { index } of access.branches) index.use.count += 1;
}

/**
 * The documents a plan finds, in its order, with `PAUSE` where it has looked at many entries without
 * finding one. On the latest view it holds nothing between two steps, so it can rest for as long as
 * a cursor lives; a document that is changed meanwhile may be missed or met again, as in MongoDB.
 */
export function executePlan(
  view: ReadView,
  plan: Plan,
  explained?: ExecutionStats,
): Iterable<FoundRecord | Pause> {
  if (explained === undefined) noteUse(plan.access);
  const stats = explained ?? new ExecutionStats();
  const skipsUnread = !plan.testsDocuments && plan.sort === undefined;
  const source = sourceOf(view, plan, skipsUnread ? plan.skip : 0, stats);
  let records: Iterable<FoundRecord | Pause> = filterRecords(source, plan, stats);
  if (plan.sort !== undefined) {
    const wanted = plan.limit > 0 ? plan.skip + plan.limit : 0;
    records = sortRecords(records, plan.sort, wanted);
  }
  return cut(records, skipsUnread ? 0 : plan.skip, plan.limit, stats);
}

/** How many documents a plan finds; from the index alone where that suffices. */
export function* countPlan(
  view: ReadView,
  plan: Plan,
  explained?: ExecutionStats,
): Generator<Pause, number, undefined> {
  if (explained === undefined) noteUse(plan.access);
  const stats = explained ?? new ExecutionStats();
  const total = yield* countAll(view, plan, stats);
  const rest = Math.max(0, total - plan.skip);
  return plan.limit > 0 ? Math.min(rest, plan.limit) : rest;
}

function* countAll(
  view: ReadView,
  plan: Plan,
  stats: ExecutionStats,
): Generator<Pause, number, undefined> {
  if (!plan.testsDocuments && plan.access.kind === 'collection') {
    return view.counters(plan.collection.id).count;
  }
  const enough = plan.limit > 0 ? plan.skip + plan.limit : Number.POSITIVE_INFINITY;
  const recordIds = plan.testsDocuments ? undefined : recordIdsOf(view, plan, stats);
  const source: Iterable<unknown> =
    recordIds ?? filterRecords(sourceOf(view, plan, 0, stats), plan, stats);
  const silence = new Silence();
  let count = 0;
  for (const found of source) {
    if (found === PAUSE) {
      yield PAUSE;
      continue;
    }
    count += 1;
    if (count >= enough) break;
    if (silence.isLong()) yield PAUSE;
  }
  return count;
}
