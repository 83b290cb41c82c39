import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { checkCollectionOptions } from '../catalog/collection-options.ts';
import type { Index } from '../catalog/index.ts';
import { createIndexes } from '../catalog/index-build.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { checkView } from './create.ts';
import { checkFields, type FieldTypes, isTrue, toNumber } from './field-types.ts';
import { reply } from './reply.ts';
import { runWrite, type WriteTarget } from './run-write.ts';

/** Options that collMod replaces as they are. */
const OPTIONS = [
  'validator',
  'validationLevel',
  'validationAction',
  'viewOn',
  'pipeline',
  'changeStreamPreAndPostImages',
  'expireAfterSeconds',
  'timeseries',
] as const;

const CHANGEABLE = ['expireAfterSeconds', 'hidden', 'unique', 'prepareUnique'] as const;
const INDEX_FIELDS: FieldTypes = {
  name: 'string',
  keyPattern: 'object',
  expireAfterSeconds: 'any',
  hidden: 'bool',
  unique: 'bool',
  prepareUnique: 'bool',
};

/** `collMod` (manual). */
export const collMod: CommandDefinition = {
  name: 'collMod',
  help: 'Changes options of a collection or index',
  stable: true,
  privilege: 'dbAdmin',
  fields: {
    index: 'object',
    validator: 'object',
    validationLevel: 'string',
    validationAction: 'string',
    viewOn: 'string',
    pipeline: 'array',
    changeStreamPreAndPostImages: 'object',
    expireAfterSeconds: 'any',
    timeseries: 'object',
    cappedSize: 'number',
    cappedMax: 'number',
    recordPreImages: 'bool',
    dryRun: 'bool',
    collectionUUID: 'binData',
  },
  async run(context) {
    const name = context.collectionName;
    const changes = await runWrite(context, (target) => {
      const collection = context.services.catalog.find(target.batch, context.database, name);
      if (collection === undefined) {
        throw new MongoCommandError(
          'NamespaceNotFound',
          `ns does not exist: ${context.namespace(name)}`,
        );
      }
      const before = stateBefore(context, collection);
      const answer = modifyIndex(context, target, collection);
      modifyOptions(context, target, collection);
      const command: Document = new Map<string, Value>([['collMod', name]]);
      for (const [field, value] of context.args) {
        if (field in (collMod.fields ?? {})) command.set(field, value);
      }
      const ns = `${context.database}.$cmd`;
      target.log({ op: 'c', ns, uuid: collection.uuid, command, before });
      return answer;
    });
    return reply({ ...changes, writeConcernError: context.writeConcern.error });
  },
};

/** What change streams show as `stateBeforeChange` (manual, "modify Event"). */
function stateBefore(context: CommandContext, collection: Collection): Document {
  const state = toDocument({
    collectionOptions: new Map(collection.options).set('uuid', collection.uuid),
  });
  const wanted = context.args.get('index');
  if (!isDocument(wanted)) return state;
  const index = findIndex(context, collection, wanted);
  const options: Document = new Map();
  for (const name of ['expireAfterSeconds', 'hidden', 'prepareUnique', 'unique']) {
    if (!wanted.has(name)) continue;
    const value = index.spec.document.get(name);
    options.set(name, value ?? (name === 'expireAfterSeconds' ? null : false));
  }
  return state.set('indexOptions', options);
}

function modifyOptions(context: CommandContext, target: WriteTarget, collection: Collection): void {
  const { args } = context;
  const options: Document = new Map(collection.options);
  let changed = false;
  for (const option of OPTIONS) {
    const value = args.get(option);
    if (value === undefined) continue;
    changed = true;
    if (option === 'validator' && isDocument(value) && value.size === 0) options.delete(option);
    else if (option === 'expireAfterSeconds' && value === 'off') options.delete(option);
    else options.set(option, value);
  }
  const size = toNumber(args.get('cappedSize'));
  const max = toNumber(args.get('cappedMax'));
  if (size !== undefined || max !== undefined) {
    if (collection.capped === undefined) {
      throw new MongoCommandError(
        'InvalidOptions',
        'Cannot change the size limits of a non-capped collection',
      );
    }
    changed = true;
    if (size !== undefined) options.set('size', size);
    if (max !== undefined) options.set('max', max);
  }
  if (!changed) return;
  const isView = collection.type === 'view';
  if (isView !== (args.has('viewOn') || args.has('pipeline')) && (isView || args.has('viewOn'))) {
    throw new MongoCommandError(
      'InvalidOptions',
      isView ? 'option not supported on a view' : 'option only supported on a view: viewOn',
    );
  }
  if (isView) checkView(context, collection.name, options);
  checkCollectionOptions(options);
  context.services.catalog.setOptions(target.batch, collection, options);
}

/** @returns the fields MongoDB answers: what was and what is */
function modifyIndex(
  context: CommandContext,
  target: WriteTarget,
  collection: Collection,
): Record<string, Value | undefined> {
  const wanted = context.args.get('index');
  if (!isDocument(wanted)) return {};
  checkFields('collMod.index', wanted, INDEX_FIELDS);
  const index = findIndex(context, collection, wanted);
  if (!CHANGEABLE.some((name) => wanted.has(name))) {
    throw new MongoCommandError(
      'InvalidOptions',
      'no expireAfterSeconds, hidden, unique, or prepareUnique field',
    );
  }
  const changes = new Map<string, Value | undefined>();
  const answer: Record<string, Value | undefined> = {};
  const seconds = wanted.get('expireAfterSeconds');
  if (seconds !== undefined) {
    if (toNumber(seconds) === undefined) {
      throw new MongoCommandError('TypeMismatch', 'expireAfterSeconds field must be a number');
    }
    changes.set('expireAfterSeconds', seconds);
    const old = index.expireAfterSeconds;
    if (old !== undefined) answer['expireAfterSeconds_old'] = BigInt(Math.trunc(old));
    answer['expireAfterSeconds_new'] = BigInt(Math.trunc(toNumber(seconds) ?? 0));
  }
  if (wanted.has('hidden')) {
    if (index.isId) throw new MongoCommandError('BadValue', "can't hide _id index");
    const hidden = isTrue(wanted.get('hidden'));
    if (hidden !== index.hidden) {
      changes.set('hidden', hidden ? true : undefined);
      answer['hidden_old'] = index.hidden;
      answer['hidden_new'] = hidden;
    }
  }
  if (wanted.has('prepareUnique')) {
    const prepareUnique = isTrue(wanted.get('prepareUnique'));
    changes.set('prepareUnique', prepareUnique ? true : undefined);
    answer['prepareUnique_old'] = isTrue(index.spec.document.get('prepareUnique'));
    answer['prepareUnique_new'] = prepareUnique;
  }
  if (isTrue(wanted.get('unique')) && !index.unique) {
    makeUnique(context, target, collection, index);
    return { ...answer, unique_new: true };
  }
  if (changes.size > 0) {
    context.services.catalog.changeIndex(target.batch, collection, index, changes);
  }
  return answer;
}

/**
 * Makes it anew, as the keys of a unique index are other ones.
 *
 * @throws InvalidOptions unless it has been prepared, CannotConvertIndexToUnique for duplicates
 */
function makeUnique(
  context: CommandContext,
  target: WriteTarget,
  collection: Collection,
  index: Index,
): void {
  const { document } = index.spec;
  if (!isTrue(document.get('prepareUnique'))) {
    throw new MongoCommandError(
      'InvalidOptions',
      'Cannot make index unique: it has to be prepared by prepareUnique first',
    );
  }
  const unique = new Map(document).set('unique', true);
  unique.delete('prepareUnique');
  const { catalog } = context.services;
  catalog.dropIndexes(target.batch, collection, [index]);
  try {
    createIndexes(target.batch, catalog, collection, [unique]);
  } catch (error) {
    if (!(error instanceof MongoCommandError) || error.codeName !== 'DuplicateKey') throw error;
    throw new MongoCommandError(
      'CannotConvertIndexToUnique',
      'Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.',
    );
  }
}

function findIndex(context: CommandContext, collection: Collection, wanted: Document): Index {
  const { catalog } = context.services;
  const name = wanted.get('name');
  const keyPattern = wanted.get('keyPattern');
  if (name !== undefined && keyPattern !== undefined) {
    throw new MongoCommandError('InvalidOptions', 'Cannot specify both key pattern and name.');
  }
  if (name === undefined && keyPattern === undefined) {
    throw new MongoCommandError('InvalidOptions', 'must specify either index name or key pattern');
  }
  const index =
    typeof name === 'string'
      ? catalog.findIndex(collection, name)
      : isDocument(keyPattern)
        ? catalog.indexesWithKey(collection, keyPattern)[0]
        : undefined;
  if (index === undefined) {
    throw new MongoCommandError(
      'IndexNotFound',
      `cannot find index ${String(name ?? 'of that key pattern')} for ns ${collection.namespace}`,
    );
  }
  return index;
}
