import { compilePipeline } from '../aggregation/pipeline.ts';
import { type Document, isDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { parseCollation } from '../query/collation.ts';
import { pipelineContext } from './collection-reader.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { logCreate } from './document-writes.ts';
import { createQueryEnvironment } from './query-environment.ts';
import { reply } from './reply.ts';
import { runWrite } from './run-write.ts';

const OPTIONS = [
  'capped',
  'autoIndexId',
  'idIndex',
  'size',
  'max',
  'storageEngine',
  'validator',
  'validationLevel',
  'validationAction',
  'indexOptionDefaults',
  'viewOn',
  'pipeline',
  'collation',
  'changeStreamPreAndPostImages',
  'timeseries',
  'clusteredIndex',
  'expireAfterSeconds',
  'encryptedFields',
  'temp',
  'flags',
  'recordPreImages',
] as const;

/** `create` (manual): makes a collection or a view. */
export const create: CommandDefinition = {
  name: 'create',
  help: 'Makes a collection or view',
  stable: true,
  inTransactions: true,
  privilege: 'write',
  fields: Object.fromEntries(OPTIONS.map((name) => [name, 'any' as const])),
  async run(context) {
    const name = context.collectionName;
    const options: Document = new Map();
    for (const option of OPTIONS) {
      const value = context.args.get(option);
      if (value !== undefined && value !== null) options.set(option, value);
    }
    completeCollation(options);
    if (options.has('viewOn')) checkView(context, name, options);
    await runWrite(context, (target) => {
      const { catalog } = context.services;
      const before = catalog.find(target.batch, context.database, name);
      // making the same collection again is no error, except where it would end a transaction
      if (before !== undefined && context.transaction !== undefined) {
        throw new MongoCommandError(
          'NamespaceExists',
          `Collection ${context.namespace(name)} already exists.`,
        );
      }
      const collection = catalog.create(target.batch, context.database, name, options);
      if (before === undefined) logCreate(target, collection);
    });
    return reply({ writeConcernError: context.writeConcern.error });
  },
};

/** A collation is kept with all its options, as MongoDB shows it. */
function completeCollation(options: Document): void {
  const given = options.get('collation');
  if (!isDocument(given)) return;
  const collation = parseCollation(given);
  if (collation === undefined) options.delete('collation');
  else options.set('collation', collation.spec);
}

/**
 * Checks a view's pipeline, and that views do not go round in a circle.
 *
 * @throws InvalidOptions, GraphContainsCycle, OptionNotSupportedOnView
 */
export function checkView(context: CommandContext, name: string, options: Document): void {
  const stages = options.get('pipeline') ?? [];
  if (!Array.isArray(stages)) return;
  const viewOn = String(options.get('viewOn'));
  checkStages(stages);
  compilePipeline(stages, pipelineContext(context, viewOn, createQueryEnvironment(context)));
  checkCircle(context, name, viewOn);
}

function checkStages(stages: readonly Value[]): void {
  for (const stage of stages) {
    const [operator] = isDocument(stage) ? stage.keys() : [];
    if (operator === '$out' || operator === '$merge' || operator === '$changeStream') {
      throw new MongoCommandError(
        'OptionNotSupportedOnView',
        `The aggregation stage ${operator} cannot be used in a view definition`,
      );
    }
  }
}

function checkCircle(context: CommandContext, name: string, viewOn: string): void {
  const { catalog } = context.services;
  const seen = new Set([name]);
  let next: string | undefined = viewOn;
  while (next !== undefined) {
    if (seen.has(next)) {
      throw new MongoCommandError(
        'GraphContainsCycle',
        `View cycle detected: ${[...seen, next].join(' => ')}`,
      );
    }
    seen.add(next);
    const below: Value | undefined = catalog
      .find(context.view, context.database, next)
      ?.options.get('viewOn');
    next = typeof below === 'string' ? below : undefined;
  }
}
