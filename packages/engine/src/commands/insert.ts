import type { Document } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { ensureWritable, insertInto, presentTimestamp } from './document-writes.ts';
import { isTrue } from './field-types.ts';
import { toInsertable } from './insertable-document.ts';
import { reply } from './reply.ts';
import {
  type BatchOutcome,
  checkBatchSize,
  runStatements,
  writeReplyFields,
} from './write-statements.ts';

/** `insert` (manual). */
export const insert: CommandDefinition = {
  name: 'insert',
  help: 'Inserts documents',
  stable: true,
  inTransactions: true,
  retryable: true,
  privilege: 'write',
  fields: {
    documents: 'array',
    ordered: 'bool',
    bypassDocumentValidation: 'bool',
    bypassEmptyTsReplacement: 'bool',
    collectionUUID: 'binData',
    encryptionInformation: 'any',
  },
  async run(context) {
    const documents = readDocuments(context);
    const name = context.collectionName;
    const bypassValidation = isTrue(context.args.get('bypassDocumentValidation'));
    context.services.counters.insert += documents.length;
    const outcome = await runStatements(context, {
      count: documents.length,
      ordered: context.args.get('ordered') !== false,
      isAlone: () => false,
      runAlone: () => Promise.reject(new Error('an insert is one statement')),
      run(target, index) {
        const bytes = documents[index] ?? new Uint8Array();
        const document = toInsertable(bytes, () => presentTimestamp(context).toBigInt());
        const collection = ensureWritable(context, target, name);
        insertInto(target, collection, document, { bypassValidation });
        return { n: 1 };
      },
    });
    return insertReply(context, outcome);
  },
};

function readDocuments(context: CommandContext): readonly Uint8Array[] {
  const { documents } = context.request;
  if (documents === undefined) {
    if (context.args.has('documents')) {
      throw new MongoCommandError(
        'TypeMismatch',
        "BSON field 'insert.documents.0' is the wrong type, expected type 'object'",
      );
    }
    throw new MongoCommandError(
      'Location40414',
      "BSON field 'insert.documents' is missing but a required field",
    );
  }
  checkBatchSize(documents.length);
  return documents;
}

function insertReply(context: CommandContext, outcome: BatchOutcome): Document {
  let n = 0;
  for (const statement of outcome.outcomes.values()) n += statement.n;
  return reply({ n, ...writeReplyFields(context, outcome) });
}
