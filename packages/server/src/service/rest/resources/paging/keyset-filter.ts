/** What comes after a given document in a sort order, as filters that indexes can serve. */

import {
  type BsonDocument,
  type BsonTypeName,
  type BsonValue,
  bsonTypeOf,
} from '../../../../model/bson.ts';

/** One field of a sort order and the last document's value in it; missing values count as null. */
export interface KeysetField {
  readonly name: string;
  readonly direction: 1 | -1;
  readonly value: BsonValue;
}

/** BSON's comparison order of types (MongoDB manual, "BSON Types"), by the names of `$type`. */
const TYPE_ORDER: readonly (readonly string[])[] = [
  ['minKey'],
  ['null', 'undefined'],
  ['int', 'long', 'double', 'decimal'],
  ['string', 'symbol'],
  ['object'],
  ['array'],
  ['binData'],
  ['objectId'],
  ['bool'],
  ['date'],
  ['timestamp'],
  ['regex'],
  ['maxKey'],
];

const RANK_BY_TYPE: Readonly<Record<BsonTypeName, number>> = {
  MIN_KEY: 0,
  NULL: 1,
  INT32: 2,
  INT64: 2,
  DOUBLE: 2,
  DECIMAL128: 2,
  STRING: 3,
  SYMBOL: 3,
  DOCUMENT: 4,
  ARRAY: 5,
  BINARY: 6,
  OBJECT_ID: 7,
  BOOLEAN: 8,
  DATE_TIME: 9,
  TIMESTAMP: 10,
  REGULAR_EXPRESSION: 11,
  JAVASCRIPT: 11,
  JAVASCRIPT_WITH_SCOPE: 11,
  MAX_KEY: 12,
};

/** Query comparisons stay within one type; a sort order does not: the second filter names the types beyond. */
function strictlyAfter({ name, direction, value }: KeysetField): BsonDocument[] {
  const rank = RANK_BY_TYPE[bsonTypeOf(value)];
  const filters: BsonDocument[] = [];
  const isOrdered = rank !== 0 && rank !== 1 && rank !== 12;
  if (isOrdered) {
    filters.push(new Map([[name, new Map([[direction === 1 ? '$gt' : '$lt', value]])]]));
  }
  const beyond = direction === 1 ? TYPE_ORDER.slice(rank + 1) : TYPE_ORDER.slice(0, rank);
  const types = beyond.flat().filter((type) => type !== 'null' && type !== 'undefined');
  if (types.length > 0) filters.push(new Map([[name, new Map([['$type', types]])]]));
  // a missing field sorts as null, and only this condition finds it
  if (direction === -1 && rank > 1) filters.push(new Map([[name, null]]));
  return filters;
}

/**
 * Filters whose results, one after the other, are what follows the last document. A sort by one field gives one filter
 * for its own type and one for each kind of further types, so that a plain range of the index serves nearly all pages.
 */
export function filtersAfter(fields: readonly KeysetField[]): readonly BsonDocument[] {
  const [only] = fields;
  if (fields.length === 1 && only !== undefined) {
    const [first, ...rest] = strictlyAfter(only);
    if (first === undefined) return [];
    return rest.length === 0 ? [first] : [first, toOr(rest)];
  }
  const branches: BsonDocument[] = [];
  for (const [index, field] of fields.entries()) {
    const prefix = fields.slice(0, index).map(equalTo);
    for (const after of strictlyAfter(field)) {
      branches.push(prefix.length === 0 ? after : new Map([['$and', [...prefix, after]]]));
    }
  }
  return branches.length === 0 ? [] : [toOr(branches)];
}

function equalTo({ name, value }: KeysetField): BsonDocument {
  return new Map([[name, value === null ? null : new Map([['$eq', value]])]]);
}

function toOr(filters: readonly BsonDocument[]): BsonDocument {
  const [only] = filters;
  return filters.length === 1 && only !== undefined ? only : new Map([['$or', [...filters]]]);
}
