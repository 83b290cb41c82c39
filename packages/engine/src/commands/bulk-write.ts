import { encodeDocument } from '../bson/codec.ts';
import { type Document, isDocument, toDocument, toDouble, type Value } from '../bson/value.ts';
import { checkCollectionName } from '../catalog/namespace.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { splitNamespace } from '../oplog/change-event.ts';
import { sourceOf } from '../session/cursor.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { cursorBatchSize, firstBatchLimit, openCursor } from './cursor-reply.ts';
import {
  type PreparedDelete,
  prepareDelete,
  runDelete,
  runLargeDelete,
} from './delete-statement.ts';
import { ensureWritable, insertInto, presentTimestamp } from './document-writes.ts';
import { isTrue, toNumber } from './field-types.ts';
import { toInsertable } from './insertable-document.ts';
import { isLongSearch, type Location, locate, type RecordQuery } from './matched-records.ts';
import { runWrite, type WriteTarget } from './run-write.ts';
import {
  type PreparedUpdate,
  prepareUpdate,
  runLargeUpdate,
  runUpdate,
} from './update-statement.ts';
import {
  type BatchOutcome,
  checkBatchSize,
  runStatements,
  type StatementOutcome,
  writeErrorDocument,
} from './write-statements.ts';

type OperationKind = 'insert' | 'update' | 'delete';

interface BulkOperation {
  readonly kind: OperationKind;
  readonly element: Document;
  readonly context: CommandContext;
  readonly collection: string;
}

/** The fields each kind of operation may have. */
const FIELDS: Readonly<Record<OperationKind, ReadonlySet<string>>> = {
  insert: new Set(['insert', 'document']),
  update: new Set([
    'update',
    'filter',
    'updateMods',
    'multi',
    'upsert',
    'upsertSupplied',
    'arrayFilters',
    'hint',
    'collation',
    'constants',
    'sort',
    'sampleId',
  ]),
  delete: new Set(['delete', 'filter', 'multi', 'hint', 'collation', 'sampleId']),
};

/** `bulkWrite` (manual): writes of all kinds to several collections in one command. */
export const bulkWrite: CommandDefinition = {
  name: 'bulkWrite',
  help: 'Runs writes of several kinds on several collections',
  adminOnly: true,
  stable: true,
  inTransactions: true,
  retryable: true,
  privilege: 'write',
  fields: {
    ops: 'array',
    nsInfo: 'array',
    ordered: 'bool',
    errorsOnly: 'bool',
    bypassDocumentValidation: 'bool',
    bypassEmptyTsReplacement: 'bool',
    let: 'object',
    cursor: 'object',
  },
  async run(context) {
    const operations = readOperations(context);
    const outcome = await runStatements(context, {
      count: operations.length,
      ordered: context.args.get('ordered') !== false,
      isAlone: (index) =>
        context.transaction === undefined && isTrue(operations[index]?.element.get('multi')),
      runAlone: async (index) => runAlone(at(operations, index)),
      isSearched: (index) => {
        const operation = at(operations, index);
        if (operation.kind === 'insert') return false;
        return isLongSearch(
          operation.context,
          operation.collection,
          readFilter(operation.element),
          () => queryOf(operation),
        );
      },
      search: async (index) => {
        const operation = at(operations, index);
        return locate(operation.context, operation.collection, queryOf(operation));
      },
      run: (target, index, location) => runInside(target, at(operations, index), location),
    });
    return bulkReply(context, operations, outcome);
  },
};

function at(operations: readonly BulkOperation[], index: number): BulkOperation {
  const operation = operations[index];
  if (operation === undefined) throw new Error('no such operation');
  return operation;
}

/** @throws for malformed operations and namespaces, before anything is written */
function readOperations(context: CommandContext): BulkOperation[] {
  const ops = context.args.get('ops');
  const nsInfo = context.args.get('nsInfo');
  for (const [name, value] of [
    ['ops', ops],
    ['nsInfo', nsInfo],
  ] as const) {
    if (value === undefined) {
      throw new MongoCommandError(
        'Location40414',
        `BSON field 'bulkWrite.${name}' is missing but a required field`,
      );
    }
  }
  const elements = Array.isArray(ops) ? ops : [];
  checkBatchSize(elements.length);
  const namespaces = (Array.isArray(nsInfo) ? nsInfo : []).map((info) =>
    readNamespace(context, info),
  );
  return elements.map((element) => readOperation(element, namespaces));
}

function readNamespace(
  context: CommandContext,
  info: Value,
): { readonly context: CommandContext; readonly collection: string } {
  const ns = isDocument(info) ? info.get('ns') : undefined;
  if (typeof ns !== 'string') {
    throw new MongoCommandError(
      'Location40414',
      "BSON field 'bulkWrite.nsInfo.ns' is missing but a required field",
    );
  }
  const { database, collection } = splitNamespace(ns);
  checkCollectionName(database, collection);
  return { context: context.onDatabase(database), collection };
}

function readOperation(
  element: Value,
  namespaces: readonly { readonly context: CommandContext; readonly collection: string }[],
): BulkOperation {
  if (!isDocument(element)) {
    throw new MongoCommandError('TypeMismatch', "BSON field 'bulkWrite.ops' holds no documents");
  }
  const [first = ''] = element.keys();
  if (first !== 'insert' && first !== 'update' && first !== 'delete') {
    throw new MongoCommandError('FailedToParse', `Unknown bulkWrite operation: ${first}`);
  }
  for (const name of element.keys()) {
    if (!FIELDS[first].has(name)) {
      throw new MongoCommandError(
        'Location40415',
        `BSON field 'bulkWrite.ops.${name}' is an unknown field.`,
      );
    }
  }
  const namespace = namespaces[toNumber(element.get(first)) ?? -1];
  if (namespace === undefined) {
    throw new MongoCommandError(
      'BadValue',
      `BulkWrite ops entry ${first} has an invalid nsInfo index.`,
    );
  }
  return { kind: first, element, ...namespace };
}

function prepareBulkUpdate({ element, context, collection }: BulkOperation): PreparedUpdate {
  const arrayFilters = element.get('arrayFilters');
  const sort = element.get('sort');
  const constants = element.get('constants');
  return prepareUpdate(context, collection, {
    filter: readFilter(element),
    update: element.get('updateMods') ?? null,
    multi: isTrue(element.get('multi')),
    upsert: isTrue(element.get('upsert')),
    arrayFilters: Array.isArray(arrayFilters) ? arrayFilters.filter(isDocument) : undefined,
    sort: isDocument(sort) && sort.size > 0 ? sort : undefined,
    hint: element.get('hint'),
    source: constants === undefined ? element : new Map(element).set('c', constants),
    bypassValidation: isTrue(context.args.get('bypassDocumentValidation')),
  });
}

function prepareBulkDelete({ element, context, collection }: BulkOperation): PreparedDelete {
  return prepareDelete(context, collection, {
    filter: readFilter(element),
    multi: isTrue(element.get('multi')),
    hint: element.get('hint'),
    source: element,
  });
}

function readFilter(element: Document): Document {
  const filter = element.get('filter');
  if (isDocument(filter)) return filter;
  throw new MongoCommandError(
    'Location40414',
    "BSON field 'bulkWrite.ops.filter' is missing but a required field",
  );
}

function queryOf(operation: BulkOperation): RecordQuery {
  return operation.kind === 'delete'
    ? prepareBulkDelete(operation).query
    : prepareBulkUpdate(operation).query;
}

function runInside(
  target: WriteTarget,
  operation: BulkOperation,
  location: Location | undefined,
): StatementOutcome {
  const { kind, context, collection, element } = operation;
  switch (kind) {
    case 'insert': {
      const document = element.get('document');
      if (!isDocument(document)) {
        throw new MongoCommandError(
          'Location40414',
          "BSON field 'bulkWrite.ops.document' is missing but a required field",
        );
      }
      const insertable = toInsertable(encodeDocument(document), () =>
        presentTimestamp(context).toBigInt(),
      );
      insertInto(target, ensureWritable(context, target, collection), insertable, {
        bypassValidation: isTrue(context.args.get('bypassDocumentValidation')),
      });
      return { n: 1 };
    }
    case 'update':
      return runUpdate(context, target, prepareBulkUpdate(operation), location);
    case 'delete':
      return runDelete(context, target, prepareBulkDelete(operation), location);
  }
}

function runAlone(operation: BulkOperation): Promise<StatementOutcome> {
  const { context } = operation;
  if (operation.kind === 'delete') return runLargeDelete(context, prepareBulkDelete(operation));
  return runLargeUpdate(context, prepareBulkUpdate(operation), (work) => runWrite(context, work));
}

async function bulkReply(
  context: CommandContext,
  operations: readonly BulkOperation[],
  outcome: BatchOutcome,
): Promise<Document> {
  const totals = { nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 };
  const errorsOnly = isTrue(context.args.get('errorsOnly'));
  const items = new Map<number, Document>();
  for (const [index, statement] of outcome.outcomes) {
    addTo(totals, at(operations, index).kind, statement);
    if (!errorsOnly) items.set(index, itemOf(index, at(operations, index).kind, statement));
  }
  for (const error of outcome.errors) {
    const details = writeErrorDocument(error);
    details.delete('index');
    const item = toDocument({ ok: toDouble(0), idx: error.index, n: 0 });
    if (at(operations, error.index).kind === 'update') item.set('nModified', 0);
    for (const [name, value] of details) item.set(name, value);
    items.set(error.index, item);
  }
  const ordered = [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
  const document = await openCursor(
    context,
    { namespace: 'admin.$cmd.bulkWrite', source: sourceOf(ordered) },
    { limit: firstBatchOf(context) },
  );
  document.set('nErrors', outcome.errors.length);
  for (const [name, value] of Object.entries(totals)) document.set(name, value);
  if (outcome.retried.length > 0) document.set('retriedStmtIds', [...outcome.retried]);
  const { error } = context.writeConcern;
  if (error !== undefined) document.set('writeConcernError', error);
  return document;
}

/** Without a size all results go into one batch, as far as a reply can hold them. */
function firstBatchOf(context: CommandContext): number {
  const size = cursorBatchSize(context.args);
  return size === undefined ? Number.POSITIVE_INFINITY : firstBatchLimit(size);
}

function addTo(
  totals: Record<'nInserted' | 'nMatched' | 'nModified' | 'nUpserted' | 'nDeleted', number>,
  kind: OperationKind,
  statement: StatementOutcome,
): void {
  if (kind === 'insert') totals.nInserted += statement.n;
  else if (kind === 'delete') totals.nDeleted += statement.n;
  else if (statement.upserted !== undefined) totals.nUpserted += 1;
  else totals.nMatched += statement.n;
  totals.nModified += statement.modified ?? 0;
}

function itemOf(index: number, kind: OperationKind, statement: StatementOutcome): Document {
  return toDocument({
    ok: toDouble(1),
    idx: index,
    n: statement.n,
    ...(kind === 'update' && { nModified: statement.modified ?? 0 }),
    ...(statement.upserted !== undefined && {
      upserted: toDocument({ _id: statement.upserted }),
    }),
  });
}
