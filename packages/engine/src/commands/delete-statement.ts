import { type Document, isDocument, type Value } from '../bson/value.ts';
import { compileFilter } from '../query/filter.ts';
import type { CommandContext } from './context.ts';
import { findWritable, removeFrom } from './document-writes.ts';
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

/** A delete as a value: from `delete`, `findAndModify` or `bulkWrite`. */
export interface DeleteStatement {
  readonly filter: Document;
  readonly multi: boolean;
  readonly sort?: Document | undefined;
  readonly hint: Value | undefined;
  /** Where `collation` stands. */
  readonly source: Document;
}

export interface PreparedDelete {
  readonly collectionName: string;
  readonly multi: boolean;
  readonly query: RecordQuery;
}

export function prepareDelete(
  context: CommandContext,
  collectionName: string,
  statement: DeleteStatement,
): PreparedDelete {
  const collection = context.services.catalog.find(context.view, context.database, collectionName);
  const ownCollation = collection?.options.get('collation');
  const environment = createQueryEnvironment(
    context,
    statement.source,
    isDocument(ownCollation) ? ownCollation : undefined,
  );
  const filter = compileFilter(statement.filter, environment.filterOptions);
  return {
    collectionName,
    multi: statement.multi,
    query: { filter, sort: statement.sort, hint: readHint(statement.hint), environment },
  };
}

/** Runs a delete inside a batch; of a single one it also tells the document. */
export function runDelete(
  context: CommandContext,
  target: WriteTarget,
  prepared: PreparedDelete,
  location?: Location,
): StatementOutcome & { readonly document?: Document } {
  const collection = findWritable(context, target.batch, prepared.collectionName);
  if (collection === undefined) return { n: 0 };
  if (prepared.multi) {
    const all = allMatches(target.batch, collection, prepared.query);
    for (const record of all) removeFrom(target, collection, record);
    return { n: all.length };
  }
  const record = firstMatch(target.batch, collection, prepared.query, location);
  if (record === undefined) return { n: 0 };
  return { n: 1, document: removeFrom(target, collection, record) };
}

/** Runs a delete of many documents in several batches; not for transactions. */
export async function runLargeDelete(
  context: CommandContext,
  prepared: PreparedDelete,
): Promise<StatementOutcome> {
  const { matched } = await writeAllMatches(
    context,
    prepared.collectionName,
    prepared.query,
    (target, collection, record) => {
      removeFrom(target, collection, record);
      return true;
    },
  );
  return { n: matched };
}
