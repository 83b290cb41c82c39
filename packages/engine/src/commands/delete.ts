import { type Document, isDocument } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import {
  type DeleteStatement,
  type PreparedDelete,
  prepareDelete,
  runDelete,
  runLargeDelete,
} from './delete-statement.ts';
import { toNumber } from './field-types.ts';
import { isLongSearch, locate } from './matched-records.ts';
import { reply } from './reply.ts';
import { readStatements, runStatements, writeReplyFields } from './write-statements.ts';

const STATEMENT_FIELDS: ReadonlySet<string> = new Set([
  'q',
  'limit',
  'collation',
  'hint',
  'sampleId',
]);

/** `delete` (manual). */
export const deleteCommand: CommandDefinition = {
  name: 'delete',
  help: 'Removes documents',
  stable: true,
  inTransactions: true,
  retryable: true,
  privilege: 'write',
  fields: {
    deletes: 'array',
    ordered: 'bool',
    let: 'object',
    collectionUUID: 'binData',
    encryptionInformation: 'any',
  },
  async run(context) {
    const name = context.collectionName;
    const elements = readStatements(context, 'deletes', STATEMENT_FIELDS, ['q', 'limit']);
    const statements = elements.map(toStatement);
    context.services.counters.delete += statements.length;
    const prepare = (index: number): PreparedDelete => {
      const statement = statements[index];
      if (statement === undefined) throw new Error('no such statement');
      return prepareDelete(context, name, statement);
    };
    const outcome = await runStatements(context, {
      count: statements.length,
      ordered: context.args.get('ordered') !== false,
      isAlone: (index) => context.transaction === undefined && statements[index]?.multi === true,
      runAlone: async (index) => runLargeDelete(context, prepare(index)),
      isSearched: (index) =>
        isLongSearch(
          context,
          name,
          statements[index]?.filter ?? new Map(),
          () => prepare(index).query,
        ),
      search: async (index) => locate(context, name, prepare(index).query),
      run: (target, index, location) => runDelete(context, target, prepare(index), location),
    });
    let n = 0;
    for (const statement of outcome.outcomes.values()) n += statement.n;
    return reply({ n, ...writeReplyFields(context, outcome) });
  },
};

function toStatement(element: Document): DeleteStatement {
  const filter = element.get('q') ?? null;
  const limit = toNumber(element.get('limit'));
  if (!isDocument(filter)) {
    throw new MongoCommandError(
      'TypeMismatch',
      "BSON field 'delete.deletes.q' is the wrong type, expected type 'object'",
    );
  }
  if (limit !== 0 && limit !== 1) {
    throw new MongoCommandError(
      'FailedToParse',
      `The limit field in delete objects must be 0 or 1. Got ${limit}`,
    );
  }
  return { filter, multi: limit === 0, hint: element.get('hint'), source: element };
}
