/** Index definitions of PUT bodies (rest-resources.md §3). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import {
  type BsonDocument,
  type BsonTypeName,
  bsonTypeOf,
  isDocument,
} from '../../../../model/bson.ts';

type OptionTypes = ReadonlyMap<string, BsonTypeName>;

const OPTIONS: OptionTypes = new Map<string, BsonTypeName>([
  ['background', 'BOOLEAN'],
  ['expireAfterSeconds', 'INT32'],
  ['partialFilterExpression', 'DOCUMENT'],
  ['storageEngine', 'DOCUMENT'],
  ['unique', 'BOOLEAN'],
  ['sparse', 'BOOLEAN'],
  ['weights', 'DOCUMENT'],
  ['default_language', 'STRING'],
  ['language_override', 'STRING'],
  ['textIndexVersion', 'INT32'],
  ['2dsphereIndexVersion', 'INT32'],
  ['bits', 'INT32'],
  ['min', 'DOUBLE'],
  ['max', 'DOUBLE'],
]);

const COLLATION_OPTIONS: OptionTypes = new Map<string, BsonTypeName>([
  ['locale', 'STRING'],
  ['caseLevel', 'BOOLEAN'],
  ['backwards', 'BOOLEAN'],
  ['normalization', 'BOOLEAN'],
  ['numericOrdering', 'BOOLEAN'],
  ['collationAlternate', 'STRING'],
  ['collationCaseFirst', 'STRING'],
  ['collationMaxVariable', 'STRING'],
  ['collationStrength', 'INT32'],
]);

/** The description for the database: keys and every option that has exactly its type; others are ignored. */
export function readIndexDefinition(body: BsonDocument): BsonDocument {
  const keys = body.get('keys');
  if (!isDocument(keys)) throw illegal('keys must be a json object');
  const options = body.get('ops');
  if (options !== undefined && !isDocument(options)) throw illegal('ops must be a json object');
  const definition: BsonDocument = new Map([['key', keys]]);
  if (options === undefined) return definition;
  for (const [name, value] of pick(options, OPTIONS)) definition.set(name, value);
  const collation = options.get('collation');
  if (isDocument(collation)) definition.set('collation', readCollation(collation));
  return definition;
}

/** The refusal of a request about an index. */
export function illegal(message: string): QuorateError {
  return new QuorateError('ERR_REQUEST_INDEX', { message });
}

function pick(document: BsonDocument, types: OptionTypes): BsonDocument {
  return new Map([...document].filter(([name, value]) => types.get(name) === bsonTypeOf(value)));
}

/** `collationStrength` is `strength` in the database, and so on. */
function readCollation(options: BsonDocument): BsonDocument {
  return new Map(
    [...pick(options, COLLATION_OPTIONS)].map(([name, value]) => {
      const bare = name.replace(/^collation/, '');
      return [bare.charAt(0).toLowerCase() + bare.slice(1), value];
    }),
  );
}
