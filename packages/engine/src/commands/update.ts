import { type Document, isDocument, toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { isLongSearch, locate } from './matched-records.ts';
import { reply } from './reply.ts';
import { runWrite } from './run-write.ts';
import {
  type PreparedUpdate,
  prepareUpdate,
  runLargeUpdate,
  runUpdate,
  toUpdateStatement,
} from './update-statement.ts';
import {
  type BatchOutcome,
  readStatements,
  runStatements,
  writeReplyFields,
} from './write-statements.ts';

const STATEMENT_FIELDS: ReadonlySet<string> = new Set([
  'q',
  'u',
  'c',
  'multi',
  'upsert',
  'collation',
  'arrayFilters',
  'hint',
  'sort',
  'sampleId',
  'upsertSupplied',
]);

/** `update` (manual). */
export const update: CommandDefinition = {
  name: 'update',
  help: 'Updates documents',
  stable: true,
  inTransactions: true,
  retryable: true,
  privilege: 'write',
  fields: {
    updates: 'array',
    ordered: 'bool',
    bypassDocumentValidation: 'bool',
    bypassEmptyTsReplacement: 'bool',
    let: 'object',
    collectionUUID: 'binData',
    encryptionInformation: 'any',
  },
  async run(context) {
    const name = context.collectionName;
    const statements = readStatements(context, 'updates', STATEMENT_FIELDS, ['q', 'u']);
    context.services.counters.update += statements.length;
    const prepare = (index: number): PreparedUpdate =>
      prepareUpdate(context, name, toUpdateStatement(context, statements[index] ?? new Map()));
    const outcome = await runStatements(context, {
      count: statements.length,
      ordered: context.args.get('ordered') !== false,
      isAlone: (index) =>
        context.transaction === undefined && statements[index]?.get('multi') === true,
      runAlone: async (index) =>
        runLargeUpdate(context, prepare(index), (work) => runWrite(context, work)),
      isSearched: (index) => {
        const filter = statements[index]?.get('q');
        return (
          isDocument(filter) && isLongSearch(context, name, filter, () => prepare(index).query)
        );
      },
      search: async (index) => locate(context, name, prepare(index).query),
      run: (target, index, location) => runUpdate(context, target, prepare(index), location),
    });
    return updateReply(context, outcome);
  },
};

function updateReply(context: CommandContext, outcome: BatchOutcome): Document {
  let n = 0;
  let nModified = 0;
  const upserted: Document[] = [];
  for (const [index, statement] of outcome.outcomes) {
    n += statement.n;
    nModified += statement.modified ?? 0;
    if (statement.upserted !== undefined) {
      upserted.push(toDocument({ index, _id: statement.upserted }));
    }
  }
  return reply({
    n,
    ...(upserted.length > 0 && { upserted }),
    nModified,
    ...writeReplyFields(context, outcome),
  });
}
