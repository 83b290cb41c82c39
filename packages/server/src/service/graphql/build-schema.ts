/** A definition → a schema that can be executed. */
import {
  buildASTSchema,
  concatAST,
  type GraphQLArgument,
  type GraphQLEnumType,
  GraphQLError,
  type GraphQLInputField,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  validateSchema,
  valueFromAST,
} from 'graphql';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import { valueKey } from '../../model/raw-bson.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { type AppDefinition, invalidSchema } from './app-definition.ts';
import { implementScalars, SCALAR_DECLARATIONS } from './bson-scalars.ts';
import { createFieldResolver, type FieldSettings } from './field-resolver.ts';
import type { TypeResolver } from './type-resolver.ts';

/** A value that none of a `$typeResolver`'s predicates fits. */
export class AbstractTypeError extends Error {
  override readonly name = 'AbstractTypeError';
  readonly abstractType: string;

  constructor(abstractType: string) {
    super(`Abstract type '${abstractType}' must resolve to an Object type at runtime`);
    this.abstractType = abstractType;
  }
}

/** @throws DefinitionError when the schema as a whole makes no sense */
export function buildAppSchema(definition: AppDefinition, settings: FieldSettings): GraphQLSchema {
  const schema = buildPlainSchema(definition);
  implementScalars(schema);
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isEnumType(type)) implementEnum(type, definition.enums.get(type.name));
    if (isInterfaceType(type) || isUnionType(type)) {
      const resolve = definition.typeResolvers.get(type.name);
      type.resolveType = (value) => resolveType(type.name, resolve, value as BsonValue);
    }
    if (isObjectType(type)) {
      const mappings = definition.fields.get(type.name);
      for (const field of Object.values(type.getFields())) {
        const mapping = mappings?.get(field.name);
        field.resolve = createFieldResolver(type.name, field, mapping, settings) as never;
      }
    }
  }
  readDefaultsAgain(schema);
  return schema;
}

function buildPlainSchema({ sdl }: AppDefinition): GraphQLSchema {
  for (const node of sdl.definitions) {
    if (node.kind !== Kind.SCALAR_TYPE_DEFINITION) continue;
    throw invalidSchema(
      `the scalar ${node.name.value} cannot be declared: there is no custom scalar, and those of MongoDB are declared already`,
    );
  }
  try {
    const schema = buildASTSchema(concatAST([SCALAR_DECLARATIONS, sdl]));
    const errors = validateSchema(schema);
    if (errors.length === 0) return schema;
    throw new GraphQLError(errors.map(({ message }) => message).join('; '));
  } catch (error) {
    throw invalidSchema(error instanceof Error ? error.message : String(error));
  }
}

/** Names stand for the mapped values, both ways; names left out stand for themselves (graphql.md §5.5). */
function implementEnum(type: GraphQLEnumType, mapping: BsonDocument | undefined): void {
  const names = new Map<string, string>();
  for (const entry of type.getValues()) {
    entry.value = mapping?.get(entry.name) ?? entry.name;
    names.set(valueKey(entry.value), entry.name);
  }
  type.serialize = (value) => {
    const name = names.get(valueKey(value as BsonValue));
    if (name !== undefined) return name;
    throw new GraphQLError(
      `Invalid input for enum '${type.name}'. Unknown value '${writeJson(value as BsonValue)}'`,
    );
  };
}

function resolveType(
  abstractType: string,
  resolve: TypeResolver | undefined,
  value: BsonValue,
): string {
  const name = resolve?.(value);
  if (name === undefined) throw new AbstractTypeError(abstractType);
  return name;
}

/** Defaults were read before scalars and enums had their meaning. */
function readDefaultsAgain(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isInputObjectType(type)) Object.values(type.getFields()).forEach(readDefaultAgain);
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) field.args.forEach(readDefaultAgain);
    }
  }
}

function readDefaultAgain(input: GraphQLArgument | GraphQLInputField): void {
  const node = input.astNode?.defaultValue;
  if (node === undefined) return;
  const value = valueFromAST(node, input.type);
  if (value === undefined) {
    throw invalidSchema(`the default value of ${input.name} is no ${String(input.type)}`);
  }
  input.defaultValue = value;
}
