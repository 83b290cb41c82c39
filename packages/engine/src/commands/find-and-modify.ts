import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import { Binary, type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { compileProjection } from '../query/projection.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { prepareDelete, runDelete } from './delete-statement.ts';
import { isTrue, toMap } from './field-types.ts';
import { isLongSearch, type Location, locate, type RecordQuery } from './matched-records.ts';
import { createQueryEnvironment } from './query-environment.ts';
import { reply } from './reply.ts';
import { runWrite, type WriteTarget } from './run-write.ts';
import { prepareUpdate, runUpdate, type UpdateStatement } from './update-statement.ts';
import { writeReplyFields } from './write-statements.ts';

/** What was done, and the document that is answered before its projection. */
interface Outcome {
  readonly n: number;
  readonly updatedExisting: boolean | undefined;
  readonly upserted: Value | undefined;
  readonly value: Document | undefined;
}

/** `findAndModify` (manual). */
export const findAndModify: CommandDefinition = {
  name: 'findAndModify',
  aliases: ['findandmodify'],
  help: 'Updates or removes one document and answers it',
  stable: true,
  inTransactions: true,
  retryable: true,
  privilege: 'write',
  fields: {
    query: 'object',
    sort: 'object',
    remove: 'bool',
    update: 'objectOrArray',
    new: 'bool',
    fields: 'object',
    upsert: 'bool',
    bypassDocumentValidation: 'bool',
    bypassEmptyTsReplacement: 'bool',
    collation: 'object',
    arrayFilters: 'array',
    hint: 'objectOrString',
    let: 'object',
    sampleId: 'any',
    collectionUUID: 'binData',
    encryptionInformation: 'any',
    originalQuery: 'any',
    originalCollation: 'any',
  },
  async run(context) {
    checkCombination(context.args);
    const remove = isTrue(context.args.get('remove'));
    const prepared = remove ? prepareRemoval(context) : prepareModification(context);
    const { outcome, retried } = await runPrepared(context, prepared);
    const lastErrorObject = toDocument({
      n: outcome.n,
      updatedExisting: remove ? undefined : (outcome.updatedExisting ?? false),
      upserted: outcome.upserted,
    });
    return reply({
      lastErrorObject,
      value: outcome.value === undefined ? null : projected(context, outcome.value),
      ...writeReplyFields(context, {
        outcomes: new Map(),
        errors: [],
        retried: retried ? [0] : [],
      }),
    });
  },
};

/** A modification or removal that is ready to run. */
interface Prepared {
  readonly query: RecordQuery;
  readonly run: (target: WriteTarget, location: Location | undefined) => Outcome;
}

async function runPrepared(
  context: CommandContext,
  { query, run }: Prepared,
): Promise<ReturnType<typeof once>> {
  const name = context.collectionName;
  const filter = toMap(context.args.get('query')) ?? new Map();
  const location = isLongSearch(context, name, filter, () => query)
    ? await locate(context, name, query)
    : undefined;
  return runWrite(context, (target) => once(target, (own) => run(own, location)));
}

/** Executes, or answers what an earlier try of the same command has recorded. */
function once(
  target: WriteTarget,
  run: (target: WriteTarget) => Outcome,
): { readonly outcome: Outcome; readonly retried: boolean } {
  const known = target.retried(0);
  if (known !== undefined) return { outcome: fromRecord(known), retried: true };
  const outcome = run(target);
  target.record(0, toRecord(outcome));
  return { outcome, retried: false };
}

function checkCombination(args: Document): void {
  const remove = isTrue(args.get('remove'));
  const hasUpdate = args.has('update');
  const fail = (message: string): never => {
    throw new MongoCommandError('FailedToParse', message);
  };
  if (!remove && !hasUpdate) fail('Either an update or remove=true must be specified');
  if (!remove) return;
  if (hasUpdate) fail('Cannot specify both an update and remove=true');
  if (isTrue(args.get('upsert'))) fail('Cannot specify both upsert=true and remove=true ');
  if (isTrue(args.get('new'))) {
    fail(
      "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
    );
  }
  if (args.has('arrayFilters')) fail('Cannot specify arrayFilters and remove=true');
}

function readSort(args: Document): Document | undefined {
  const sort = toMap(args.get('sort'));
  return sort !== undefined && sort.size > 0 ? sort : undefined;
}

function prepareRemoval(context: CommandContext): Prepared {
  const { args } = context;
  const prepared = prepareDelete(context, context.collectionName, {
    filter: toMap(args.get('query')) ?? new Map(),
    multi: false,
    sort: readSort(args),
    hint: args.get('hint'),
    source: args,
  });
  return {
    query: prepared.query,
    run(target, location) {
      const { n, document } = runDelete(context, target, prepared, location);
      return { n, updatedExisting: undefined, upserted: undefined, value: document };
    },
  };
}

function prepareModification(context: CommandContext): Prepared {
  const { args } = context;
  const arrayFilters = args.get('arrayFilters');
  const statement: UpdateStatement = {
    filter: toMap(args.get('query')) ?? new Map(),
    update: args.get('update') ?? null,
    multi: false,
    upsert: isTrue(args.get('upsert')),
    arrayFilters: Array.isArray(arrayFilters) ? arrayFilters.filter(isDocument) : undefined,
    sort: readSort(args),
    hint: args.get('hint'),
    source: args,
    bypassValidation: isTrue(args.get('bypassDocumentValidation')),
  };
  const prepared = prepareUpdate(context, context.collectionName, statement);
  const wantsNew = isTrue(args.get('new'));
  return {
    query: prepared.query,
    run(target, location) {
      const { n, upserted, document } = runUpdate(context, target, prepared, location);
      const isUpsert = upserted !== undefined;
      const before = isUpsert ? undefined : document?.before;
      return {
        n,
        updatedExisting: n > 0 && !isUpsert,
        upserted,
        value: wantsNew ? document?.after : before,
      };
    },
  };
}

function projected(context: CommandContext, document: Document): Document {
  const fields = toMap(context.args.get('fields'));
  if (fields === undefined || fields.size === 0) return document;
  const environment = createQueryEnvironment(context);
  const projection = compileProjection(fields, {
    collation: environment.collation,
    variables: environment.variables,
    compileExpression: environment.compileExpression,
  });
  return projection.apply(document);
}

function toRecord(outcome: Outcome): Document {
  return toDocument({
    n: outcome.n,
    e: outcome.updatedExisting,
    u: outcome.upserted,
    v: outcome.value === undefined ? undefined : new Binary(encodeDocument(outcome.value)),
  });
}

function fromRecord(record: Document): Outcome {
  const value = record.get('v');
  const existing = record.get('e');
  return {
    n: Number(record.get('n') ?? 0),
    updatedExisting: typeof existing === 'boolean' ? existing : undefined,
    upserted: record.get('u'),
    value:
      value instanceof Binary
        ? decodeDocument(value.buffer.subarray(0, value.length()))
        : undefined,
  };
}
