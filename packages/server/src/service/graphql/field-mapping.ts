/** How a field gets its value: a path, a query or an aggregation (graphql.md §5). */
import {
  type BsonDocument,
  type BsonTypeName,
  type BsonValue,
  bsonTypeOf,
  isDocument,
} from '../../model/bson.ts';
import type { Namespace } from '../../mongo/operation-options.ts';
import { DefinitionError } from './definition-error.ts';

export interface RenameMapping {
  readonly kind: 'rename';
  /** Dotted path in the parent. */
  readonly path: string;
}

export interface QueryMapping {
  readonly kind: 'query';
  readonly namespace: Namespace;
  /** With their operators. */
  readonly find: BsonDocument;
  readonly sort: BsonDocument | undefined;
  readonly limit: BsonValue | undefined;
  readonly skip: BsonValue | undefined;
  readonly loader: LoaderSettings | undefined;
}

export interface AggregationMapping {
  readonly kind: 'aggregation';
  readonly namespace: Namespace;
  /** With their operators. */
  readonly stages: readonly BsonValue[];
  readonly allowDiskUse: boolean;
  readonly loader: LoaderSettings | undefined;
}

export type FieldMapping = RenameMapping | QueryMapping | AggregationMapping;

/** Fields with `batching`; without it a field is fetched directly. */
export interface LoaderSettings {
  readonly caching: boolean;
  /** Undefined: no bound. */
  readonly maxBatchSize: number | undefined;
}

/** @throws DefinitionError */
export function readFieldMapping(
  type: string,
  field: string,
  value: BsonValue,
  { maxLimit }: { readonly maxLimit: number },
): FieldMapping {
  if (typeof value === 'string') return { kind: 'rename', path: value };
  const name = `${type}.${field}`;
  if (!isDocument(value)) {
    throw new DefinitionError(
      `The mapping for ${name} must be a String or a Document, but it is a ${bsonTypeOf(value)}`,
    );
  }
  const reader = new MappingReader(name, value);
  const namespace = { database: reader.text('db'), collection: reader.text('collection') };
  if (value.has('stages')) return readAggregation(reader, namespace);
  const mapping: QueryMapping = {
    kind: 'query',
    namespace,
    find: reader.document('find') ?? new Map(),
    sort: reader.document('sort'),
    limit: reader.numberOrDocument('limit', ['INT32']),
    skip: reader.numberOrDocument('skip', ['INT32', 'INT64', 'DOUBLE']),
    loader: reader.loader(),
  };
  if (typeof mapping.limit === 'number' && mapping.limit > maxLimit) {
    throw new DefinitionError(
      `Error with field 'limit' of type ${type}, value cannot be grater than ${maxLimit}`,
    );
  }
  return mapping;
}

function readAggregation(reader: MappingReader, namespace: Namespace): AggregationMapping {
  return {
    kind: 'aggregation',
    namespace,
    stages: reader.stages(),
    allowDiskUse: reader.get('allowDiskUse') === true,
    loader: reader.loader(),
  };
}

class MappingReader {
  private readonly name: string;
  private readonly mapping: BsonDocument;

  constructor(name: string, mapping: BsonDocument) {
    this.name = name;
    this.mapping = mapping;
  }

  get(property: string): BsonValue | undefined {
    return this.mapping.get(property);
  }

  text(property: string): string {
    const value = this.get(property);
    if (value === undefined) {
      throw new DefinitionError(
        `The mapping for ${this.name} does not specify the property '${property}'`,
      );
    }
    if (typeof value !== 'string') throw this.wrongType(property, 'String', value);
    return value;
  }

  document(property: string): BsonDocument | undefined {
    const value = this.get(property);
    if (value === undefined || isDocument(value)) return value;
    throw this.wrongType(property, 'Object', value);
  }

  numberOrDocument(property: string, types: readonly BsonTypeName[]): BsonValue | undefined {
    const value = this.get(property);
    if (value === undefined || isDocument(value) || types.includes(bsonTypeOf(value))) return value;
    throw this.wrongType(property, 'Number', value);
  }

  stages(): readonly BsonValue[] {
    const value = this.get('stages') ?? null;
    // the reference's words name another property (graphql.md §3)
    if (!Array.isArray(value)) throw this.wrongType('db', 'ARRAY', value);
    return value;
  }

  loader(): LoaderSettings | undefined {
    const settings = this.document('dataLoader');
    if (settings?.get('batching') !== true) return undefined;
    const size = settings.get('maxBatchSize');
    return {
      caching: settings.get('caching') === true,
      maxBatchSize: typeof size === 'number' && size > 0 ? size : undefined,
    };
  }

  private wrongType(property: string, wanted: string, value: BsonValue): DefinitionError {
    return new DefinitionError(
      `The mapping for ${this.name} requires the property '${property}' to be a ${wanted} but it is a ${bsonTypeOf(value)}`,
    );
  }
}
