/**
 * Values of MongoDB → what GraphQL's executor completes: leaves are checked against the BSON type that
 * their scalar wants, and a wrong one is an error of its own element (graphql.md §7).
 */
import { type GraphQLOutputType, isEnumType, isLeafType, isListType, isNonNullType } from 'graphql';
import { type BsonValue, bsonTypeOf, Double } from '../../model/bson.ts';
import { BsonLeaf, OUTPUT_TYPES } from './bson-scalars.ts';

/** A stored value that does not fit its field; the path is put in by who reports it. */
export class SerializationError extends Error {
  override readonly name = 'SerializationError';
}

/** The value, or the error that takes its place; errors within lists take the place of their elements. */
export function completeValue(value: BsonValue | undefined, type: GraphQLOutputType): unknown {
  if (value === undefined || value === null) return null;
  if (isNonNullType(type)) return completeValue(value, type.ofType);
  if (isListType(type)) {
    const { ofType } = type;
    if (!Array.isArray(value)) return mismatch(value, 'ARRAY');
    return value.map((item) => completeValue(item, ofType));
  }
  // the executor would take a document's entries for a list, but only where the schema has one
  if (!isLeafType(type)) return value;
  if (isEnumType(type)) return completeEnum(value, (leaf) => type.serialize(leaf));
  return completeScalar(value, type.name);
}

function completeEnum(value: BsonValue, serialize: (value: BsonValue) => unknown): unknown {
  try {
    serialize(value);
    return value;
  } catch (error) {
    return new SerializationError(error instanceof Error ? error.message : String(error));
  }
}

function completeScalar(value: BsonValue, scalar: string): unknown {
  const found = bsonTypeOf(value);
  if (scalar === 'ID') return printId(value);
  const wanted = OUTPUT_TYPES.get(scalar);
  if (wanted !== found) return mismatch(value, wanted ?? scalar);
  switch (scalar) {
    case 'String':
    case 'Int':
    case 'Boolean':
      return value;
    case 'Float':
      return value instanceof Double ? value.value : value;
    default:
      return new BsonLeaf(value);
  }
}

/** `ID` is not adapted to MongoDB; ids that have a plain text are shown by it. */
function printId(value: BsonValue): unknown {
  if (typeof value === 'string') return value;
  switch (bsonTypeOf(value)) {
    case 'INT32':
    case 'INT64':
    case 'OBJECT_ID':
      return String(value);
    default:
      return mismatch(value, 'STRING');
  }
}

function mismatch(value: BsonValue, wanted: string): SerializationError {
  return new SerializationError(`Expected type '${wanted}' but was '${bsonTypeOf(value)}'.`);
}
