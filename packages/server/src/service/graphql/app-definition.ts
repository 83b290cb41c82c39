/** The definition of a GraphQL app, read and checked in the order of graphql.md §3. */
import { type DocumentNode, Kind, parse } from 'graphql';
import { type BsonDocument, bsonTypeOf, isDocument } from '../../model/bson.ts';
import { effectiveUri } from './app-uri.ts';
import { DefinitionError } from './definition-error.ts';
import { type FieldMapping, readFieldMapping } from './field-mapping.ts';
import { type PredicateParser, readTypeResolvers, type TypeResolver } from './type-resolver.ts';

/** What a definition says. */
export interface AppDefinition {
  /** Path below the service's URI, without a slash in front; undefined when there is neither uri nor a text as id. */
  readonly uri: string | undefined;
  readonly enabled: boolean;
  /** The author's part of the schema. */
  readonly sdl: DocumentNode;
  /** By type and field; fields without a mapping are absent. */
  readonly fields: ReadonlyMap<string, ReadonlyMap<string, FieldMapping>>;
  /** By enum and name: the value that stands for the name. */
  readonly enums: ReadonlyMap<string, BsonDocument>;
  /** By interface or union. */
  readonly typeResolvers: ReadonlyMap<string, TypeResolver>;
}

export interface DefinitionLimits {
  readonly maxLimit: number;
  readonly parsePredicate: PredicateParser;
}

// the longest schema, in tokens: the parser's time and memory are bounded by it
const MAX_SCHEMA_TOKENS = 200_000;

/**
 * @param document - with its names unescaped
 * @throws DefinitionError with the first thing that is wrong
 */
export function readDefinition(document: BsonDocument, limits: DefinitionLimits): AppDefinition {
  const descriptor = document.get('descriptor');
  if (descriptor !== undefined && !isDocument(descriptor)) {
    throw new DefinitionError(
      `'Descriptor' field must be an Object but was ${bsonTypeOf(descriptor)}`,
    );
  }
  const sdl = parseSchema(document);
  const types = listTypes(sdl);
  const mappings = readMappings(document);
  const fields = readFields(mappings, types, limits);
  const enums = readEnums(mappings, types);
  const typeResolvers = new Map([
    ...readTypeResolvers('union', types.unions, mappings, limits.parsePredicate),
    ...readTypeResolvers('interface', types.interfaces, mappings, limits.parsePredicate),
  ]);
  if ((fields.get('Query')?.size ?? 0) === 0) {
    throw new DefinitionError(
      'Missing or empty mappings for type Query: please provide a mapping for at least one Query field.',
    );
  }
  return {
    uri: effectiveUri(document),
    enabled: descriptor?.get('enabled') !== false,
    sdl,
    fields,
    enums,
    typeResolvers,
  };
}

function parseSchema(document: BsonDocument): DocumentNode {
  const schema = document.get('schema');
  if (typeof schema !== 'string') {
    throw invalidSchema(
      schema === undefined
        ? "the property 'schema' is missing"
        : `the property 'schema' must be a String but was ${bsonTypeOf(schema)}`,
    );
  }
  try {
    return parse(schema, { maxTokens: MAX_SCHEMA_TOKENS });
  } catch (error) {
    throw invalidSchema(error instanceof Error ? error.message : String(error));
  }
}

export function invalidSchema(reason: string): DefinitionError {
  return new DefinitionError(`Invalid GraphQL schema: ${reason}`);
}

function readMappings(document: BsonDocument): BsonDocument {
  const mappings = document.get('mappings');
  if (mappings === undefined) {
    throw new DefinitionError('Missing mappings: please provide a mapping for at least one Query.');
  }
  if (!isDocument(mappings)) {
    throw new DefinitionError(`'mappings' field must be an Object but was ${bsonTypeOf(mappings)}`);
  }
  return mappings;
}

/** The types of a schema by kind; extensions counted with what they extend. */
interface SchemaTypes {
  /** Field names by object type. */
  readonly objects: ReadonlyMap<string, ReadonlySet<string>>;
  readonly enums: ReadonlySet<string>;
  /** Members by union, implementing object types by interface. */
  readonly unions: ReadonlyMap<string, ReadonlySet<string>>;
  readonly interfaces: ReadonlyMap<string, ReadonlySet<string>>;
}

function listTypes(sdl: DocumentNode): SchemaTypes {
  const objects = new Map<string, Set<string>>();
  const enums = new Set<string>();
  const unions = new Map<string, Set<string>>();
  const interfaces = new Map<string, Set<string>>();
  const implementing: [string, string][] = [];
  const addAll = (map: Map<string, Set<string>>, name: string, members: readonly string[]) => {
    const set = map.get(name) ?? new Set();
    for (const member of members) set.add(member);
    map.set(name, set);
  };
  for (const node of sdl.definitions) {
    switch (node.kind) {
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.OBJECT_TYPE_EXTENSION:
        addAll(objects, node.name.value, node.fields?.map(({ name }) => name.value) ?? []);
        for (const { name } of node.interfaces ?? []) {
          implementing.push([name.value, node.name.value]);
        }
        break;
      case Kind.ENUM_TYPE_DEFINITION:
        enums.add(node.name.value);
        break;
      case Kind.UNION_TYPE_DEFINITION:
      case Kind.UNION_TYPE_EXTENSION:
        addAll(unions, node.name.value, node.types?.map(({ name }) => name.value) ?? []);
        break;
      case Kind.INTERFACE_TYPE_DEFINITION:
        addAll(interfaces, node.name.value, []);
        break;
      default:
    }
  }
  for (const [name, type] of implementing) interfaces.get(name)?.add(type);
  return { objects, enums, unions, interfaces };
}

function readFields(
  mappings: BsonDocument,
  types: SchemaTypes,
  limits: DefinitionLimits,
): Map<string, Map<string, FieldMapping>> {
  const byType = new Map<string, Map<string, FieldMapping>>();
  for (const [type, mapping] of mappings) {
    const known = types.objects.get(type);
    if (known === undefined) continue;
    if (!isDocument(mapping)) {
      throw new DefinitionError(
        `Error with mappings of type: ${type}. Type mappings must be of type Object but was ${bsonTypeOf(mapping)}`,
      );
    }
    const fields = new Map<string, FieldMapping>();
    for (const [field, value] of mapping) {
      if (known.has(field)) fields.set(field, readFieldMapping(type, field, value, limits));
    }
    byType.set(type, fields);
  }
  return byType;
}

function readEnums(mappings: BsonDocument, types: SchemaTypes): Map<string, BsonDocument> {
  const enums = new Map<string, BsonDocument>();
  for (const name of types.enums) {
    const mapping = mappings.get(name);
    if (mapping === undefined) continue;
    if (!isDocument(mapping)) {
      throw new DefinitionError(
        `Error with mappings of enum: '${name}'. Enum mappings must be of type 'DOCUMENT' but was ${bsonTypeOf(mapping)}`,
      );
    }
    enums.set(name, mapping);
  }
  return enums;
}
