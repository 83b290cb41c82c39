import { toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { chain } from '../lib/sliced.ts';
import { compileFilter } from '../query/filter.ts';
import { bindPipeline, countStored, resolveNamespace } from './collection-reader.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { readAll } from './drain.ts';
import { toMap, toNonNegative, toNumber } from './field-types.ts';
import { readHint } from './matched-record.ts';
import { createQueryEnvironment } from './query-environment.ts';
import { reply } from './reply.ts';

/** `count` (manual). */
export const count: CommandDefinition = {
  name: 'count',
  help: 'Counts documents',
  stable: true,
  privilege: 'read',
  fields: {
    query: 'object',
    limit: 'number',
    skip: 'number',
    hint: 'objectOrString',
    collation: 'object',
    fields: 'any',
    collectionUUID: 'binData',
    encryptionInformation: 'any',
    querySettings: 'any',
  },
  run(context) {
    const { args } = context;
    const name = context.collectionName;
    const resolved = resolveNamespace(context, { database: context.database, collection: name });
    const environment = createQueryEnvironment(context, args, resolved.collation);
    // a negative limit means the same as the positive one
    const limit = Math.abs(toNumber(args.get('limit')) ?? 0);
    const skip = toNonNegative('skip', args.get('skip')) ?? 0;
    const query = toMap(args.get('query')) ?? new Map();
    if (resolved.isView || resolved.served !== undefined)
      return countView(context, name, { query, skip, limit }, environment);
    const total = countStored(context, resolved.collection, environment, {
      filter: compileFilter(query, environment.filterOptions),
      hint: readHint(args.get('hint')),
      ...(skip > 0 && { skip }),
      ...(limit > 0 && { limit }),
    });
    return chain(total, (n) => reply({ n }));
  },
};

function countView(
  context: CommandContext,
  name: string,
  options: { readonly query: Map<string, Value>; readonly skip: number; readonly limit: number },
  environment: ReturnType<typeof createQueryEnvironment>,
) {
  const stages: Value[] = [toDocument({ $match: options.query })];
  if (options.skip > 0) stages.push(toDocument({ $skip: options.skip }));
  if (options.limit > 0) stages.push(toDocument({ $limit: options.limit }));
  stages.push(toDocument({ $count: 'n' }));
  const bound = bindPipeline(context, name, stages, { environment });
  return chain(readAll(context.operation, bound.run()), ([result]) => {
    if (result instanceof Map) return reply({ n: result.get('n') ?? 0 });
    if (result === undefined) return reply({ n: 0 });
    throw new MongoCommandError('InternalError', 'counting a view gave no document');
  });
}
