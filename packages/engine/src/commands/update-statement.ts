import { createUpdatePipelineCompiler } from '../aggregation/update-pipeline.ts';
import { type Document, isDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { compileFilter } from '../query/filter.ts';
import { compileUpdate } from '../query/update.ts';
import type { CommandContext } from './context.ts';
import {
  findWritable,
  type UpdatedDocument,
  type UpdateRequest,
  updateStored,
  upsertInto,
} from './document-writes.ts';
import { isTrue } from './field-types.ts';
import { readHint } from './matched-record.ts';
import {
  allMatches,
  firstMatch,
  type Location,
  type RecordQuery,
  writeAllMatches,
} from './matched-records.ts';
import { createQueryEnvironment } from './query-environment.ts';
import type { WriteTarget } from './run-write.ts';
import type { StatementOutcome } from './write-statements.ts';

/** An update as a value: from `update`, `findAndModify` or `bulkWrite`. */
export interface UpdateStatement {
  readonly filter: Document;
  readonly update: Value;
  readonly multi: boolean;
  readonly upsert: boolean;
  readonly arrayFilters: readonly Document[] | undefined;
  readonly sort: Document | undefined;
  readonly hint: Value | undefined;
  /** Where `collation` and the constants `c` stand. */
  readonly source: Document;
  readonly bypassValidation: boolean;
}

/** A statement made ready to run against one collection. */
export interface PreparedUpdate {
  readonly statement: UpdateStatement;
  readonly collectionName: string;
  readonly request: UpdateRequest;
  readonly query: RecordQuery;
}

/** @throws FailedToParse and others when the statement is not a valid update */
export function prepareUpdate(
  context: CommandContext,
  collectionName: string,
  statement: UpdateStatement,
): PreparedUpdate {
  const { update } = statement;
  if (!isDocument(update) && !Array.isArray(update)) {
    throw new MongoCommandError(
      'FailedToParse',
      'Update argument must be either an object or an array',
    );
  }
  const collection = context.services.catalog.find(context.view, context.database, collectionName);
  const ownCollation = collection?.options.get('collation');
  const environment = createQueryEnvironment(
    context,
    statement.source,
    isDocument(ownCollation) ? ownCollation : undefined,
  );
  const filter = compileFilter(statement.filter, environment.filterOptions);
  const compiled = compileUpdate(update, {
    arrayFilters: statement.arrayFilters,
    collation: environment.collation,
    variables: environment.variables,
    compileExpression: environment.compileExpression,
    compilePipeline: createUpdatePipelineCompiler(environment.runtime),
  });
  checkMulti(statement, compiled.isReplacement);
  return {
    statement,
    collectionName,
    request: {
      filter,
      update: compiled,
      environment,
      bypassValidation: statement.bypassValidation,
    },
    query: { filter, sort: statement.sort, hint: readHint(statement.hint), environment },
  };
}

function checkMulti(statement: UpdateStatement, isReplacement: boolean): void {
  if (!statement.multi) return;
  if (isReplacement) {
    throw new MongoCommandError(
      'FailedToParse',
      'multi update is not supported for replacement-style update',
    );
  }
  if (statement.sort !== undefined) {
    throw new MongoCommandError('FailedToParse', 'Cannot specify sort with multi=true');
  }
}

/** Runs an update inside a batch; of a single one it also tells the document before and after. */
export function runUpdate(
  context: CommandContext,
  target: WriteTarget,
  prepared: PreparedUpdate,
  location?: Location,
): StatementOutcome & { readonly document?: UpdatedDocument } {
  const { statement, query, request, collectionName } = prepared;
  const collection = findWritable(context, target.batch, collectionName);
  if (collection !== undefined && statement.multi) {
    const all = allMatches(target.batch, collection, query);
    let modified = 0;
    for (const record of all) {
      if (updateStored(context, target, collection, record, request).modified) modified += 1;
    }
    if (all.length > 0 || !statement.upsert) return { n: all.length, modified };
  } else if (collection !== undefined) {
    const record = firstMatch(target.batch, collection, query, location);
    if (record !== undefined) {
      const document = updateStored(context, target, collection, record, request);
      return { n: 1, modified: document.modified ? 1 : 0, document };
    }
  }
  return statement.upsert ? upsert(context, target, prepared) : { n: 0, modified: 0 };
}

function upsert(
  context: CommandContext,
  target: WriteTarget,
  { collectionName, request }: PreparedUpdate,
): StatementOutcome & { readonly document?: UpdatedDocument } {
  const after = upsertInto(context, target, collectionName, request);
  return {
    n: 1,
    modified: 0,
    upserted: after.get('_id') ?? null,
    document: { modified: false, before: new Map(), after },
  };
}

/** Runs an update of many documents in several batches; not for transactions. */
export async function runLargeUpdate(
  context: CommandContext,
  prepared: PreparedUpdate,
  run: (work: (target: WriteTarget) => StatementOutcome) => Promise<StatementOutcome>,
): Promise<StatementOutcome> {
  const { statement, query, request, collectionName } = prepared;
  const { matched, modified } = await writeAllMatches(
    context,
    collectionName,
    query,
    (target, collection, record) =>
      updateStored(context, target, collection, record, request).modified,
  );
  if (matched > 0 || !statement.upsert) return { n: matched, modified };
  return run((target) => runUpdate(context, target, prepared));
}

/** The fields of an element of `updates` as a statement. */
export function toUpdateStatement(context: CommandContext, element: Document): UpdateStatement {
  const filter = element.get('q') ?? null;
  const arrayFilters = element.get('arrayFilters');
  const sort = element.get('sort');
  if (!isDocument(filter)) {
    throw new MongoCommandError(
      'TypeMismatch',
      "BSON field 'update.updates.q' is the wrong type, expected type 'object'",
    );
  }
  return {
    filter,
    update: element.get('u') ?? null,
    multi: isTrue(element.get('multi')),
    upsert: isTrue(element.get('upsert')),
    arrayFilters: Array.isArray(arrayFilters) ? arrayFilters.filter(isDocument) : undefined,
    sort: isDocument(sort) && sort.size > 0 ? sort : undefined,
    hint: element.get('hint'),
    source: element,
    bypassValidation: isTrue(context.args.get('bypassDocumentValidation')),
  };
}
