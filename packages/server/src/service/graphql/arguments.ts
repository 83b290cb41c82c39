/** Arguments as GraphQL has read them → values of MongoDB (graphql.md §5.4). */
import {
  type GraphQLArgument,
  type GraphQLInputType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { type BsonDocument, type BsonValue, Double } from '../../model/bson.ts';

/** Arguments that were not given and have no default are absent. */
export function toBsonArguments(
  declared: readonly GraphQLArgument[],
  given: Readonly<Record<string, unknown>>,
): BsonDocument {
  const args: BsonDocument = new Map();
  for (const { name, type } of declared) {
    if (Object.hasOwn(given, name)) args.set(name, toBson(given[name], type));
  }
  return args;
}

function toBson(value: unknown, type: GraphQLInputType): BsonValue {
  if (value === null || value === undefined) return null;
  if (isNonNullType(type)) return toBson(value, type.ofType);
  if (isListType(type)) {
    const { ofType } = type;
    return Array.isArray(value) ? value.map((item) => toBson(item, ofType)) : toBson(value, ofType);
  }
  if (isInputObjectType(type)) {
    const members = value as Readonly<Record<string, unknown>>;
    const document: BsonDocument = new Map();
    for (const field of Object.values(type.getFields())) {
      if (Object.hasOwn(members, field.name)) {
        document.set(field.name, toBson(members[field.name], field.type));
      }
    }
    return document;
  }
  if (typeof value === 'number') return type.name === 'Float' ? new Double(value) : value;
  return value as BsonValue;
}
