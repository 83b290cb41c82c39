import { type Document, isDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { chain } from '../lib/sliced.ts';
import { compileFilter } from '../query/filter.ts';
import { readPipeline, targetCollection } from './aggregate.ts';
import { bindPipeline, type ReadRequest, resolveNamespace } from './collection-reader.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import {
  explainPipeline,
  explainRead,
  filterOf,
  stageAbove,
  type Verbosity,
  withServerInfo,
} from './explain-plan.ts';
import { isTrue, toNumber } from './field-types.ts';
import { readFindRequest } from './find-request.ts';
import { readHint } from './matched-record.ts';
import { createQueryEnvironment } from './query-environment.ts';

const VERBOSITIES: readonly Value[] = ['queryPlanner', 'executionStats', 'allPlansExecution'];

/** What of a command explain looks at: where its filter stands, and the stage above the plan. */
interface Explained {
  readonly filter: Document;
  readonly request: Omit<ReadRequest, 'filter'>;
  readonly stage: string | undefined;
  /** Where `collation` stands. */
  readonly source: Document;
}

/** `explain` (manual): how a command would be, or was, carried out. */
export const explain: CommandDefinition = {
  name: 'explain',
  help: 'Shows how a command is carried out',
  stable: true,
  privilege: 'read',
  fields: { verbosity: 'string', comment: 'any' },
  run(context) {
    const command = context.args.get('explain');
    const verbosity = context.args.get('verbosity') ?? 'allPlansExecution';
    if (!isDocument(command)) {
      throw new MongoCommandError(
        'TypeMismatch',
        "BSON field 'explain.explain' is the wrong type, expected type 'object'",
      );
    }
    if (!VERBOSITIES.includes(verbosity)) {
      throw new MongoCommandError(
        'FailedToParse',
        `Enumeration value '${String(verbosity)}' for field 'explain.verbosity' is not a valid value.`,
      );
    }
    const [name = ''] = command.keys();
    const inner = context.ofCommand(name, command);
    if (name === 'aggregate') return explainAggregate(inner, verbosity as Verbosity);
    return explainPlanned(inner, readExplained(name, command), verbosity as Verbosity);
  },
};

function explainPlanned(
  context: CommandContext,
  explained: Explained,
  verbosity: Verbosity,
): Document | Promise<Document> {
  const collection = context.collectionName;
  const resolved = resolveNamespace(context, { database: context.database, collection });
  const environment = createQueryEnvironment(context, explained.source, resolved.collation);
  const { stage, filter } = explained;
  const planned = explainRead(
    context,
    {
      collection: resolved.collection,
      namespace: context.namespace(collection),
      environment,
      request: {
        ...explained.request,
        filter: compileFilter(filter, environment.filterOptions),
      },
      filter,
      wrap: stage === undefined ? undefined : stageAbove(stage),
      counts: stage === 'COUNT',
    },
    verbosity,
  );
  return chain(planned, (plan) => withServerInfo(context, plan));
}

function explainAggregate(
  context: CommandContext,
  verbosity: Verbosity,
): Document | Promise<Document> {
  const name = targetCollection(context);
  const environment = createQueryEnvironment(context);
  const bound = bindPipeline(context, name, readPipeline(context.args), { environment });
  return explainPipeline(context, bound, environment, verbosity);
}

function readExplained(name: string, args: Document): Explained {
  switch (name) {
    case 'find': {
      const { filter, sort, hint, skip, limit, projection } = readFindRequest(args);
      const stage = projection === undefined ? undefined : 'PROJECTION_DEFAULT';
      return { filter, request: { sort, hint, skip, limit }, stage, source: args };
    }
    case 'count':
      return {
        filter: filterOf(args.get('query')),
        request: {
          hint: readHint(args.get('hint')),
          skip: toNumber(args.get('skip')),
          limit: toNumber(args.get('limit')),
        },
        stage: 'COUNT',
        source: args,
      };
    case 'distinct':
      return {
        filter: filterOf(args.get('query')),
        request: { hint: readHint(args.get('hint')) },
        stage: undefined,
        source: args,
      };
    case 'findAndModify':
      return {
        filter: filterOf(args.get('query')),
        request: {
          sort: isDocument(args.get('sort')) ? filterOf(args.get('sort')) : undefined,
          hint: readHint(args.get('hint')),
          limit: 1,
        },
        stage: isTrue(args.get('remove')) ? 'DELETE' : 'UPDATE',
        source: args,
      };
    case 'update':
      return readStatement(args.get('updates'), 'UPDATE');
    case 'delete':
      return readStatement(args.get('deletes'), 'DELETE');
    default:
      throw new MongoCommandError(
        'CommandNotFound',
        `Explain failed due to unknown command: ${name}`,
      );
  }
}

function readStatement(statements: Value | undefined, stage: string): Explained {
  const [statement] = Array.isArray(statements) ? statements : [];
  if (!isDocument(statement)) {
    throw new MongoCommandError('InvalidLength', 'explained write batches must be of size 1');
  }
  return {
    filter: filterOf(statement.get('q')),
    request: { hint: readHint(statement.get('hint')) },
    stage,
    source: statement,
  };
}
